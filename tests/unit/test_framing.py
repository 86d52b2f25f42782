"""Any bytes become records and located rejects: chunk by chunk, in bounded memory."""

import codecs
import gzip
import io
import json
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quivive.app.ingest import Tally, events
from quivive.inputs.framing import frame
from quivive.inputs.opening import CHUNK
from quivive.inputs.splitter import CONTAINERS, split
from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord, Reject
from tests.conftest import DATA

MIB = 1 << 20


class Stream(io.BytesIO):
    """A stream that gives at most ``step`` bytes a read, as a pipe or a socket does."""

    def __init__(self, body: bytes, step: int = CHUNK) -> None:
        super().__init__(body)
        self.step = step

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.step if size is None or size < 0 else min(size, self.step))


class Made(io.RawIOBase):
    """A stream made of parts while it is read, so that the test holds no large input."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self.parts = iter(parts)
        self.rest = b""

    def read(self, size: int = -1) -> bytes:
        while not self.rest:
            part = next(self.parts, None)
            if part is None:
                return b""
            self.rest = part
        found, self.rest = self.rest[:size], self.rest[size:]
        return found


def framed(body: bytes, step: int = CHUNK) -> list[RawRecord | Reject]:
    return list(frame(Stream(body, step), "test.log"))


def shown(body: bytes, step: int = CHUNK) -> list[tuple[int, Any]]:
    """Each record's line and content; a reject's reason in angle brackets."""
    found: list[tuple[int, Any]] = []
    for sequence, record in enumerate(framed(body, step), 1):
        assert record.sequence == sequence
        assert record.log == "test.log"
        if isinstance(record, Reject):
            found.append((record.line, f"<{record.reason.partition(':')[0]}>"))
        else:
            content = (
                record.body.decode("utf-8", "replace") if record.fields is None else record.fields
            )
            found.append((record.line, content))
    return found


def test_lines_with_blank_ones_and_carriage_returns() -> None:
    assert shown(b'\n{"a":1}\r\n\r\n  \n{"a":2}') == [(2, {"a": 1}), (5, {"a": 2})]


def test_empty_inputs_hold_nothing() -> None:
    for body in (b"", b"\n \r\n\t", codecs.BOM_UTF8, gzip.compress(b""), b"[]", b'{"value": []}'):
        assert shown(body) == []


@pytest.mark.parametrize("broken", ['{"a":', '{"a":1}}', '{"a" 1}', '{"a":"x', "{]", '{"a":[{}'])
def test_a_broken_line_stops_no_other(broken: str) -> None:
    good = '{"a":1}\n'
    for place in range(3):
        lines = [good] * 3
        lines[place] = broken + "\n"
        found = shown("".join(lines).encode())
        assert [line for line, _ in found] == [1, 2, 3]
        assert [content == {"a": 1} for _, content in found] == [i != place for i in range(3)]


def test_a_truncated_last_line_is_one_reject() -> None:
    assert shown(b'{"a":1}\n{"a":{"b"') == [(1, {"a": 1}), (2, "<broken JSON>")]
    assert shown(b'{"a":{"b"') == [(1, "<record breaks off>")]


def test_text_lines_mixed_with_json_lines() -> None:
    body = b'Feb  3 10:00:00 host sshd[1]: a\n{"a":1}\n[2026-02-03 10:00] b\n[{"a":2},{"a":3}]\n'
    texts = [(1, "Feb  3 10:00:00 host sshd[1]: a"), (2, {"a": 1}), (3, "[2026-02-03 10:00] b")]
    assert shown(body) == [*texts, (4, {"a": 2}), (4, {"a": 3})]


@pytest.mark.parametrize("line", ["[2026-02-03 10:00:00] login", "<34>Oct 11 22:14:15 host su: x"])
def test_text_that_begins_like_json_or_xml_is_text(line: str) -> None:
    assert shown(f"{line}\n{line}".encode()) == [(1, line), (2, line)]


RECORDS = [{"a": 1, "t": 'x"}]{[\\'}, {"a": 2, "list": [{"b": [1, 2]}]}, {"a": 3, "é": "ü"}]


@pytest.mark.parametrize("indent", [None, 0, 1, 4])
@pytest.mark.parametrize("wrap", ["array", "Records", "value", "records", "top", "lines"])
def test_documents(wrap: str, indent: int | None) -> None:
    if wrap in ("top", "lines"):
        between = "\n" if wrap == "top" else "\n\n"
        body = between.join(json.dumps(record, indent=indent) for record in RECORDS)
    elif wrap == "array":
        body = json.dumps(RECORDS, indent=indent)
    else:
        body = json.dumps({"@odata.context": "https://x/[y]", wrap: RECORDS, "n": 1}, indent=indent)
    for step in (1, 7, CHUNK):
        assert [content for _, content in shown(body.encode(), step)] == RECORDS


def test_an_array_and_an_envelope_with_a_record_a_line() -> None:
    for opening, closing in (("[", "]"), ('{"Records": [', "]}"), ('{"value":\n[', "]}")):
        body = opening + "\n" + ",\n".join(map(json.dumps, RECORDS)) + "\n" + closing
        assert [content for _, content in shown(body.encode())] == RECORDS


def test_arrays_of_arrays() -> None:
    assert [content for _, content in shown(b'[[{"a":1}],\n[[{"a":2}], {"a":3}]]')] == [
        {"a": 1},
        {"a": 2},
        {"a": 3},
    ]


def test_lines_of_a_pretty_array_are_right() -> None:
    assert [line for line, _ in shown(json.dumps(RECORDS, indent=2).encode())] == [2, 6, 17]


def test_a_graph_page() -> None:
    page = {"@odata.context": "https://x/$metadata#y", "@odata.nextLink": "z", "value": RECORDS}
    more = {"@odata.count": 3, "@odata.deltaLink": "d"} | page
    for body in (page, more):
        assert [content for _, content in shown(json.dumps(body).encode())] == RECORDS


def test_a_record_with_a_list_of_its_own_is_no_envelope() -> None:
    activity = {"kind": "activity", "id": {"time": "t"}, "events": [{"name": "login"}]}
    numbers = {"name": "x", "value": [1, 2]}
    for record in (activity, numbers):
        for indent in (None, 2):
            body = json.dumps(record, indent=indent).encode()
            assert [content for _, content in shown(body + b"\n" + body)] == [record, record]


PAGES = [
    {"start": 0, "limit": 3, "length": 3, "total": 9, "logs": RECORDS},  # Auth0, with totals
    {"logs": RECORDS},  # and its web hook
    {"authlogs": RECORDS, "metadata": {"next_offset": ["1", "x"], "total_objects": 9}},  # Duo
    {"stat": "OK", "response": {"authlogs": RECORDS, "metadata": {"next_offset": None}}},
    {"pagination": {"next": 2, "count": 9}, "results": RECORDS, "autocomplete": {}},  # authentik
    {"count": 9, "next": "https://x/?page=2", "previous": None, "results": RECORDS},
    {"ok": True, "entries": RECORDS, "response_metadata": {"next_cursor": "x"}},  # Slack
    {"kind": "x", "etag": "y", "items": RECORDS, "nextPageToken": "z"},  # Google
    {"hasMore": True, "nextCursor": None, "total_pages": 3, "pageSize": 9, "entries": RECORDS},
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_page_of_an_api_is_its_records(page: dict[str, Any], indent: int | None) -> None:
    body = json.dumps(page, indent=indent).encode()
    for step in (1, 7, CHUNK):
        assert [content for _, content in shown(body, step)] == RECORDS
    twice = [content for _, content in shown(body + b"\n" + body + b"\n")]
    assert twice == [*RECORDS, *RECORDS]
    assert [content for _, content in shown(b"[" + body + b"]")] == RECORDS
    assert shown(b'{"a":1}\n' + json.dumps(page).encode())[0] == (1, {"a": 1})


@pytest.mark.parametrize(
    "record",
    [
        {"time": "t", "logs": [{"a": 1}]},
        {"user": "x", "results": [{"a": 1}], "count": 1},
        {"metadata": {}, "entries": [{"a": 1}], "actor": {}},
        {"total": 3, "results": ["a", "b"]},
        {"limit": 3, "logs": "text"},
        {"logs": [{"a": 1}, "b"]},
        {"stat": "OK", "response": {"name": "x"}},
        {"stat": "OK", "response": "x"},
        {"response": {"logs": [{"a": 1}]}, "time": "t"},
        {"authlogs": [{"a": 1}], "id": 7},
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_record_that_is_no_page_stays_whole(record: dict[str, Any], indent: int | None) -> None:
    body = json.dumps(record, indent=indent).encode()
    for step in (1, CHUNK):
        assert [content for _, content in shown(body + b"\n" + body, step)] == [record, record]


def test_an_empty_page_among_others_is_none() -> None:
    pages = [{"logs": RECORDS}, {"logs": []}, {"logs": RECORDS, "total": 0}]
    body = b"\n".join(json.dumps(page).encode() for page in pages)
    assert [content for _, content in shown(body)] == [*RECORDS, *RECORDS]


def test_what_follows_the_records_in_an_envelope_is_no_record() -> None:
    body = {"Records": RECORDS, "meta": {"a": {"b": [{"c": 1}]}}, "also": [{"d": 1}]}
    assert [content for _, content in shown(json.dumps(body, indent=1).encode())] == RECORDS


@pytest.mark.parametrize(
    "broken", ['{"a":9', '{"a":[9}', '{"a":9]}', '{"a":9}}', '{"a":"9}', '{"a":}']
)
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"Records":[', "]}")])
def test_a_broken_record_stops_no_other(opening: str, closing: str, broken: str) -> None:
    body = f'{opening}\n{{"a":1}},\n{broken},\n{{"a":2}},\n{{"a":3}}\n{closing}'
    found = shown(body.encode())
    for good in ((2, {"a": 1}), (4, {"a": 2}), (5, {"a": 3})):
        assert good in found
    rest = [item for item in found if item[0] == 3]
    assert rest in ([(3, "<broken JSON>")], [(3, {"a": 9})])  # a brace too many loses nothing


def test_a_broken_record_of_a_pretty_array() -> None:
    lines = json.dumps([{"a": {"n": n}} for n in range(4)], indent=2).splitlines()
    del lines[9]  # a closing brace of the second record
    found = shown("\n".join(lines).encode())
    assert [content for _, content in found] == [
        {"a": {"n": 0}},
        "<broken JSON>",
        {"a": {"n": 2}},
        {"a": {"n": 3}},
    ]


def test_a_broken_record_of_an_envelope_on_one_line() -> None:
    found = shown(b'{"Records":[{"a":1},{"a" 2},{"a":3},{"a":')
    assert found == [(1, {"a": 1}), (1, "<broken JSON>"), (1, {"a": 3}), (1, "<record breaks off>")]


def test_no_records_at_all_is_told() -> None:
    assert shown(b"[[1, 2]]") == [(1, "<no JSON object in it>")]
    assert shown(b"[1, 2]") == [(1, "[1, 2]")]
    assert shown(b'{"value": [1]}') == [(1, {"value": [1]})]
    assert shown(b'\n"text"\n7') == [(2, '"text"'), (3, "7")]


@pytest.mark.parametrize("depth", [100_000, 900])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}"), ('{"value":[', "]}")])
def test_deep_nesting(brackets: tuple[str, str], depth: int) -> None:
    deep = brackets[0] * depth + "{}" + brackets[1] * depth
    for body in (f'{{"a":1}}\n{deep}\n{{"a":2}}', f'[{{"a":1}},\n{deep},\n{{"a":2}}]', deep):
        found = [content for _, content in shown(body.encode())]
        if body != deep:
            assert found[0] == {"a": 1}
            assert found[-1] == {"a": 2}


def test_invalid_utf8_costs_no_record() -> None:
    found = shown(b'{"a":1}\n{"a":"\xff\xfe"}\n{"a":2}\nte\xc3xt')[:3]
    assert found == [(1, {"a": 1}), (2, {"a": "��"}), (3, {"a": 2})]


def test_nul_bytes() -> None:
    body = b'{"a":1}\n{"a":"\0"}\n\0\0\0\n{"a":2}\n'
    assert shown(body) == [(1, {"a": 1}), (2, "<broken JSON>"), (3, "\0\0\0"), (4, {"a": 2})]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_byte_order_marks(encoding: str) -> None:
    text = '{"a":"é€𝄞"}\n{"a":2}'
    body = text.encode(encoding)
    if encoding == "utf-16-be":
        body = codecs.BOM_UTF16_BE + body
    for step in (1, 3, CHUNK):
        assert shown(body, step) == [(1, {"a": "é€𝄞"}), (2, {"a": 2})]
        assert shown(gzip.compress(body), step) == [(1, {"a": "é€𝄞"}), (2, {"a": 2})]


CSV = (
    "time,user,note\n"
    '1,ann,"two\nlines, ""quoted"""\n'
    '2,ben,"{""a"": [1, {}]}"\n'
    "3,cy\n"
    "4,dan,x,y\n"
    "\n"
    "5,eve,\n"
)


