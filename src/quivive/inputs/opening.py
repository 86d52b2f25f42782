"""Opening a log: gzip with a bomb limit, byte-order marks and UTF-16, in bounded memory."""

import codecs
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from quivive.inputs.foreign import LONGEST_MAGIC, foreign, unmarked_utf16

CHUNK = 1 << 18
GZIP = b"\x1f\x8b"
EXPANSION_LIMIT = 300
EXPANSION_FREE = 64 << 20


class UnreadableInputError(Exception):
    """The rest of the input cannot be read; what came before it is kept."""


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The stream's content as UTF-8 chunks, decompressed and without a byte-order mark.

    Raises UnreadableInputError where a gzip member is damaged, truncated or expands more than
    300 times (after the first 64 MiB), and for what is known to be no text: another packing, a
    database.
    """
    raw = _from_magic(_raw(stream))
    first = next(raw, b"")
    if first.startswith(GZIP):
        raw = _from_magic(_gunzip(first, raw))
        first = next(raw, b"")
        if first.startswith(GZIP):
            raise UnreadableInputError("packed with gzip twice: unpack it once (gzip -d)")
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


def _gunzip(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Every member's content; zeros after a member are padding."""
    taken = given = 0
    inflate: zlib._Decompress | None = None
    for chunk in _chain(first, rest):
        taken += len(chunk)
        pending = chunk
        while pending:
            if inflate is None:
                pending = pending.lstrip(b"\0")
                if not pending:
                    break
                inflate = zlib.decompressobj(wbits=31)
            before = inflate.copy()
            try:
                out = inflate.decompress(pending, CHUNK)
            except zlib.error as error:
                yield _until_damage(before, pending)
                raise UnreadableInputError(f"damaged gzip data: {error}") from None
            given += len(out)
            if given > EXPANSION_FREE and given > taken * EXPANSION_LIMIT:
                raise UnreadableInputError(
                    f"gzip data expands more than {EXPANSION_LIMIT} times: not read further"
                )
            if out:
                yield out
            if inflate.eof:
                pending, inflate = inflate.unused_data, None
            else:
                pending = inflate.unconsumed_tail
    if inflate is not None:
        raise UnreadableInputError("gzip data ends in the middle: file truncated")


def _until_damage(inflate: "zlib._Decompress", pending: bytes) -> bytes:
    """What still comes out byte by byte: zlib gives nothing of a call that fails."""
    found = bytearray()
    for value in pending:
        try:
            found += inflate.decompress(bytes((value,)))
        except zlib.error:
            break
    return bytes(found)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _recoded(first: bytes, rest: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """In UTF-8; what is not of the encoding becomes a replacement character."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for chunk in _chain(first, rest):
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()
