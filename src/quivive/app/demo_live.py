"""The demo that goes on: a company with two months behind it, and logs that go on coming in.

What happened until shortly before the takeover is read into a store at once, as ``quivive score
--state`` would; what happened since is sent to the server as a collector would send it, faster than
it happened, so that the takeover unfolds on the console within minutes.
"""

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, takewhile
from pathlib import Path
from typing import NamedTuple

from quivive.app import ingest
from quivive.app.access import Wanted, create
from quivive.app.accounts import SignIn
from quivive.app.errors import UsageError
from quivive.app.geoip import open_places
from quivive.app.keeping import begin_state
from quivive.app.lines import StreamLines
from quivive.app.models import in_use
from quivive.app.naming import Names
from quivive.app.policies import decider
from quivive.app.recognise import recognise
from quivive.app.results import Alone
from quivive.app.running import Run, asked
from quivive.app.scoring import engine, merged
from quivive.client import Client, ServerError
from quivive.enrich.enricher import Enricher
from quivive.inputs.framing import frame
from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord, RejectError
from quivive.policy.budget import Budgets
from quivive.store.audit import now
from quivive.store.connect import FILE
from quivive.store.database import Store

BEFORE_MS = 30 * 60_000  # how long before the takeover the live part begins
PASSED_IN = 480.0  # seconds in which what has happened since then is sent
TICK = 1.0  # seconds between two deliveries
USER = "demo"
BY = "quivive demo"


class Ready(NamedTuple):
    """A store with history, the console's password for ``USER``, and a token to send logs with."""

    state: Path
    password: str
    token: str


class Record(NamedTuple):
    """One record of a log as it was written: its time (ms UTC), its source, its bytes."""

    time: int
    source: str
    body: bytes


def history(
    out: Path, logs: Sequence[str], before: int, advance: ingest.Advance, enricher: Enricher
) -> Ready:
    """Judges what happened before a time (ms UTC) into a new store in ``out``.

    Raises UsageError when there is a folder of something else in its place.
    """
    folder = out / "state"
    if folder.exists():
        if not (folder / FILE).exists():
            raise UsageError(f"{folder}: not a state of the demo's; remove it, or use --out")
        shutil.rmtree(folder)
    paths, tally = [str(out / name) for name in logs], ingest.Tally()
    with Store(folder) as store, store.writing(BY):
        state = begin_state(store)
        models = in_use(store, state, Budgets())
        run = Run.begin(store, models, asked(paths, ("demo",), None), StreamLines(None))
        decides = decider(store, None, state.spent)
        alone = Alone(engine(state, enricher, models.model, decider=decides), Names(store))
        events = takewhile(
            lambda found: found[1].time < before, merged(paths, None, tally, advance)
        )
        run.judge(events, alone, tally, lambda *_: None)
        password = secrets.token_urlsafe(12)
        SignIn(store).add(USER, "admin", BY, now(), password=password)
        token, _ = create(store, Wanted("the demo's logs", ("ingest",)), BY, now())
    return Ready(folder, password, token)


def places_of(out: Path) -> Enricher:
    """What tells the place of the demo's invented addresses."""
    return Enricher(open_places([out / "places.csv", out / "networks.csv"]))


def records(out: Path, logs: Sequence[str], since: int, until: int) -> list[Record]:
    """The records of the logs within a span of time (ms UTC), by time."""
    reference = ingest.reference_time([str(out / name) for name in logs])
    found = [
        record
        for name in logs
        for record in _timed(out / name, reference)
        if since <= record.time <= until
    ]
    return sorted(found, key=lambda record: record.time)


def _timed(path: Path, reference: int) -> Iterator[Record]:
    last = None
    with path.open("rb") as stream:
        for record in frame(stream, path.name, reference):
            if not isinstance(record, RawRecord) or not (last := recognise(record, last)):
                continue
            try:
                event = last.parse(record)
            except RejectError:
                continue
            if isinstance(event, AuthEvent):
                yield Record(event.time, last.name, record.body)


class Feed(threading.Thread):
    """Sends records to a server, many seconds of them in one."""

    def __init__(
        self,
        url: str,
        token: str,
        told: Sequence[Record],
        wait: Callable[[float], bool] | None = None,
        passed_in: float = PASSED_IN,
    ) -> None:
        """``told`` by time. wait: sleeps for so many seconds and says whether to stop."""
        super().__init__(name="demo-feed", daemon=True)
        self._client = Client(url, token)
        self._told = told
        self._ended = threading.Event()
        self._wait = wait or self._ended.wait
        span = told[-1].time - told[0].time if told else 0
        self._step = max(1, round(span * TICK / passed_in))

    def stop(self) -> None:
        """Sends nothing more."""
        self._ended.set()

    def run(self) -> None:
        """Until all is sent, or stopped. What a server does not take yet is sent again."""
        if not self._told:
            return
        begin = self._told[0].time
        for _, group in groupby(self._told, key=lambda record: (record.time - begin) // self._step):
            if self._wait(TICK):
                return
            for source, same in groupby(group, key=lambda record: record.source):
                body = b"\n".join(record.body for record in same) + b"\n"
                while not self._sent(source, body):
                    if self._wait(TICK):
                        return

    def _sent(self, source: str, body: bytes) -> bool:
        try:
            self._client.send(body, source=source)
        except ServerError as error:
            return 400 <= error.status < 429  # sent again, it would be refused again
        return True
