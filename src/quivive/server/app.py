"""One server, made of its parts: started, kept up to date, stopped."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from math import inf
from pathlib import Path

import structlog

from quivive.app.fetches import load_fetches
from quivive.app.kafka_topics import load_topics
from quivive.app.key_health import key_status
from quivive.app.measures import measure
from quivive.app.missing_secrets import missing_secrets
from quivive.app.responses import Responses, load_responses
from quivive.app.sigma_settings import load_rules
from quivive.app.ssf import Transmitter, transmitter_of
from quivive.app.telemetry import SERVER_RUN, Telemetry, folder_of
from quivive.incidents.slo import DECIDED_IN_TIME, look
from quivive.model.errors import ConfigurationError
from quivive.server.console.app import App
from quivive.server.console.console import Console
from quivive.server.console.pages import found
from quivive.server.consuming import Consuming
from quivive.server.context import Context
from quivive.server.faults import where
from quivive.server.fetching import Fetching
from quivive.server.figures import Figures
from quivive.server.front import Front
from quivive.server.judge import Judge
from quivive.server.judging import Judging
from quivive.server.judging import Settings as JudgingSettings
from quivive.server.openapi import encoded
from quivive.server.reload import Adopt, Fresh, Reloader
from quivive.server.remembered import Edges
from quivive.server.routes import router
from quivive.server.settings import ServerSettings, read_settings
from quivive.server.waiting import act
from quivive.server.workers import Sender
from quivive.store.audit import now as wall_clock
from quivive.store.database import Store

TOKENS_SECONDS = 1.0  # after which a token that was made or revoked counts
FOLD_SECONDS = 1.0
REFRESH_SECONDS = 5.0  # the same for policy, contexts and incidents
MEASURE_SECONDS = 30.0
COST_SECONDS = 10.0
TELEMETRY_SECONDS = 60.0
MARK_SECONDS = 10.0  # that a worker waits for an incident to be marked

log = structlog.get_logger("quivive.server")


class Server:
    """Everything of one server but its socket."""

    def __init__(
        self,
        state: Path | str,
        judging: JudgingSettings,
        settings: ServerSettings | None = None,
        *,
        config: Path | None = None,
        tls: bool = False,
        lasting: bool = True,
        telemetry: str | bool = False,
        sending: bool = True,
        renew: Callable[[], Fresh] | None = None,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        """Opens the store, takes the right to write and loads the state.

        config: the settings file, for all sections but server; lasting: what is acknowledged
        survives a loss of power; telemetry: whether every login is written to Parquet too, or the
        folder where; sending: False leaves the outbox to others; renew: reads all files anew.
        Raises ConfigurationError.
        """
        self.settings = settings or ServerSettings()
        self.figures = Figures()
        self.figures.guardrail.budget = self.settings.cost_seconds
        self._held = contextlib.ExitStack()
        try:
            self.telemetry: Telemetry | None = None
            stores = [
                self._held.enter_context(Store(state, lasting=lasting, folds=False))
                for _ in range(3)
            ]
            self.store = stores[0]
            self._held.enter_context(self.store.writing("quivive serve"))
            for check in key_status(self.store):  # before others are made in their place
                log.warning("keys", what=check.text, remedy=check.remedy)
            if telemetry:
                given = telemetry if isinstance(telemetry, str) else None
                writes = self._held.enter_context(Store(state, lasting=lasting, folds=False))
                self.telemetry = Telemetry(writes, folder_of(writes, given))
                self.telemetry.begin(SERVER_RUN)
            self.sender = Sender(stores[2], config) if sending else None
            self._warn(config)
            self.judge = Judge(
                lambda: Judging(self.store, judging, self.figures, clock),
                self.figures,
                self.settings.waiting_events,
            )
            self.context = Context(
                self.judge, stores[1], self.settings, self.figures, clock, self.sender
            )
            self.context.openapi = encoded()
            self.context.ssf = self._transmitter(config)
            self.context.rules = load_rules(config) if config is not None else None
            self.fetching = Fetching(self.context, config)
            self.consuming = Consuming(self.context, config)
            self.reloader: Reloader | None = None
            if renew is not None:
                self.reloader = Reloader(self.context, renew, lambda: self.prepare(config))
                self.context.reload = self.reloader.run
            self._joined(self.sender.transmitter if self.sender is not None else None)
            self.context.telemetry = self.telemetry
            self.judge.start()
        except BaseException:
            self._held.close()
            raise
        if self.sender is not None:
            self.judge.told = self.sender.wake
            self.sender.containment_failed = self._containment_failed
        self.front = Front(
            router(self.context),
            self.context.door,
            self.figures,
            clock,
            self.settings.requests_per_second,
            tls=tls,
        )
        pages, menu = found()
        self.console = Console(self.context, menu, tls=tls or self.settings.behind_tls)
        self.front.beside = App(self.console, pages)
        self._tasks: list[asyncio.Task[None]] = []

    def prepare(self, config: Path | None) -> Adopt:
        """Makes what works by a settings file: the sender's, and for receivers of events. Called,
        what comes back has the server work by it.

        Raises ConfigurationError for a file that cannot be used, with nothing changed.
        """
        sent = self.sender.parts_of(config) if self.sender is not None else None
        self._warn(config)
        ssf = self._transmitter(config)
        fetches = load_fetches(config) if config is not None else ()
        topics = load_topics(config) if config is not None else ()
        rules = load_rules(config) if config is not None else None

        def adopt(settings: ServerSettings) -> None:
            self.context.ssf = ssf
            self.settings = self.context.settings = settings
            self.figures.guardrail.budget = settings.cost_seconds
            self.judge.asks.most_events = settings.waiting_events
            self.front.rate = settings.requests_per_second
            self.context.edges = Edges()
            if self.sender is not None and sent is not None:
                self.sender.adopt(sent)
            self._joined(sent.transmitter if sent is not None else None)
            self.fetching.adopt(fetches)
            self.consuming.adopt(topics)
            self.context.rule_by(rules)

        return adopt

    @staticmethod
    def _warn(config: Path | None) -> None:
        """Says which secrets are not there, while somebody looks on."""
        if config is None:
            return
        for text in missing_secrets(config, {"oidc": read_settings(config).oidc}):
            log.warning("secret missing", what=text)

    def _transmitter(self, config: Path | None) -> Transmitter | None:
        asked = load_responses(config) if config is not None else Responses()
        return transmitter_of(self.context.store, asked)

    def _joined(self, sending: Transmitter | None) -> None:
        """Whoever waits for events is told of those that the sender brings, and the other way."""
        if self.context.ssf is not None:
            self.context.ssf.arrived = self._came
        if sending is not None:
            sending.arrived = self.context.arrivals.come

    def _came(self) -> None:
        self.context.arrivals.come()
        if self.sender is not None:
            self.sender.wake()

    def _containment_failed(self, event_id: str, now: int, why: str) -> None:
        """Marks the incident, and waits for it: only then is the response's row concluded."""
        done = threading.Event()

        def mark(judging: Judging) -> None:
            judging.desk.failed(event_id, now, why)

        if self.judge.act(mark, lambda _: done.set()):
            done.wait(MARK_SECONDS)

    # --- while it runs

    def begin(self) -> None:
        """Starts what runs beside requests. In the event loop."""
        if self.sender is not None:
            self.sender.start()
        if self.store.folder is not None:
            self.judge.here(asyncio.get_running_loop())
        every = (
            (TOKENS_SECONDS, self.renew_tokens),
            (FOLD_SECONDS, self.fold),
            (REFRESH_SECONDS, self.refresh),
            (MEASURE_SECONDS, self.look),
            (COST_SECONDS, self.weigh_cost),
        )
        self._tasks = [asyncio.create_task(_repeat(s, what)) for s, what in every]
        self.fetching.start()
        self.consuming.start()
        if self.telemetry is not None:
            self._tasks.append(asyncio.create_task(_repeat(TELEMETRY_SECONDS, self.write_out)))

    async def renew_tokens(self) -> None:
        """Takes over tokens that were made or revoked."""
        context = self.context
        context.door.renew(await context.aside(context.access.all, settled=inf))

    async def fold(self) -> None:
        """Puts what was judged where other programs read it; keeps the store's log short."""
        await self.context.aside(self.context.store.fold, settled=FOLD_SECONDS)

    async def refresh(self) -> None:
        """Takes over a changed policy, contexts and incidents; lets time pass."""
        changed = await act(self.judge, lambda judging: judging.refresh())
        if changed:
            log.info("policy or contexts taken over")
        await act(self.judge, lambda judging: judging.tick())

    async def look(self) -> None:
        """Measures what takes a look into the store; tells when the service level burns."""
        context = self.context
        context.measures = await context.aside(lambda: measure(context.store))
        alarms = dict(self.figures.burn.alarms)
        told = look(DECIDED_IN_TIME, self.figures.burn, context.clock())
        if told and self.sender is not None:
            sender = self.sender
            await context.aside(lambda: sender.tell(told))
        if alarms != self.figures.burn.alarms:
            await act(self.judge, lambda judging: judging.keep_burn())

    async def weigh_cost(self) -> None:
        """Takes a step of the guardrail, or takes one back, as the cost of a login asks for."""
        guardrail = self.figures.guardrail
        change = guardrail.look()
        if change is None:
            return
        said = log.warning if change.taken else log.info
        said(
            "guardrail",
            step=change.step.name,
            taken=change.taken,
            leaves_out=change.step.leaves_out,
            seconds_a_million=round(change.cost),
            budget=round(change.budget),
        )
        await act(self.judge, lambda judging: judging.guarded(change))

    async def write_out(self) -> None:
        """Writes what was judged since the last time to the telemetry."""
        if self.telemetry is not None and not self.figures.guardrail.level:
            telemetry = self.telemetry
            await self.context.aside(lambda: telemetry.fill(SERVER_RUN))

    async def end(self) -> None:
        """Finishes what was accepted, keeps everything, lets go of the store."""
        await asyncio.gather(self.fetching.stop(), self.consuming.stop())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """The same without an event loop."""
        self.judge.stop()
        if self.sender is not None and self._tasks:
            self.sender.stop(self.settings.stop_seconds)
        if self.telemetry is not None:
            try:
                self.telemetry.fill(SERVER_RUN)
            except ConfigurationError as error:
                log.error("telemetry not written at the end", error=str(error))
        self._held.close()


async def _repeat(seconds: float, what: "Callable[[], object]") -> None:
    """Does something every now and then; what fails is said, and done again."""
    while True:
        try:
            await what()  # type: ignore[misc]
        except ConfigurationError as error:
            log.error("not done", what=getattr(what, "__name__", "?"), error=str(error))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the next time may be better
            name = getattr(what, "__name__", "?")
            log.error("fault", what=name, error=type(error).__name__, where=where(error))
        await asyncio.sleep(seconds)
