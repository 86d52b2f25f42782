from typing import Any

import msgspec
import pytest

from quivive.app.recognise import recognise
from quivive.app.registry import sources
from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.ocsf import encode_event
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.ocsf import SOURCE
from tests.golden import raw_files, records


def parsed(**fields: Any) -> AuthEvent:
    base = {"class_uid": 3002, "type_uid": 300201, "time": 1_771_000_000_000, "user": {"name": "a"}}
    record = RawRecord(log="x", sequence=1, line=1, body=b"", fields=base | fields)
    event = SOURCE.parse(record)
    assert isinstance(event, AuthEvent)
    return event


@pytest.mark.parametrize("name", sorted({source for source, _ in raw_files()} & set(sources())))
def test_what_normalize_writes_is_read_back_unchanged(name: str) -> None:
    for path in [path for source, path in raw_files() if source == name]:
        for record in records(path):
            try:
                event = sources()[name].parse(record) if isinstance(record, RawRecord) else None
            except RejectError:
                continue
            if event is None or isinstance(event, Skip):
                continue
            body = encode_event(event)
            written = RawRecord(
                log="normalized",
                sequence=record.sequence,
                line=1,
                body=body,
                fields=msgspec.json.decode(body),
            )
            assert recognise(written) is SOURCE
            assert SOURCE.parse(written) == event, record.position


@pytest.mark.parametrize(
    ("source", "forwarded", "client", "proxies"),
    [
        ("10.0.0.5", ["203.0.113.1"], "203.0.113.1", ("10.0.0.5",)),
        ("10.0.0.5", "203.0.113.1, 10.0.0.5", "203.0.113.1", ("10.0.0.5",)),
        ("10.0.0.5", ["192.168.1.1", "203.0.113.1"], "203.0.113.1", ("10.0.0.5",)),
        ("10.0.0.5", ["192.168.1.1"], "10.0.0.5", None),
        (None, ["192.168.1.1"], "192.168.1.1", None),
        ("198.51.100.9", ["203.0.113.1"], "198.51.100.9", None),
        ("198.51.100.9", None, "198.51.100.9", None),
    ],
)
def test_forwarded_client(
    source: str | None, forwarded: object, client: str, proxies: tuple[str, ...] | None
) -> None:
    event = parsed(src_endpoint={"ip": source}, http_request={"x_forwarded_for": forwarded})
    assert event.src_endpoint
    assert (event.src_endpoint.ip, event.src_endpoint.intermediate_ips) == (client, proxies)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status_id": 0, "status": "Success"}, Status.SUCCESS),
        ({"status": "FAILED"}, Status.FAILURE),
        ({"status_id": "Failure"}, Status.FAILURE),
        ({"status_id": -1}, Status.OTHER),
        ({"status_id": 99, "status": "Failure"}, Status.OTHER),
        ({"status_id": 1, "status": "Failure"}, Status.SUCCESS),
        ({}, Status.UNKNOWN),
    ],
)
def test_status(fields: dict[str, Any], status: Status) -> None:
    assert parsed(**fields).status_id == status


@pytest.mark.parametrize(
    ("fields", "is_mfa"),
    [
        ({"mfa": True}, True),
        ({"is_mfa": False, "mfa": True}, False),
        ({"actor": {"session": {"mfa": True}}}, True),
        ({"auth_factors": [{"factor_type_id": 11}, {"factor_type_id": 7}]}, True),
        ({"auth_factors": [{"factor_type_id": 11}]}, None),
        ({"user": {"name": "a", "has_mfa": True}}, None),
    ],
)
def test_mfa(fields: dict[str, Any], is_mfa: bool | None) -> None:
    assert parsed(**fields).is_mfa is is_mfa


def test_a_user_that_actor_repeats_is_no_actor() -> None:
    assert parsed(actor={"user": {"name": "a"}}).actor is None
    assert parsed(actor={"user": {"name": "b"}}).actor is not None


def test_the_actor_stands_in_for_a_missing_user() -> None:
    event = parsed(user={"name": "-"}, actor={"user": {"uid": "u-1", "type": "Service"}})
    assert (event.user.uid, event.user.type_id) == ("u-1", UserType.SERVICE)
    assert event.actor is None


def test_only_an_absent_time_is_stamped_with_the_reference_time() -> None:
    fields: dict[str, Any] = {"class_uid": 3002, "time": "", "user": {"name": "a"}}
    record = RawRecord(log="x", sequence=1, line=1, body=b"", fields=fields, reference_time=7)
    event = SOURCE.parse(record)
    assert isinstance(event, AuthEvent)
    assert (event.time, event.metadata.original_time) == (7, None)
    fields["time_dt"] = "yesterday"
    with pytest.raises(RejectError, match=r"^time: not a time"):
        SOURCE.parse(record)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "no class_uid: an Authentication object has 3002"),
        ({"class_uid": None}, "no class_uid: an Authentication object has 3002"),
        ({"class_uid": "login"}, "class_uid is no number: an Authentication object has 3002"),
        ({"class_uid": 3002, "user": ["zoe"]}, "user: not an object with a name or uid"),
        ({"class_uid": 3002, "user": 7}, "user: not an object with a name or uid"),
        ({"class_uid": 3002, "user": {}}, "user: neither a name nor an id"),
        ({"class_uid": 3002, "user": None}, "user: neither a name nor an id"),
    ],
)
def test_what_is_missing_is_said(fields: dict[str, Any], said: str) -> None:
    base = {"time": 1_771_000_000_000, "user": {"name": "zoe"}}
    record = RawRecord(log="x", sequence=1, line=1, body=b"", fields=base | fields)
    with pytest.raises(RejectError, match=f"^{said}"):
        SOURCE.parse(record)


def test_a_user_that_is_a_text_is_its_name() -> None:
    assert parsed(user="zoe").user.name == "zoe"
