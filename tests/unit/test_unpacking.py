"""Logs packed with gzip, bzip2, xz and zstd: read as a stream, to where they break off."""

import bz2
import gzip
import io
import lzma
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quivive.inputs.framing import frame
from quivive.inputs.unpacking import CHUNK, MOST_WINDOW, packing_of
from quivive.model.record import RawRecord, Reject

MIB = 1 << 20


def zstd(body: bytes) -> bytes:
    packed: bytes = pyarrow.compress(body, "zstd", asbytes=True)
    return packed


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
}
MAGIC = {"gzip": 2, "bzip2": 10, "xz": 6, "zstd": 4}
# Lines that do not pack well, so that the packed log is longer than what is read at a time.
LINES = [b'{"n":%d,"m":%d}' % (n, pow(7, n, 2**61 - 1)) for n in range(12_000)]
BODY = b"\n".join(LINES) + b"\n"
PACKED = {name: pack(BODY) for name, pack in PACK.items()}
PARTS = {
    name: b"".join(
        pack(b"\n".join(LINES[at : at + 2000]) + b"\n") for at in range(0, len(LINES), 2000)
    )
    for name, pack in PACK.items()
}


class Stream(io.BytesIO):
    """A stream that gives at most ``step`` bytes a read."""

    def __init__(self, body: bytes, step: int) -> None:
        super().__init__(body)
        self.step = step

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.step if size is None or size < 0 else min(size, self.step))


def framed(body: bytes, step: int = CHUNK) -> tuple[list[bytes], list[Reject]]:
    """The records' bytes, and the rejects."""
    found = list(frame(Stream(body, step), "x"))
    assert [record.sequence for record in found] == list(range(1, len(found) + 1))
    records = [record.body for record in found if isinstance(record, RawRecord)]
    return records, [record for record in found if isinstance(record, Reject)]


@pytest.mark.parametrize("name", PACK)
def test_a_packing_is_known_by_how_it_begins(name: str) -> None:
    found = packing_of(PACKED[name][:16])
    assert found is not None
    assert found.name == name
    assert packing_of(BODY[:16]) is None


@pytest.mark.parametrize("step", [1000, CHUNK])
@pytest.mark.parametrize("name", PACK)
def test_a_packed_log_is_the_log(name: str, step: int) -> None:
    assert framed(PACKED[name], step) == (LINES, [])
    assert framed(PARTS[name], step) == (LINES, [])
    assert framed(PACK[name](b"")) == ([], [])


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz"])
def test_zeros_between_the_parts_are_padding(name: str) -> None:
    part = PACK[name](LINES[0] + b"\n")
    assert framed(part + bytes(512) + part + bytes(40_000)) == ([LINES[0]] * 2, [])


@pytest.mark.parametrize("name", PACK)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_log_that_is_cut_gives_all_that_is_whole(name: str, data: st.DataObject) -> None:
    packed = data.draw(st.sampled_from([PACKED[name], PARTS[name]]))
    cut = data.draw(st.integers(MAGIC[name] + 1, len(packed) - 1))
    records, rejects = framed(packed[:cut], data.draw(st.sampled_from([777, CHUNK])))
    # What broke off in the middle of a line is a reject of its own.
    assert records == LINES[: len(records)]
    if packed is PARTS[name]:
        ends, end = [], 0
        for at in range(0, len(LINES), 2000):
            end += len(PACK[name](b"\n".join(LINES[at : at + 2000]) + b"\n"))
            ends.append(end)
        assert len(records) >= 2000 * sum(end <= cut for end in ends)
        if cut in ends:
            assert not rejects
            return
    assert rejects[-1].reason == f"{name} data ends in the middle: file truncated"
    assert rejects[-1].line in (len(records) + 1, len(records) + 2)
    assert len(rejects) <= 2


