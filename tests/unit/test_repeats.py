"""Records that say again what one before said: the same events, whether remembered or parsed."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import dense
from quivive.app import ingest
from quivive.app.ingest import AT_ONCE, Tally, events
from quivive.app.repeats import LOOKS, Repeats
from quivive.model.event import AuthEvent


class _Never(Repeats):
    def find(self, _body: bytes, _sequence: int) -> AuthEvent | None:
        return None


def both(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[AuthEvent], int]:
    """The events of a log; asserts that they are those of a reader without memory."""
    found: list[Repeats] = []

    class Counted(Repeats):
        def __init__(self) -> None:
            super().__init__()
            self.repeats = 0
            found.append(self)

        def find(self, body: bytes, sequence: int) -> AuthEvent | None:
            like = super().find(body, sequence)
            self.repeats += like is not None
            return like

    monkeypatch.setattr(ingest, "Repeats", Counted)
    remembered, tally = Tally(), Tally()
    with_memory = list(events(str(path), None, remembered, None))
    monkeypatch.setattr(ingest, "Repeats", _Never)
    assert with_memory == list(events(str(path), None, tally, None))
    assert (remembered.events, remembered.rejects) == (tally.events, tally.rejects)
    return with_memory, sum(getattr(one, "repeats", 0) for one in found)


def test_a_dense_log_is_mostly_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cloudtrail.jsonl"
    dense.write(path, services=3, hours=2, every=20.0)
    read, repeats = both(path, monkeypatch)
    assert repeats > 0.6 * len(read)


def record(**changes: object) -> dict[str, object]:
    return {
        "eventTime": "2026-02-03T04:05:06Z",
        "eventName": "GetObject",
        "eventSource": "s3.amazonaws.com",
        "eventID": "e-1",
        "userIdentity": {"type": "IAMUser", "userName": "backup", "accountId": "111122223333"},
        "sourceIPAddress": "192.0.2.7",
    } | changes


_texts = st.sampled_from(["2026-02-03T04:05:07Z", "e-2", "", "-", 'a"b', "é", "not a time"])
_changes = st.dictionaries(
    st.sampled_from(["eventTime", "eventID", "requestID", "awsRegion"]), _texts, max_size=3
)
_inner = st.dictionaries(st.sampled_from(["eventID", "requestID", "eventTime"]), _texts, max_size=2)


@given(st.lists(st.tuples(_changes, st.none() | _inner, st.booleans()), min_size=2, max_size=12))
def test_whatever_stands_in_it_is_read_as_it_would_be_alone(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[tuple[dict[str, str], dict[str, str] | None, bool]],
) -> None:
    lines = []
    for changes, inner, first in drawn:
        made = record(**changes)
        if inner is not None:
            made = {"requestParameters": inner, **made} if first else made | {"extra": inner}
        lines.append(msgspec.json.encode(made))
    path = tmp_path_factory.mktemp("log") / "trail.jsonl"
    path.write_bytes(b"\n".join(lines * 2) + b"\n")
    with pytest.MonkeyPatch.context() as monkeypatch:
        both(path, monkeypatch)


def test_two_sources_in_one_log_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "both.jsonl"
    pod = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "stage": "ResponseComplete",
        "verb": "list",
        "user": {"username": "system:serviceaccount:shop:till"},
        "requestURI": "/api/v1/pods",
        "sourceIPs": ["10.0.0.7"],
        "objectRef": {"resource": "pods"},
        "responseStatus": {"code": 200},
    }
    lines: list[object] = []
    for n in range(48):
        when = f"2026-02-03T04:{n:02}:00Z"
        of_pod = pod | {"auditID": f"a-{n}", "requestReceivedTimestamp": when}
        of_key = record(eventTime=when, eventID=f"e-{n}")
        lines += [of_pod, of_key] if n < 16 else [of_pod, of_pod | {"auditID": f"b-{n}"}, of_key]
    path.write_bytes(b"\n".join(map(msgspec.json.encode, lines)) + b"\n")
    read, repeats = both(path, monkeypatch)
    assert len(read) == len(lines)
    assert repeats > 0


def test_a_log_without_repeats_is_soon_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "trail.jsonl"
    lines = [
        record(sourceIPAddress=f"198.51.100.{n % 250}", n=n) for n in range(LOOKS + 2 * AT_ONCE)
    ]
    path.write_bytes(b"\n".join(map(msgspec.json.encode, lines)) + b"\n")
    repeats = Repeats()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(ingest, "Repeats", lambda: repeats)
        assert len(list(events(str(path), None, Tally(), None))) == LOOKS + 2 * AT_ONCE
    assert not repeats._known
