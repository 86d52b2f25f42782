"""Unpacking logs as logrotate and shippers pack them: gzip, bzip2, xz and zstd, as a stream.

Memory is bounded, and so is what a small file may become. A packing may consist of several parts
one after another (gzip members, xz streams, zstd frames); zeros between them are padding.
"""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

CHUNK = 1 << 18
EXPANSION_LIMIT = 300
EXPANSION_FREE = 64 << 20
# The largest window that is given to a packing: xz -9 takes 65 MiB, zstd --ultra -22 128 MiB.
MOST_WINDOW = 160 << 20
STEP = 1 << 12  # what a decoder gives at a time: so much is lost at most where data are damaged
TAKEN = 1 << 15  # and takes at a time: what follows a part is copied


class UnreadableInputError(Exception):
    """The rest of the input cannot be read; what came before it is kept."""


class Packing(NamedTuple):
    """One way to pack: its name, the command that unpacks it, how it begins, how it is read."""

    name: str
    command: str
    magic: re.Pattern[bytes]
    read: Callable[["_Counted"], Iterator[bytes]]


class _Part(Protocol):
    """A decoder of one part, as the standard library's bz2 and lzma have them."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def packing_of(first: bytes) -> Packing | None:
    """The packing of an input that begins like this; None for what is not packed.

    first: at least 16 bytes where there are so many.
    """
    return next((packing for packing in PACKINGS if packing.magic.match(first)), None)


def unpacked(packing: Packing, source: Iterator[bytes]) -> Iterator[bytes]:
    """What is packed, chunk by chunk.

    Raises UnreadableInputError, after all that is whole, where a part is damaged, truncated or
    expands more than 300 times (after the first 64 MiB).
    """
    counted = _Counted(source)
    given = 0
    try:
        for chunk in packing.read(counted):
            given += len(chunk)
            if given > EXPANSION_FREE and given > counted.taken * EXPANSION_LIMIT:
                raise UnreadableInputError(
                    f"{packing.name} data expands more than {EXPANSION_LIMIT} times: "
                    "not read further"
                )
            if chunk:
                yield chunk
    except _DamagedError as error:
        if error.salvaged:
            yield error.salvaged
        raise UnreadableInputError(f"damaged {packing.name} data: {error}") from None
    except EOFError:
        raise UnreadableInputError(
            f"{packing.name} data ends in the middle: file truncated"
        ) from None


class _DamagedError(Exception):
    """Data that cannot be unpacked, with what still came out of them."""

    def __init__(self, problem: object, salvaged: bytes) -> None:
        super().__init__(str(problem))
        self.salvaged = salvaged


class _Counted:
    """Chunks of which it is known how many bytes were taken; a file for who wants one."""

    closed = False

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._rest = b""
        self.taken = 0
        self.is_over = False

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, at least one unless the source is over."""
        while not self._rest and not self.is_over:
            following = next(self._source, None)
            self.is_over = following is None
            self._rest = following or b""
        found, self._rest = self._rest[:size], self._rest[size:]
        self.taken += len(found)
        return found

    def close(self) -> None:
        """Nothing: whoever opened the source closes it."""


class _GzipPart:
    """zlib's decoder as the others are, which gives what comes out in front of the damage."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        return not self._inflate.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        pending = self._inflate.unconsumed_tail + data
        before = self._inflate.copy()
        try:
            return self._inflate.decompress(pending, max_length)
        except zlib.error as error:
            raise _DamagedError(error, _until_damage(before, pending)) from None


def _until_damage(inflate: "zlib._Decompress", pending: bytes) -> bytes:
    """What still comes out byte by byte: zlib gives nothing of a call that fails."""
    found = bytearray()
    for value in pending:
        try:
            found += inflate.decompress(bytes((value,)))
        except zlib.error:
            break
    return bytes(found)


def _in_parts(source: _Counted, start: Callable[[], _Part], step: int = STEP) -> Iterator[bytes]:
    """The content of parts one after another. Raises _DamagedError and EOFError."""
    part: _Part | None = None
    found = bytearray()
    while data := source.read(TAKEN):
        while data or (part is not None and not part.needs_input):
            if part is None:
                data = data.lstrip(b"\0")
                if not data:
                    break
                part = start()
            try:
                found += part.decompress(data, step)
            except _DamagedError as error:
                raise _DamagedError(error, bytes(found) + error.salvaged) from None
            except (OSError, ValueError, lzma.LZMAError) as error:
                raise _DamagedError(error, bytes(found)) from None
            data = b""
            if len(found) >= CHUNK:
                yield bytes(found)
                found.clear()
            if part.eof:
                data, part = part.unused_data, None
        yield bytes(found)
        found.clear()
    if part is not None:
        raise EOFError


def _gzip(source: _Counted) -> Iterator[bytes]:
    return _in_parts(source, _GzipPart, CHUNK)


def _bzip2(source: _Counted) -> Iterator[bytes]:
    return _in_parts(source, bz2.BZ2Decompressor)


def _xz(source: _Counted) -> Iterator[bytes]:
    return _in_parts(source, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MOST_WINDOW))


def _zstd(source: _Counted) -> Iterator[bytes]:
    """By pyarrow, which telemetry needs too: the standard library has no zstd before 3.14."""
    try:
        import pyarrow
    except ImportError:
        raise UnreadableInputError(
            "packed with zstd: unpack it first (zstd -d), or install quivive[analytics]"
        ) from None
    stream = pyarrow.CompressedInputStream(pyarrow.PythonFile(source, mode="r"), "zstd")
    while True:
        room = bytearray(CHUNK)
        try:
            size = stream.readinto(room)
        except OSError as error:
            # It does not tell how much it wrote before it failed: all up to the zeros.
            found = bytes(room.rstrip(b"\0"))
            if not source.is_over:
                raise _DamagedError(error, found) from None
            yield found
            raise EOFError from None
        if not size:
            return
        yield bytes(room[:size])


PACKINGS = (
    Packing("gzip", "gzip -d", re.compile(rb"\x1f\x8b"), _gzip),
    Packing("bzip2", "bzip2 -d", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), _bzip2),
    Packing("xz", "xz -d", re.compile(rb"\xfd7zXZ\0"), _xz),
    # A frame, or one to be skipped, which pzstd puts first.
    Packing("zstd", "zstd -d", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _zstd),
)
