"""The whole path of a login, at hand in one object: from a vendor's record to who was told.

The parts are the product's own; only the clock is not. It stands at the time of the event that was
handed over last, and moves when a client waits before it tries again, so that a game day of a
month takes seconds and always comes out the same.
"""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path as Folder
from time import perf_counter
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from quivive.app import channels, notifying, policies, responding
from quivive.app.audit import Verified, signing_key, verify
from quivive.app.gamedays.fakes import SECRET, Fakes
from quivive.app.keys import random_key
from quivive.app.responses import Connection, Responses
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import Decision, Reason
from quivive.model.event import AuthEvent
from quivive.notify.channels import Channel
from quivive.policy.actions import ALLOW
from quivive.respond.client import Client, Clock, HttpSettings
from quivive.respond.performing import client_for
from quivive.store.audit import Filters, Trail
from quivive.store.database import Store
from quivive.store.models import Author
from quivive.store.outbox import StoredOutbox

GROUP = 500  # logins of history that are kept at a time
GROUP_LIVE = 64  # logins that ask for nothing
WHO = "game day"
T = TypeVar("T")


class Judged(Protocol):
    """What became of one event."""

    @property
    def id(self) -> str:
        """Of the event."""

    @property
    def line(self) -> bytes | None:
        """Its scored line; None where it is no login."""

    @property
    def what(self) -> str:
        """``judged``, ``known`` (before) or ``left_out`` (no login)."""


class Judging(Protocol):
    """What judges for the server (``server/judging.py``), as far as it is needed here."""

    def judge(self, log: str, event: AuthEvent) -> Judged:
        """Judges one event."""

    def keep(self) -> bool:
        """Keeps it, with everything that follows from it."""

    def checkpoint(self) -> None:
        """Keeps the whole state."""

    def refresh(self) -> bool:
        """Takes over a changed policy and contexts."""

    def changing(self, change: Callable[[Store], T]) -> T:
        """Lets something change the kept state."""


Make = Callable[[Store, Enricher, Callable[[], int]], Judging]


class Seen(Struct, kw_only=True):
    """A login as the game day saw it.

    risk: as policy decides on it. attack: the incident it belongs to, "" for ordinary life.
    seconds: measured since it was handed over, by stage.
    """

    id: str
    time: int
    log: str
    product: str
    identity: str
    kind: str
    outcome: str
    credential: str | None
    ip: str | None
    risk: float
    level: str
    confidence: float
    finding: bool
    reasons: tuple[Reason, ...]
    decision: Decision
    short_road: bool = False
    attack: str = ""
    seconds: dict[str, float] = {}

    @property
    def acts(self) -> bool:
        """Whether its decision is in force."""
        return self.decision.mode != "shadow"

    @property
    def signals(self) -> set[str]:
        """The signals of its reasons."""
        return {reason.signal for reason in self.reasons}


class _Line(Struct):
    event: AuthEvent
    id: str
    risk_score: float
    risk_level: str
    confidence: float
    reasons: tuple[Reason, ...]
    decision: Decision
    identity: str
    identity_kind: str
    finding: bool
    short_road: bool = False
    undamped: float | None = None


_lines = msgspec.json.Decoder(_Line)
_OUTCOMES = {1: "success", 2: "failure"}


def seen_of(line: bytes, log: str = "", attack: str = "") -> Seen:
    """What is kept of a scored line."""
    found = _lines.decode(line)
    event = found.event
    source = event.src_endpoint
    return Seen(
        id=found.id,
        time=event.time,
        log=log,
        product=event.metadata.product.name,
        identity=found.identity,
        kind=found.identity_kind,
        outcome=_OUTCOMES.get(event.status_id, "interrupted"),
        credential=event.user.credential_uid,
        ip=source.ip if source is not None else None,
        risk=found.risk_score if found.undamped is None else found.undamped,
        level=found.risk_level,
        confidence=found.confidence,
        finding=found.finding,
        reasons=found.reasons,
        decision=found.decision,
        short_road=found.short_road,
        attack=attack,
    )


