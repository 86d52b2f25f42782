"""A run over log files that loses nothing: what is judged is kept a batch at a time.

Killed at any instant and started again with the same arguments, a run goes on after its last
batch and ends with the same output file, byte for byte, as one that was never disturbed.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from quivive.app.audit import sign
from quivive.app.clocks import as_state
from quivive.app.clocks import load as load_clocks
from quivive.app.doctor import Check
from quivive.app.errors import UsageError
from quivive.app.incidents import Desk, decision_entries
from quivive.app.ingest import STDIN, Tally
from quivive.app.lines import FileLines, StreamLines
from quivive.app.memory import settled
from quivive.app.models import InUse
from quivive.app.results import Judging
from quivive.app.telemetry import Telemetry
from quivive.model.event import AuthEvent
from quivive.model.words import counted
from quivive.store import audit
from quivive.store.batch import Row, RunRow
from quivive.store.database import Store, new_token
from quivive.store.runs import ABANDONED, DONE, JUDGED, RUNNING, Runs

BATCH_LOGINS = 10_000  # what a crash makes a run judge again, at most
PEEK = 1 << 16

Each = Callable[[float, bytes, bool], None]


class Input(Struct, frozen=True):
    """A file that a run reads: its path, and what tells that it is the same file."""

    path: str
    size: int = 0
    digest: str = ""


class Asked(Struct, frozen=True):
    """What a run was asked, as far as it decides what comes out."""

    files: tuple[Input, ...]
    options: tuple[str, ...] = ()
    out: str | None = None

    @property
    def digest(self) -> str:
        """The same for the same arguments and files."""
        return hashlib.blake2b(msgspec.json.encode(self), digest_size=16).hexdigest()

    @property
    def again(self) -> bool:
        """Whether the same arguments mean the same input: standard input and pipes may not."""
        return all(file.digest for file in self.files)

    def __str__(self) -> str:
        """For people: the files, and where the lines go."""
        names = ", ".join(file.path for file in self.files[:3])
        more = f" and {len(self.files) - 3} more" if len(self.files) > 3 else ""
        return f"{names}{more}" + (f" --out {self.out}" if self.out else "")


def asked(files: Sequence[str], options: Sequence[str], out: str | None) -> Asked:
    """What a run is asked. ``options`` name other files as ``described`` does."""
    target = str(Path(out).absolute()) if out else None
    return Asked(tuple(_input(path) for path in files), tuple(options), target)


def described(path: str | Path) -> str:
    """A file that is an option, or every file of a folder, so that a change of it is noticed."""
    found = Path(path)
    inner = sorted(p for p in found.iterdir() if p.is_file()) if found.is_dir() else [found]
    return " ".join(f"{i.path}:{i.size}:{i.digest}" for i in (_input(str(p)) for p in inner))


def _input(path: str) -> Input:
    found = Path(path)
    if path == STDIN or not found.is_file():
        return Input(path)
    size = found.stat().st_size
    digest = hashlib.blake2b(digest_size=16)
    with found.open("rb") as stream:
        digest.update(stream.read(PEEK))
        if size > 2 * PEEK:
            stream.seek(-PEEK, 2)
        digest.update(stream.read(PEEK))
    return Input(str(found.absolute()), size, digest.hexdigest())


def cut_short(store: Store) -> list[Check]:
    """What ``quivive doctor`` says of a run, or a server, that did not end."""
    found = []
    run = Runs(store).unfinished()
    if run is not None:
        asked = msgspec.json.decode(run.arguments, type=Asked)
        found.append(
            Check(
                name="run",
                level="warn",
                text=f"cut short, or going on, after {counted(run.lines, 'login')}: {asked}",
                remedy="start it again with the same arguments, and it goes on",
            )
        )
    left = store.journaled()
    if left:
        text = (
            f"{counted(left, 'event of a server is', 'events of a server are')} in the journal:"
            " it is at work, or was cut short"
        )
        found.append(Check(name="journal", level="ok", text=text))
    return found


class Run:
    """One run, from where it stands to its end."""

    def __init__(
        self, store: Store, models: InUse, row: RunRow, lines: FileLines | StreamLines
    ) -> None:
        """``row`` says how far it is."""
        self.store = store
        self.models = models
        self.row = row
        self.out = lines
        self._chain = row.chain
        self.telemetry: Telemetry | None = None
        self._decided: list[bytes] = []

    @classmethod
    def begin(
        cls,
        store: Store,
        models: InUse,
        what: Asked,
        lines: FileLines | StreamLines,
        *,
        abandon: bool = False,
    ) -> "Run":
        """A new run, or the one with the same arguments that was cut short or is done.

        ``abandon`` gives up another one that was cut short. Raises UsageError when there is one
        and it is not to be given up.
        """
        runs = Runs(store)
        found = runs.unfinished()
        if found is not None and found.digest != what.digest:
            former = msgspec.json.decode(found.arguments, type=Asked)
            if not abandon:
                raise UsageError(
                    f"{store.given}: a run was cut short after {counted(found.lines, 'login')}:"
                    f" {former}\n"
                    "start it again with the same arguments and it goes on from there; or add"
                    " --abandon to this one: what that run judged stays, the rest of its logins"
                    " is never judged, and its FILE.partial can be deleted"
                )
            runs.close(found, ABANDONED)
            found = None
        if found is None and lines.whole and what.again:
            found = runs.done(what.digest)
        if found is None:
            number, text = runs.next_id(), msgspec.json.encode(what).decode()
            found = RunRow(number, what.digest, text, RUNNING, 0, 0, 0, 0, 0)
        if isinstance(lines, FileLines):
            lines.at = store.at
            lines.kept = found.consumed > 0
        return cls(store, models, found, lines)

    @property
    def done(self) -> bool:
        """Whether all is judged already."""
        return self.row.status in (JUDGED, DONE)

    def former(self, each: Each) -> Iterator[bytes]:
        """The lines that were judged before, each told of."""
        for line in Runs(self.store).lines(self.row):
            each(line.risk_score, line.body, line.finding)
            yield line.body

    def resume(self, each: Each) -> None:
        """Makes the output as it was after the last batch, and tells of the lines in it."""
        row = self.row
        if self.telemetry is not None:
            self.telemetry.begin(row.id)
        if isinstance(self.out, FileLines):
            if row.lines:
                for _ in self.former(each):
                    pass
            if self.done and self.out.is_whole(row.written, row.checksum):
                return self._over()
            self.out.begin(row.written, row.checksum, self.former(_nothing))
        else:
            self.out.begin(0, 0, self.former(each) if row.lines else ())
        if self.done:
            self.out.finish()
            self._over()
        return None

    def judge(
        self, events: Iterator[tuple[str, AuthEvent]], judging: Judging, tally: Tally, each: Each
    ) -> None:
        """Judges what is left of ``events``, and keeps it. ``events`` are all of the run's.

        Raises UsageError when the events before are not those that were judged.
        """
        self._skip(events)
        # History is read here: incidents are kept, and nobody is told of them.
        desk = Desk(self.store, judging.known, tell=False)
        lines, status = self.row.lines, RUNNING
        while status == RUNNING:
            rows, consumed = list[Row](), self.row.consumed
            batch = islice(events, BATCH_LOGINS)
            for log, event, result in judging.judge(batch, self.row.id, lines):
                consumed += 1
                self._chain = _chained(self._chain, log, event)
                if result is None:
                    continue
                lines += 1
                row = result.row
                self.out.write(row.body)
                each(row.risk_score, row.body, row.finding)
                if row.finding or result.repeated:
                    desk.take(row.body)
                if result.acts:
                    self._decided.append(row.body)
                rows.append(row)
            if consumed - self.row.consumed < BATCH_LOGINS:
                status = JUDGED
            self._keep(judging, desk, consumed, lines, rows, status, tally)
        self.out.finish()
        self._over()

    def _skip(self, events: Iterator[tuple[str, AuthEvent]]) -> None:
        chain = 0
        for _ in range(self.row.consumed):
            found = next(events, None)
            if found is None:
                break
            chain = _chained(chain, *found)
        if chain != self.row.chain:
            raise UsageError(
                f"{self.store.given}: a run was cut short here after"
                f" {counted(self.row.lines, 'login')},"
                " and the logs are not those that it read; give it the same again, or add --abandon"
                " to begin anew with these"
            )

    def _keep(
        self,
        judging: Judging,
        desk: Desk,
        consumed: int,
        lines: int,
        rows: list[Row],
        status: str,
        tally: Tally,
    ) -> None:
        self.out.flush()
        self.store.at("after-output-flush")
        written, checksum = self.out.written, self.out.checksum
        row = self.row._replace(
            status=status,
            consumed=consumed,
            chain=self._chain,
            lines=lines,
            written=written,
            checksum=checksum,
        )
        others = self.models.states()
        if status == JUDGED:
            clocks = load_clocks(self.store)
            clocks.take(tally.clocks)
            others |= as_state(clocks)
        batch = judging.take(others)
        batch.rows, batch.run = rows, row
        batch.rejects = tally.rejects if status == JUDGED else ()
        batch.also = (desk.write, self._record)
        if self.telemetry is not None:  # in files before the transaction that says so
            batch.also = (*batch.also, self.telemetry.batch(row.id, rows))
        self.store.commit(batch, new_token())
        judging.saved()
        settled()
        desk.kept()
        self._decided = []
        self.row = row
        if isinstance(self.out, FileLines):
            self.out.kept = True

    def _record(self, connection: Connection) -> None:
        audit.append(connection, decision_entries(self._decided))

    def _over(self) -> None:
        if self.row.status != DONE:
            Runs(self.store).close(self.row, DONE)
            sign(self.store)
        if isinstance(self.out, FileLines):
            self.out.kept = False
        self.store.at("done")


def _chained(chain: int, log: str, event: AuthEvent) -> int:
    metadata = event.metadata
    return zlib.crc32(f"{log}|{metadata.sequence}|{event.time}|{metadata.uid}".encode(), chain)


def _nothing(*_: object) -> None:
    """Nobody is told."""
