"""Opening a log: gzip with a bomb limit, byte-order marks and UTF-16, in bounded memory."""

import codecs
import zlib
from collections.abc import Iterator
from typing import BinaryIO

CHUNK = 1 << 18
EXPANSION_LIMIT = 300
EXPANSION_FREE = 64 << 20


class UnreadableInputError(Exception):
    """The rest of the input cannot be read; what came before it is kept."""


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The stream's content as UTF-8 chunks, decompressed and without a byte-order mark.

    Raises UnreadableInputError where a gzip member is damaged, truncated or expands more than
    300 times (after the first 64 MiB), and where UTF-16 text breaks off.
    """
    raw = _raw(stream)
    first = next(raw, b"")
    if first.startswith(b"\x1f\x8b"):
        raw = _gunzip(first, raw)
        first = next(raw, b"")
    if first.startswith(codecs.BOM_UTF8):
        first = first[len(codecs.BOM_UTF8) :]
    elif first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield from _utf16(first, raw)
        return
    if first:
        yield first
    yield from raw


def _raw(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _gunzip(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    taken = given = 0
    inflate = zlib.decompressobj(wbits=31)
    chunk: bytes | None = first
    while chunk is not None:
        taken += len(chunk)
        while chunk:
            try:
                out = inflate.decompress(chunk, CHUNK)
            except zlib.error as error:
                raise UnreadableInputError(f"damaged gzip data: {error}") from None
            given += len(out)
            if given > EXPANSION_FREE and given > taken * EXPANSION_LIMIT:
                raise UnreadableInputError(
                    f"gzip data expands more than {EXPANSION_LIMIT} times: not read further"
                )
            if out:
                yield out
            if inflate.eof:
                chunk = inflate.unused_data.lstrip(b"\0")
                inflate = zlib.decompressobj(wbits=31)
            else:
                chunk = inflate.unconsumed_tail
        chunk = next(rest, None)
        if chunk is None and taken and not _at_member_start(inflate):
            raise UnreadableInputError("gzip data ends in the middle: file truncated")


def _at_member_start(inflate: "zlib._Decompress") -> bool:
    """Whether this decompressor was made after a finished member and has seen nothing."""
    try:
        probe = inflate.copy()
        probe.decompress(b"\x1f")
        probe.decompress(b"\x8b")
    except zlib.error:
        return False
    return not probe.unconsumed_tail and not inflate.unused_data


def _utf16(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    yield decoder.decode(first).encode()
    for chunk in rest:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()