def test_csv() -> None:
    expected = [
        (2, {"time": "1", "user": "ann", "note": 'two\nlines, "quoted"'}),
        (4, {"time": "2", "user": "ben", "note": '{"a": [1, {}]}'}),
        (5, "<2 columns, the header has 3>"),
        (6, "<4 columns, the header has 3>"),
        (8, {"time": "5", "user": "eve", "note": ""}),
    ]
    for step in (1, CHUNK):
        assert shown(CSV.encode(), step) == expected
    windows = [(line, record) for line, record in shown(CSV.replace("\n", "\r\n").encode())]
    assert windows[1:] == expected[1:]
    assert shown(CSV.replace(",", ";").encode())[1][1] == {
        "time": "2",
        "user": "ben",
        "note": '{"a": [1; {}]}',
    }


def test_a_stray_quote_costs_its_own_row() -> None:
    found = shown(b'a,b,c\n1,"x,3\n' + b"4,5,6\n" * 1000)
    assert found[0][0] == 2
    assert str(found[0][1]).startswith("<")
    assert found[1:] == [(n, {"a": "4", "b": "5", "c": "6"}) for n in range(3, 1003)]


XML = """<?xml version="1.0" encoding="utf-8"?>
<Events>
<Event xmlns='x'><Data>1</Data></Event>
  <Event>
    <Data>2</Data>
  </Event><Event a="b"><EventData/>3</Event >
</Events>
"""