class Path:
    """One organisation's path, on a store in ``folder``. Use it in a ``with`` block."""

    def __init__(self, folder: Folder, make: Make, enricher: Enricher) -> None:
        """Opens the store, or goes on with the one that is there."""
        self.folder = folder
        self.time = 0
        self.clock = Clock(now=lambda: self.time, sleep=self._sleep)
        self.seen: list[Seen] = []
        self._unkept = 0
        self._held = contextlib.ExitStack()
        self.store = self._held.enter_context(Store(folder / "state", lasting=False))
        self._held.enter_context(self.store.writing("quivive gameday"))
        self.judging = make(self.store, enricher, self.clock.now)
        self.outbox = StoredOutbox(self.store)
        self.responder: responding.Worker | None = None
        self._notifier: notifying.Worker | None = None

    def __enter__(self) -> "Path":
        """The path itself, closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Lets go of the store."""
        if self.responder is not None:
            self.responder.close()
        self._held.close()

    def _sleep(self, seconds: float) -> None:
        self.time += round(seconds * 1000)

    def connect(self, fakes: Fakes, connections: Sequence[Connection]) -> None:
        """Connects vendors and people; until then what is decided waits in the outbox."""
        url, secret = self.folder / "pager.url", self.folder / "shared.secret"
        url.write_text(f"{fakes.pager.url}/alerts\n")
        secret.write_text(f"{SECRET}\n")

        def client(connection: Connection) -> Client:
            return client_for(
                connection.action, connection.settings, connection.http,
                clock=self.clock, transport=fakes.transport,
            )  # fmt: skip

        self.responder = responding.Worker(
            self.outbox, Responses(connections=tuple(connections)),
            clock=self.clock, connect=client,
        )  # fmt: skip
        given = {"url": {"file": str(url)}, "secret": {"file": str(secret)}}
        channel = Channel(
            name="on-call", kind="webhook", settings=given, digest=(), per_hour=1_000, closings=True
        )
        from quivive.app.wire import read as read_secret

        wire = fakes.wire()
        self._notifier = notifying.Worker(
            StoredOutbox(self.store, notifying.KIND),
            channels.Settings(channels=(channel,)),
            lambda _: wire,
            read_secret,
            random_key(self.store, notifying.VERDICT_KEY),
        )

    # --- logins

    def history(self, events: Iterable[tuple[str, AuthEvent]]) -> int:
        """Learns what was; returns how many logins that were."""
        count = 0
        for log, event in events:
            self.time = max(self.time, event.time)
            count += self.judging.judge(log, event).line is not None
            if count % GROUP == 0:
                self.judging.keep()
        self.judging.checkpoint()
        self.work()
        return count

    def live(self, log: str, event: AuthEvent, attack: str = "") -> Seen | None:
        """One record comes in: judged, kept, acted upon, told. None for what is no login.

        What asks for nothing is kept in groups, as the server does with what comes in bulk.
        """
        self.time = max(self.time, event.time)
        begun = perf_counter()
        answer = self.judging.judge(log, event)
        judged = perf_counter()
        self._unkept += 1
        found = None if answer.line is None else seen_of(answer.line, log, attack)
        follows = found is not None and (found.finding or found.decision.action != ALLOW)
        if not follows and self._unkept < GROUP_LIVE:
            if found is not None:
                self.seen.append(found)
            return found
        self._unkept = 0
        keeping = perf_counter()
        self.judging.keep()
        kept = perf_counter()
        acted = self._respond() or kept
        told = self._tell() or acted
        if found is not None:
            decoded = keeping - judged  # the game day's own work
            found.seconds = {"decided": judged - begun} | {
                name: at - begun - decoded
                for name, at in (("kept", kept), ("acted", acted), ("told", told))
            }
            self.seen.append(found)
        return found

    def work(self) -> None:
        """Everything that is due is done: responses, then what is told."""
        self._respond()
        self._tell()

    def wait(self, milliseconds: int) -> None:
        """Time passes, and what is due then is done."""
        self.judging.keep()
        self._unkept = 0
        self.time += milliseconds
        self.work()

    def _respond(self) -> float:
        worked = self.responder.run_once() if self.responder is not None else 0
        return perf_counter() if worked else 0.0

    def _tell(self) -> float:
        if self._notifier is None:
            return 0.0
        came = self._notifier.run(self.time)
        return perf_counter() if came.routed or came.delivered or came.failed else 0.0

    # --- what people do

    def author(self, why: str) -> Author:
        """Whoever runs the game day, now."""
        return Author(WHO, why, self.time)

    def activate(self, text: str, *, enforce: bool = True) -> str:
        """Makes a policy the active one; with ``enforce`` False all of it stays in shadow."""
        file = self.folder / "policy.yaml"
        file.write_text(text if enforce else text.replace("mode: enforce", "mode: shadow"))
        name = policies.activate(self.store, file, self.author("game day"))
        self.judging.refresh()
        return name

    def audit(self) -> Verified:
        """The audit trail, read whole."""
        from quivive.app.audit import sign

        key = signing_key(self.store)
        sign(self.store, key)
        return verify(self.store, key)

    def recorded(self, subject: str) -> list[str]:
        """The actions that the audit trail has of a login."""
        return [r.action for r in Trail(self.store).records(Filters(subject=subject))]


def connection(vendor: str, settings: dict[str, Any], **given: Any) -> Connection:
    """A connection as the settings file would make it; ``given``: name, serves, products, also."""
    from quivive.app.registry import actions

    action = actions()[vendor]
    serves = given.pop("serves", {name: name for name in action.does})
    return Connection(
        name=given.pop("name", vendor),
        action=action,
        settings=msgspec.convert(settings, action.settings),
        http=HttpSettings(allow_private=True),
        serves=serves,
        products=given.pop("products", action.products),
        **given,
    )
