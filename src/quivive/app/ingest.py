"""Reading logs: open, frame, recognise, parse; and a tally of what became of every record."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from quivive.app.errors import UsageError
from quivive.app.recognise import UNRECOGNISED, recognise, stranger
from quivive.app.registry import sources
from quivive.app.repeats import Repeats
from quivive.baseline.clocks import Clocks, Order
from quivive.inputs.framing import frame
from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord, Reject, RejectError
from quivive.model.verdict import MOST_ID
from quivive.sources.source import Source

if TYPE_CHECKING:
    from quivive.app.sigma import Marking

STDIN = "-"
AT_ONCE = 16  # records that are framed, then recognised, then parsed
REJECTS_KEPT = 1000
PEEK_BYTES = 1 << 17
PEEK_RECORDS = 20_000  # packed data may hold any number of them
DAY_MS = 86_400_000
AFTER_OTHERS_MS = 45 * DAY_MS

Advance = Callable[[int], None]


class Tally:
    """What became of the records of a run; rejects are counted all and kept up to a thousand."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.skips: Counter[tuple[str, str]] = Counter()
        self.rejected: Counter[str] = Counter()
        self.rejects: list[Reject] = []
        self.empty: list[str] = []  # logs without a single record
        self.clocks = Clocks()
        self._orders: dict[tuple[str, str], Order] = {}

    def drop(self, log: str, event: AuthEvent, reason: str) -> None:
        """Counts an event that was read but cannot be judged as a reject."""
        self.events[log] -= 1
        sequence = event.metadata.sequence or 0
        self.reject(Reject(log=log, sequence=sequence, line=sequence, reason=reason))

    def reject(self, reject: Reject) -> None:
        """Counts a reject and keeps it while there is room."""
        self.rejected[reject.log] += 1
        if len(self.rejects) < REJECTS_KEPT:
            self.rejects.append(reject)

    @property
    def strange(self) -> list[str]:
        """Logs of which no record at all was recognised."""
        known = {log for log, count in self.events.items() if count}
        known |= {log for log, _ in self.skips}
        other = {reject.log for reject in self.rejects if reject.reason != UNRECOGNISED}
        told = dict.fromkeys(reject.log for reject in self.rejects)
        return [log for log in told if log not in known | other]

    def order(self, log: str, product: str) -> Order:
        """In which order the events of an input come, of one product."""
        found = self._orders.get((log, product))
        if found is None:
            found = self._orders[log, product] = Order()
        return found

    def ordered(self) -> None:
        """All inputs were read to their end."""
        for (_, product), order in sorted(self._orders.items()):
            self.clocks.ordered(product, order)
        self._orders = {}


class _Counting:
    """A stream that tells how many bytes were read of it, for the progress bar."""

    def __init__(self, stream: BinaryIO, advance: Advance) -> None:
        self.stream = stream
        self.advance = advance

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.advance(len(data))
        return data


def check_files(paths: Sequence[str]) -> None:
    """Raises UsageError for the first path that cannot be opened for reading.

    Pipes are left alone: whoever writes into one would notice it being closed again.
    """
    for path in paths:
        try:
            if path != STDIN and not Path(path).is_fifo():
                with Path(path).open("rb"):
                    pass
        except IsADirectoryError:
            raise UsageError(f"{path}: a folder; name the log files in it") from None
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}; check the path") from None


def log_names(paths: Sequence[str]) -> list[str]:
    """What each input is called in positions and ids: its name, or its path where names repeat."""
    names = ["stdin" if path == STDIN else Path(path).name for path in paths]
    repeated = {name for name, times in Counter(names).items() if times > 1}
    return [
        path if name in repeated and path != STDIN else name
        for path, name in zip(paths, names, strict=True)
    ]


def choose(name: str, mapped: Source | None = None) -> Source | None:
    """The source of ``--source NAME``; None for "auto". Raises UsageError for an unknown one."""
    if mapped is not None:
        if name not in ("auto", "mapped"):
            raise UsageError("--map goes with --source mapped")
        return mapped
    if name == "auto":
        return None
    if name == "mapped":
        raise UsageError("--source mapped needs --map FILE: see docs/reference/mapped.md")
    try:
        return sources()[name]
    except KeyError:
        known = ", ".join(sorted(sources()))
        raise UsageError(f"no log source {name!r}: one of auto, mapped, {known}") from None