def test_xml() -> None:
    expected = [
        (3, "<Event xmlns='x'><Data>1</Data></Event>"),
        (4, "<Event>\n    <Data>2</Data>\n  </Event>"),
        (6, '<Event a="b"><EventData/>3</Event >'),
    ]
    for step in (1, 5, 17, CHUNK):
        assert shown(XML.encode(), step) == expected
    assert shown(("- " + XML[XML.index("<Event ") :]).encode())[0] == (1, expected[0][1])
    assert shown(XML.encode("utf-16")) == expected


def test_damaged_xml() -> None:
    body = b"<Event>1</Event>\n<Event>2\n<Event>3</Event>\n</Event>\n<Event>4"
    assert shown(body) == [
        (1, "<Event>1</Event>"),
        (2, "<event breaks off>"),
        (3, "<Event>3</Event>"),
        (5, "<event breaks off>"),
    ]
    assert shown(b"<html>\n</html>") == [(1, "<markup without an <Event>>")]


LINES = b"".join(b'{"a":%d}\n' % n for n in range(50_000))


def test_gzip_with_many_members_and_padding() -> None:
    third = len(LINES) // 3
    members = [gzip.compress(LINES[:third]), gzip.compress(LINES[third:]), gzip.compress(b"")]
    for step in (1000, CHUNK):
        assert len(framed(b"".join(members) + bytes(512), step)) == 50_000


