"""Reading the public data's large text files: plain or gzip, line by line, with progress."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from quivive.learn.protocols.result import ProtocolError

Advance = Callable[[int], None]  # told how many bytes of the file were read since it was last told

EVERY_LINES = 20_000
GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"


def silent(size: int) -> None:
    """An ``Advance`` that nobody looks at."""


def lines(path: Path, advance: Advance = silent) -> Iterator[str]:
    """The lines of a file, with their line ends.

    Raises ProtocolError naming the file, and the line where gzip data break off.
    """
    try:
        with path.open("rb") as raw:
            magic = raw.read(4)
            raw.seek(0)
            if magic == ZIP:
                raise ProtocolError(f"{path}: a ZIP archive; unpack it and name the file in it")
            packed = magic.startswith(GZIP)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
            told = number = 0
            try:
                for number, line in enumerate(stream, start=1):
                    if not number % EVERY_LINES:
                        here = raw.tell()
                        advance(here - told)
                        told = here
                    yield line.decode("utf-8", "replace")
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise ProtocolError(
                    f"{path}:{number}: gzip data break off: {error}; download it again"
                ) from None
            advance(raw.tell() - told)
    except OSError as error:
        raise ProtocolError(f"{path}: cannot be read: {error.strerror or error}") from None


def sampled(name: str, share: float) -> bool:
    """Whether a user is in a sample of a ``share`` (0-1) of all, by a hash: the same every time."""
    return zlib.crc32(name.encode()) < share * 0x1_0000_0000


def check_share(share: float) -> None:
    """Raises ProtocolError for a share of users that is not above 0 and at most 1."""
    if not 0.0 < share <= 1.0:
        raise ProtocolError(f"users: {share} is no share; above 0, and at most 1 for all")