def events(
    path: str,
    source: Source | None,
    tally: Tally,
    reference_time: int | None,
    advance: Advance = lambda _: None,
    name: str | None = None,
    rules: "Marking | None" = None,
) -> Iterator[AuthEvent]:
    """The events of one input in its own order; skips and rejects go to the tally.

    ``name`` is what positions call it; its file name where none is given. ``rules`` mark events.
    """
    log = name or log_names([path])[0]
    stream = sys.stdin.buffer if path == STDIN else Path(path).open("rb")  # noqa: SIM115
    try:
        last = source
        counted: BinaryIO = _Counting(stream, advance)  # type: ignore[assignment]
        repeats = Repeats()
        empty = True
        framed = frame(counted, log, reference_time, repeats.find)
        # A few at a time, each stage for all of them: a processor does again what it has just done
        # in less time.
        while block := list(islice(framed, AT_ONCE)):
            empty = False
            of: list[Source | None] = []
            for record in block:
                found = None
                if isinstance(record, RawRecord):
                    found = source or recognise(record, last)
                    last = found or last
                of.append(found)
            read: list[AuthEvent] = []
            for record, found in zip(block, of, strict=True):
                if isinstance(record, AuthEvent):
                    read.append(record)
                elif not isinstance(record, RawRecord):
                    tally.reject(record)
                elif found is None:
                    tally.reject(_rejected(record, stranger(record)))
                else:
                    repeats.read_by(found, again=rules is None or rules.repeatable(found))
                    event = parse(record, found, tally, rules)
                    if event is not None:
                        repeats.keep(event)
                        read.append(event)
            if read:
                tally.events[log] += len(read)
                if rules is not None:
                    rules.count(read)
                yield from read
        if empty:
            tally.empty.append(log)
    finally:
        if path != STDIN:
            stream.close()


def parse(
    record: RawRecord, source: Source, tally: Tally, rules: "Marking | None" = None
) -> AuthEvent | None:
    """The event of one record, marked by ``rules``; or None with the tally kept."""
    try:
        outcome = source.parse(record)
    except RejectError as error:
        tally.reject(_rejected(record, f"{source.name}: {error}"))
        return None
    if isinstance(outcome, AuthEvent):
        if len(outcome.metadata.uid or "") <= MOST_ID:
            return outcome if rules is None else rules.marked(outcome, record, source)
        tally.reject(_rejected(record, f"metadata.uid: over {MOST_ID} characters"))
        return None
    tally.skips[record.log, outcome.reason] += 1
    return None


def _rejected(record: RawRecord, reason: str) -> Reject:
    return Reject(
        log=record.log,
        sequence=record.sequence,
        line=record.line,
        reason=reason,
        sample=record.body[:160].decode("utf-8", "replace"),
    )


def reference_time(paths: Sequence[str]) -> int:
    """A moment shortly after the logs end, for timestamps without a year (ms UTC).

    Logs that state their year tell it; without any, the newest file's own date does.
    """
    latest = 0
    written = 0
    for path in paths:
        if path == STDIN:
            written = max(written, time.time_ns() // 1_000_000)  # the shell's clock
            continue
        stat = Path(path).stat()
        written = max(written, stat.st_mtime_ns // 1_000_000)
        if not Path(path).is_file():
            continue  # what is read of a pipe is gone
        with Path(path).open("rb") as stream:
            latest = max(latest, _latest(stream, path))
            if stat.st_size > 2 * PEEK_BYTES:
                stream.seek(-PEEK_BYTES, 2)
                stream.readline()
                latest = max(latest, _latest(stream, path))
    if latest:
        return min(latest + AFTER_OTHERS_MS, max(written, latest) + DAY_MS)
    return written + DAY_MS


class _Prefix:
    """The first bytes of a stream, as a stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.left = PEEK_BYTES

    def read(self, size: int) -> bytes:
        data = self.stream.read(min(size, self.left))
        self.left -= len(data)
        return data


def _latest(stream: BinaryIO, log: str) -> int:
    latest = 0
    last: Source | None = None
    prefix: BinaryIO = _Prefix(stream)  # type: ignore[assignment]
    for record in islice(frame(prefix, log), PEEK_RECORDS):
        if isinstance(record, RawRecord):
            last = recognise(record, last)
            if last is not None:
                try:
                    outcome = last.parse(record)
                except RejectError:
                    continue
                if isinstance(outcome, AuthEvent):
                    latest = max(latest, outcome.time)
    return latest
