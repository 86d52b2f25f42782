"""Opening a log: packings with a bomb limit, byte-order marks, UTF-16, in bounded memory."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from quivive.inputs.foreign import LONGEST_MAGIC, foreign, unmarked_utf16
from quivive.inputs.unpacking import CHUNK, UnreadableInputError, packing_of, unpacked


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The stream's content as UTF-8 chunks, decompressed and without a byte-order mark.

    Raises UnreadableInputError where what is packed (gzip, bzip2, xz, zstd) is damaged, truncated
    or expands more than 300 times (after the first 64 MiB), and for what is known to be no text:
    another packing, a database.
    """
    raw = _from_magic(_raw(stream))
    first = next(raw, b"")
    packing = packing_of(first)
    if packing is not None:
        raw = _from_magic(unpacked(packing, _chain(first, raw)))
        first = next(raw, b"")
        again = packing_of(first)
        if again is not None:
            twice = "twice" if again is packing else f"and inside it with {again.name}"
            raise UnreadableInputError(
                f"packed with {packing.name} {twice}: unpack it once ({packing.command})"
            )
    other = foreign(first)
    if other is not None:
        raise UnreadableInputError(other)
    if first.startswith(codecs.BOM_UTF8):
        first = first[len(codecs.BOM_UTF8) :]
    elif first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield from _recoded(first, raw, "utf-16")
        return
    elif (unmarked := unmarked_utf16(first)) is not None:
        yield from _recoded(first, raw, unmarked)
        return
    if first:
        yield first
    yield from raw


def _raw(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _from_magic(source: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, the first chunk long enough to tell what they are."""
    first = b""
    for chunk in source:
        first += chunk
        if len(first) >= LONGEST_MAGIC:
            break
    if first:
        yield first
    yield from source


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _recoded(first: bytes, rest: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """In UTF-8; what is not of the encoding becomes a replacement character."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for chunk in _chain(first, rest):
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()