@pytest.mark.parametrize(("name", "most"), [("gzip", 2000), ("xz", 2000), ("zstd", 160_000)])
def test_a_cut_loses_no_more_than_what_is_packed_together(name: str, most: int) -> None:
    """Compared with where in the log the cut is; bzip2 packs 900 kB together."""
    for tenths in range(1, 10):
        records, _ = framed(PACKED[name][: len(PACKED[name]) * tenths // 10])
        assert len(b"\n".join(records)) > len(BODY) * tenths // 10 - most - len(BODY) // 50


@pytest.mark.parametrize("name", PACK)
def test_damage_gives_what_comes_before_it_and_one_reject(name: str) -> None:
    three = b"".join(PACK[name](b"\n".join(LINES[n : n + 2000]) + b"\n") for n in (0, 2000, 4000))
    at = len(three) + (0 if name == "zstd" else 5000)  # pyarrow's frames have no checksum
    records, rejects = framed(PARTS[name][:at] + b"\xa5" * 64 + PARTS[name][at + 64 :])
    assert len(records) >= 6_000
    assert records[:6_000] == LINES[:6_000]
    assert f"damaged {name} data: " in rejects[-1].reason
    records, rejects = framed(PACKED[name] + b"no part of it")
    assert records == LINES
    assert [x.line for x in rejects] == [len(LINES) + 1]
    assert f"damaged {name} data: " in rejects[0].reason


@pytest.mark.parametrize("name", PACK)
@settings(max_examples=80, deadline=None)
@given(rubbish=st.binary(max_size=200), kept=st.integers(0, 40), step=st.sampled_from([1, CHUNK]))
def test_any_bytes_behind_the_magic_are_told_and_no_more(
    name: str, rubbish: bytes, kept: int, step: int
) -> None:
    start = PACK[name](BODY[:500])[: MAGIC[name] + kept]
    records, rejects = framed(start + rubbish, step)
    assert records == LINES[: len(records)] or len(records) + len(rejects) < 40
    assert not rejects or name in rejects[-1].reason


def bomb(name: str) -> Iterator[bytes]:
    """80 MiB of one line, by and by."""
    block = (b"a" * 1023 + b"\n") * 1024
    if name == "zstd":
        yield PACK[name](block * 80)
        return
    if name == "gzip":
        packer = zlib.compressobj(wbits=31)
    else:
        packer = {"bzip2": bz2.BZ2Compressor, "xz": lzma.LZMACompressor}[name]()
    for _ in range(80):
        yield packer.compress(block)
    yield packer.flush()


@pytest.mark.parametrize("name", PACK)
def test_a_bomb_is_not_read_on(name: str) -> None:
    packed = b"".join(bomb(name))
    tracemalloc.start()
    count, last = 0, None
    for record in frame(io.BytesIO(packed), "x"):
        count, last = count + 1, record
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(last, Reject)
    assert last.reason == f"{name} data expands more than 300 times: not read further"
    assert 63 * 1024 < count < 66 * 1024
    assert most < 16 * MIB


def test_a_window_larger_than_is_given_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 20}]
    packed = bytearray(lzma.compress(LINES[0], filters=filters))
    assert framed(bytes(packed)) == ([LINES[0]], [])
    header = packed[12:20]  # of the block, 8 bytes and their checksum
    assert header[4] == 16  # 1 MiB
    header[4] = 32  # 256 MiB
    packed[12:24] = header + zlib.crc32(header).to_bytes(4, "little")
    assert MOST_WINDOW < 256 * MIB
    records, rejects = framed(bytes(packed))
    assert records == []
    assert [x.reason for x in rejects] == ["damaged xz data: Memory usage limit exceeded"]


def test_without_pyarrow_zstd_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    records, rejects = framed(PACKED["zstd"])
    assert records == []
    assert [x.reason for x in rejects] == [
        "packed with zstd: unpack it first (zstd -d), or install quivive[analytics]"
    ]


def test_a_zstd_frame_to_be_skipped_comes_first() -> None:
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    assert framed(skipped + PACKED["zstd"]) == (LINES, [])
