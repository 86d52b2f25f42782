"""Bodies of a log that repeats itself: the same answers and lines, with less work."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import dense
from quivive.app import ingest
from quivive.app.ingest import choose
from quivive.server import reading
from quivive.server.context import PARSING
from quivive.server.reading import DAY_MS, read
from quivive.server.repeating import Memories, Memory
from quivive.store.database import Store
from tests.unit.serving import NOW, Served
from tests.unit.test_repeats import record


def ndjson(*records: object) -> bytes:
    return b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in records)


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    path = tmp_path_factory.mktemp("dense") / "cloudtrail.jsonl"
    dense.write(path, services=2, hours=1, every=30.0)
    lines = path.read_bytes().splitlines(keepends=True)[-400:]
    return [b"".join(lines[start : start + 80]) for start in range(0, len(lines), 80)]


def lines_of(state: Path, bodies: list[bytes], query: str = "") -> tuple[list[Any], list[bytes]]:
    served = Served(state)
    try:
        said = [served.ask("POST", f"/v1/events{query}", content=body).json() for body in bodies]
    finally:
        served.close()
    with Store(state) as store:
        return said, [body for _, body in store.history()]


@pytest.mark.parametrize("query", ["", "?source=cloudtrail"])
def test_what_is_remembered_is_judged_as_what_is_parsed(
    bodies: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    parsed = 0
    real = ingest.parse

    def counted(*given: Any) -> Any:
        nonlocal parsed
        parsed += 1
        return real(*given)

    monkeypatch.setattr(ingest, "parse", counted)
    with_memory = lines_of(tmp_path / "with", bodies, query)
    assert parsed < 0.5 * 400
    monkeypatch.setattr(Memory, "find", lambda *_: None)
    parsed = 0
    assert lines_of(tmp_path / "without", bodies, query) == with_memory
    assert parsed == 400


def test_only_what_can_be_judged_as_it_is_comes_from_memory() -> None:
    """Not a record that is dated ahead, has no id or brings characters that no database takes."""
    memory = Memory("cloudtrail")
    source = choose("cloudtrail")
    assert source is not None
    ahead = "2099-01-01T00:00:00Z"
    odd = [
        record(eventID="e-1"),
        record(eventID="e-2"),
        record(eventID="e-3", eventTime=ahead),
        record(eventID="e-4", eventTime="1999-01-01T00:00:00Z"),
        record(eventID=None),
        record(eventID=None),
        record(eventID="e-5", userAgent="a\0b"),
        record(eventID="e-6", userAgent="a\0b"),
        record(eventID="x" * 600),
        record(eventID="e-2"),
        ["no record"],
    ]
    for _ in range(2):
        for chosen in (source, None):
            body = ndjson(*odd)
            found = read(body, chosen, "http:x", NOW, memory=memory)
            plain = read(body, chosen, "http:x", NOW)
            assert found == plain
    assert len(found.rejects) == 4
    assert "\0" not in str(found.events)


def test_what_a_log_is_does_not_follow_from_bodies_before(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    real = reading.recognise

    def recognise(given: Any, last: Any) -> Any:
        asked.append(last)
        return real(given, last)

    monkeypatch.setattr(reading, "recognise", recognise)
    memory = Memory("auto")
    for _ in range(2):
        assert len(read(ndjson(record()), None, "http:x", NOW + DAY_MS, memory=memory).events) == 1
    assert asked == [None, None]


def test_memories_are_few_each_lent_to_one_and_forgotten_when_asked() -> None:
    memories = Memories(PARSING)
    with memories.lent("a") as first, memories.lent("a") as second:
        assert first is not second
    with memories.lent("a") as again:
        assert again in (first, second)
    for name in "bcd":
        with memories.lent(name) as kept:
            pass
    with memories.lent("d") as last:
        assert last is kept
        memories.forget()
    with memories.lent("d") as fresh:
        assert fresh is not last
    with pytest.raises(ValueError, match="x"), memories.lent("e") as lost:
        raise ValueError("x")
    with memories.lent("e") as found:
        assert found is not lost


def test_a_body_that_goes_on_with_a_known_log_asks_only_what_that_log_said() -> None:
    """Otherwise what another log said before would be told as the known one's."""
    memory, okta = Memory("auto"), choose("okta")
    body = ndjson(*(record(eventID=f"e-{number}") for number in range(4)))
    read(body, None, "http:x", NOW, memory=memory)
    found = read(body, None, "kafka:x", NOW, memory=memory, first=okta)
    assert found == read(body, None, "kafka:x", NOW, first=okta)
    assert found.sources == {"cloudtrail": 4}
    assert found.last is choose("cloudtrail")