@pytest.mark.parametrize("step", [100, CHUNK])
def test_damaged_gzip_gives_what_comes_before_the_damage(step: int) -> None:
    packed = gzip.compress(LINES)
    flipped = bytearray(packed)
    flipped[-6] ^= 0xFF  # the checksum
    cases = {
        "gzip data ends in the middle": packed[: len(packed) // 2],
        "damaged gzip data": packed[: len(packed) // 2] + packed[::-1],
        "incorrect data check": bytes(flipped),
    }
    for reason, body in cases.items():
        *records, last = framed(body, step)
        assert isinstance(last, Reject)
        assert reason in last.reason
        assert len(records) > 20_000
        assert all(isinstance(record, RawRecord) for record in records[:20_000])
        assert last.line >= len(records)


def test_a_truncated_gzip_envelope_keeps_its_records() -> None:
    packed = gzip.compress(json.dumps({"Records": [{"n": n} for n in range(1000)]}).encode())
    found = framed(packed[: len(packed) // 2])
    assert sum(isinstance(record, RawRecord) for record in found) > 200
    assert "ends in the middle" in found[-1].reason  # type: ignore[union-attr]


def peak(stream: Any) -> tuple[int, list[tuple[int, Any]]]:
    """The most memory held while framing, and the outcomes (but of no large body)."""
    tracemalloc.start()
    found = []
    for record in frame(stream, "x"):
        content = record.reason if isinstance(record, Reject) else record.fields or record.body
        found.append((record.line, content))
        del record
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most, found


def huge(begin: bytes, end: bytes, mebibytes: int = 50, part: bytes = b"x") -> Iterator[bytes]:
    yield begin
    for _ in range(mebibytes):
        yield part * (MIB // len(part))
    yield end


def test_a_gzip_bomb_is_not_read_on() -> None:
    pack = zlib.compressobj(9, wbits=31)
    million = bytes(MIB)
    body = b"".join([pack.compress(b'{"a":1}\n'), *(pack.compress(million) for _ in range(400))])
    most, found = peak(Stream(body + pack.flush()))
    assert found[0] == (1, {"a": 1})
    assert "expands more than 300 times" in found[-1][1]
    assert most < 64 * MIB


TOO_LARGE = "record over 8 MiB"


@pytest.mark.parametrize("part", [b"x", b'{"[', b"[[[[", b"}"])
def test_a_huge_line_among_others(part: bytes) -> None:
    most, found = peak(Made(huge(b'{"a":1}\n{"a":"', b'"}\n{"a":2}\n', part=part)))
    assert found == [(1, {"a": 1}), (2, TOO_LARGE), (3, {"a": 2})]
    assert most < 64 * MIB


def test_a_huge_first_line() -> None:
    most, found = peak(Made(huge(b'{"a":"', b'"}\n{"a":2}\n')))
    assert found == [(1, TOO_LARGE), (2, {"a": 2})]
    assert most < 64 * MIB


@pytest.mark.parametrize("part", [b"x", b"}]{[ ", b"\\\\\\" + b'"'])
@pytest.mark.parametrize("opening", [b"[", b'{"Records":[', b'{"a":"b",\n  "value" : [ '])
def test_a_huge_record_in_a_document(opening: bytes, part: bytes) -> None:
    closing = b'"},{"a":2}]' + (b"}" if opening.startswith(b"{") else b"")
    most, found = peak(Made(huge(opening + b'{"a":1},{"a":"', closing, part=part)))
    assert [content for _, content in found] == [{"a": 1}, TOO_LARGE, {"a": 2}]
    assert most < 80 * MIB


def test_a_huge_record_of_many_parts_in_a_document() -> None:
    part = b'["%s"],\n' % (b"x" * 121)
    most, found = peak(Made(huge(b'[{"a":1},\n{"a":', b'0},\n{"a":2}]', 12, part)))
    assert [content for _, content in found] == [{"a": 1}, TOO_LARGE, {"a": 2}]
    assert found[-1][0] == 3 + 12 * (MIB // len(part))
    assert most < 80 * MIB


@pytest.mark.parametrize(
    ("opening", "pretty"),
    [('{"Records": [', True), ('{"Records": [', False), ('{"total": 9, "logs": [', True)],
)
def test_an_envelope_larger_than_a_record_may_be(opening: str, pretty: bool) -> None:
    def parts() -> Iterator[bytes]:
        yield opening.encode() + b"\n" * pretty
        for n in range(12 * 1024):
            comma = (b",\n" if pretty else b",") if n else b""
            yield b'%s{"n":%d,"t":"%s"}' % (comma, n, b"x" * 1000)
        yield b"]}"

    stream = Made(parts())
    tracemalloc.start()
    count = 0
    for record in frame(stream, "x"):  # type: ignore[arg-type]
        assert isinstance(record, RawRecord)
        assert record.fields
        assert record.fields["n"] == count
        assert record.line == (count + 2 if pretty else 1)
        count += 1
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 12 * 1024
    assert most < 80 * MIB


def test_a_huge_event_and_a_huge_cell() -> None:
    most, found = peak(Made(huge(b"<Event>1</Event>\n<Event>", b"</Event>\n<Event>2</Event>")))
    assert found == [(1, b"<Event>1</Event>"), (2, TOO_LARGE), (3, b"<Event>2</Event>")]
    assert most < 64 * MIB
    most, found = peak(Made(huge(b"a,b,c\n1,2,3\n1,2,", b"\n4,5,6\n")))
    rows = [(2, {"a": "1", "b": "2", "c": "3"}), (4, {"a": "4", "b": "5", "c": "6"})]
    assert found == [rows[0], (3, TOO_LARGE), rows[1]]
    assert most < 64 * MIB


parts_of_json = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", '"', ",", ":", "\n", "\\", " ", '"a":', "1", '{"a":1}', '{"Records":[',
         '\n{"b":', '"value" : [', '{"logs":[',
         '"total":1', "\n  {", "é", "\r\n", '"id":2,', '"\\"{"']
    ),
    max_size=40,
).map("".join)  # fmt: skip


@settings(max_examples=400)
@given(text=parts_of_json, cuts=st.lists(st.integers(1, 12), max_size=40), limit=st.integers(4, 60))
def test_pieces_do_not_depend_on_the_chunks(text: str, cuts: list[int], limit: int) -> None:
    body = text.encode()

    def pieces(chunks: Iterable[bytes]) -> list[tuple[bytes | None, int, bool]]:
        return [(piece.body, piece.line, piece.complete) for piece in split(chunks, limit)]

    chunks, at = [], 0
    for cut in cuts:
        chunks.append(body[at : at + cut])
        at += cut
    chunks.append(body[at:])
    whole = pieces([body])
    assert pieces(chunks) == whole
    assert pieces(body[i : i + 1] for i in range(len(body))) == whole


@settings(max_examples=300)
@given(
    body=st.one_of(
        parts_of_json.map(str.encode),
        st.lists(st.sampled_from(list(CSV) + list(XML) + RECORDS), max_size=60).map(
            lambda parts: "".join(map(str, parts)).encode()
        ),
        st.binary(max_size=200),
    ),
    step=st.integers(1, 9),
)
def test_records_do_not_depend_on_the_chunks(body: bytes, step: int) -> None:
    assert framed(body, step) == framed(body)


records_of_json = st.lists(
    st.dictionaries(
        st.text(max_size=5).filter(lambda key: key not in CONTAINERS),
        st.recursive(
            st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=6,
        ),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


@settings(max_examples=300)
@given(
    records=records_of_json,
    indent=st.sampled_from([None, 0, 2]),
    wrap=st.sampled_from([None, "Records", "value", "logs", "results"]),
    ascii_only=st.booleans(),
    step=st.integers(1, 200),
)
def test_whatever_json_writes_is_read(
    records: list[dict[str, Any]], indent: int | None, wrap: str | None, ascii_only: bool, step: int
) -> None:
    document: Any = records if wrap is None else {"next": None, wrap: records}
    body = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    found = framed(body, step)
    assert [record.fields for record in found if isinstance(record, RawRecord)] == records
    assert len(found) == len(records)


@pytest.mark.parametrize(
    ("path", "name"),
    [("auth0/raw/management.json", "logs"), ("duo/raw/v2.json", "authlogs"),
     ("authentik/raw/events.jsonl", "results")],
)  # fmt: skip
def test_pages_of_an_api_are_recognised_and_read(path: str, name: str, tmp_path: Path) -> None:
    log = DATA / "sources" / path
    whole = log.read_bytes()
    lines = [whole] if path.endswith(".json") else whole.splitlines()
    records = json.loads(whole) if len(lines) == 1 else [json.loads(line) for line in lines]
    paged = tmp_path / "page.json"
    paged.write_text(json.dumps({"total": len(records), name: records}))

    def read(file: Path) -> list[AuthEvent]:
        tally = Tally()
        return list(events(str(file), None, tally, None, name="x"))

    assert read(paged) == read(log) != []
