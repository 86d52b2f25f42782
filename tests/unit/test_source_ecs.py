"""Decisions of the ECS source: shapes of one document, and what it leaves to other sources."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent
from quivive.model.record import Skip
from quivive.sources.ecs import SOURCE
from tests.unit.parsing import event_of, record_of

LOGIN = {
    "@timestamp": "2026-04-01T08:00:00Z",
    "event": {"category": ["authentication"], "type": ["start"], "outcome": "success"},
    "user": {"name": "ada"},
}


def event(**sets: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(LOGIN | sets))


@pytest.mark.parametrize(
    "point",
    [
        {"lat": 52.5, "lon": 13.4},
        "52.5,13.4",
        [13.4, 52.5],
        {"type": "Point", "coordinates": [13.4, 52.5]},
        "POINT (13.4 52.5)",
    ],
)
def test_every_spelling_of_a_geo_point(point: object) -> None:
    found = event(source={"ip": "192.0.2.1", "geo": {"country_iso_code": "DE", "location": point}})
    assert found.src_endpoint is not None
    assert found.src_endpoint.location is not None
    assert (found.src_endpoint.location.lat, found.src_endpoint.location.long) == (52.5, 13.4)


def test_dotted_and_nested_keys_mix() -> None:
    found = event(**{"source": {"ip": "192.0.2.1"}, "source.port": 22, "source.as": {"number": 1}})
    assert found.src_endpoint is not None
    assert found.src_endpoint.autonomous_system is not None
    assert (found.src_endpoint.ip, found.src_endpoint.port) == ("192.0.2.1", 22)


@pytest.mark.parametrize(
    ("document", "ours"),
    [
        (LOGIN, True),
        ({"_index": "logs", "_source": LOGIN}, True),
        ({"@timestamp": "2026-04-01T08:00:00Z", "ecs.version": "8.0.0"}, True),
        (LOGIN | {"winlog": {"event_id": 4624}}, False),
        (LOGIN | {"winlog.event_id": 4624}, False),
        ({"@timestamp": "2026-04-01T08:00:00Z", "level": "info", "event": "login"}, False),
        ({"event": {"category": "authentication"}}, False),
    ],
)
def test_recognised_by_shape(document: dict[str, Any], ours: bool) -> None:
    assert SOURCE.recognise(record_of(document)) is ours


def test_account_management_is_no_login() -> None:
    change = {"category": ["authentication", "iam"], "type": ["user", "change"]}
    assert isinstance(SOURCE.parse(record_of(LOGIN | {"event": change})), Skip)
