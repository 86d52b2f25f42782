"""Where the output lines go: a file that is whole or not there, or a stream."""

import os
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from quivive.app.errors import UsageError
from quivive.store.errors import StoreUnavailable

CHUNK = 1 << 20
GATHERED = 256  # lines that are written and counted at once


class StreamLines:
    """Standard output, a pipe or a device: what is written there cannot be taken back."""

    whole = False

    def __init__(self, stream: BinaryIO | None, *, own: bool = False) -> None:
        """``stream`` is None where nobody reads the lines; ``own``: it is closed at the end."""
        self.stream = stream
        self.own = own
        self.written = self.checksum = 0

    def begin(self, _written: int, _checksum: int, former: Iterable[bytes]) -> None:
        """Writes the lines of a run that goes on once more, from the first."""
        for line in former:
            self.write(line)

    def write(self, line: bytes) -> None:
        """Writes one line."""
        if self.stream is not None:
            self.stream.write(line + b"\n")

    def flush(self) -> None:
        """Hands on what was written."""
        if self.stream is not None:
            self.stream.flush()

    def finish(self) -> None:
        """All lines are written."""
        self.flush()

    def close(self) -> None:
        """Closes a stream of its own."""
        if self.own and self.stream is not None:
            self.stream.close()


class FileLines:
    """A file, which has its name only once it is whole; until then it is FILE.partial.

    written and checksum are the bytes written so far and their CRC-32.
    """

    whole = True

    def __init__(self, target: Path, at: Callable[[str], None] = lambda _: None) -> None:
        """``at`` is called before and after the file gets its name, for tests that crash there."""
        self.target = target
        self.partial = target.with_name(target.name + ".partial")
        self.at = at
        self.written = self.checksum = 0  # of what was handed to the file: all, after a flush
        self.kept = False
        self._gathered: list[bytes] = []
        self._stream: BinaryIO | None = None

    def begin(self, written: int, checksum: int, former: Iterable[bytes]) -> None:
        """Goes on after the first ``written`` bytes; where they are not there any more, as they
        were, ``former`` are the lines to write again.

        Raises UsageError when the file cannot be written, or not be made as it was.
        """
        whole = written > 0 and _checksum(self.partial, written) == checksum
        try:
            self._stream = self.partial.open("r+b" if whole else "wb")
        except OSError as error:
            raise UsageError(
                f"{self.target}: cannot be written ({error.strerror}); name a file in a folder"
                " that exists"
            ) from None
        if whole:
            self._stream.truncate(written)
            self._stream.seek(written)
            self.written, self.checksum = written, checksum
            return
        if written:
            for line in former:
                self.write(line)
            self._put()
            if (self.written, self.checksum) != (written, checksum):
                raise UsageError(
                    f"{self.target}: {self.partial.name} is not as it was left, and some of its"
                    " lines were replaced in the store since; name another --out with --abandon,"
                    " or start anew from the logs in another --state"
                )

    def write(self, line: bytes) -> None:
        """Writes one line. Raises StoreUnavailable, by the next ``flush`` at the latest."""
        self._gathered.append(line)
        if len(self._gathered) >= GATHERED:
            self._put()

    def _put(self) -> None:
        assert self._stream is not None
        if not self._gathered:
            return
        self._gathered.append(b"")  # the last line ends, too
        lines = b"\n".join(self._gathered)
        self._gathered = []
        try:
            self._stream.write(lines)
        except OSError as error:
            raise self._full(error) from None
        self.written += len(lines)
        self.checksum = zlib.crc32(lines, self.checksum)

    def flush(self) -> None:
        """What was written is on the disk, whatever happens next. Raises StoreUnavailable."""
        assert self._stream is not None
        self._put()
        try:
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise self._full(error) from None

    def finish(self) -> None:
        """Gives the file its name."""
        self.flush()
        assert self._stream is not None
        self._stream.close()
        self.at("before-rename")
        self.partial.replace(self.target)
        _sync_folder(self.target.parent)
        self.at("after-rename")

    def is_whole(self, written: int, checksum: int) -> bool:
        """Whether the file is there under its name with these bytes."""
        try:
            return (
                self.target.stat().st_size == written
                and _checksum(self.target, written) == checksum
            )
        except OSError:
            return False

    def close(self) -> None:
        """Removes what was not finished, unless a store knows of it (``kept``)."""
        if self._stream is not None:
            with suppress(OSError):  # said already, where it was written
                self._stream.close()
            if not self.kept:
                self.partial.unlink(missing_ok=True)

    def _full(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(
            f"{self.target}: {error.strerror}; make room where --out is, then run it again"
        )


def lines_to(
    out: str | None, stream: BinaryIO | None, read: Iterable[str] = ()
) -> StreamLines | FileLines:
    """Where ``--out`` says, or ``stream``. ``read``: the files that the command reads.

    Raises UsageError for a folder, and for one of those files, which would be lost.
    """
    if out is None:
        return StreamLines(stream)
    if not out:
        raise UsageError("--out: no name; name a file")
    target = Path(out)
    if target.is_dir():
        raise UsageError(f"{out}: a folder; name a file in it")
    if target.exists() and not target.is_file():
        return StreamLines(target.open("wb"), own=True)  # a device or a pipe: /dev/null
    lines = FileLines(target)
    for path in read:
        if any(_same(Path(path), written) for written in (target, lines.partial)):
            raise UsageError(
                f"{out}: {path} is read, and would be written over; name another --out"
            )
    return lines


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _checksum(path: Path, size: int) -> int | None:
    """CRC-32 of the first ``size`` bytes; None when there are fewer."""
    found = 0
    try:
        with path.open("rb") as stream:
            while size:
                data = stream.read(min(CHUNK, size))
                if not data:
                    return None
                found = zlib.crc32(data, found)
                size -= len(data)
    except OSError:
        return None
    return found


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
