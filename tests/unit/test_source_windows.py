"""Decisions of the windows source that golden records do not show well."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.record import RawRecord, RejectError
from quivive.sources.windows import parse
from tests.unit.parsing import event_of, record_of

DOMAIN_SID = "S-1-5-21-1-2-3-"


def event(event_id: int, **data: Any) -> AuthEvent:
    fields = {"EventID": event_id, "EventTime": "2026-02-12T14:10:21Z", "Channel": "Security"}
    return event_of(parse, record_of({**fields, **data}))


@pytest.mark.parametrize(
    ("name", "sid", "expected"),
    [
        ("alice", DOMAIN_SID + "1104", UserType.USER),
        ("Administrateur", DOMAIN_SID + "500", UserType.ADMIN),
        ("Administrator", None, UserType.ADMIN),
        ("Gast", DOMAIN_SID + "501", UserType.OTHER),
        ("krbtgt", DOMAIN_SID + "502", UserType.SYSTEM),
        ("WS7$", DOMAIN_SID + "1110", UserType.SYSTEM),
        ("SYSTEM", "S-1-5-18", UserType.SYSTEM),
        ("SYSTEM", None, UserType.USER),  # a stranger's guess of a name, not the account
        ("UMFD-0", "S-1-5-96-0-0", UserType.SYSTEM),
        ("DefaultAppPool", "S-1-5-82-1", UserType.SERVICE),
    ],
)
def test_kind_of_account(name: str, sid: str | None, expected: UserType) -> None:
    found = event(4625, TargetUserName=name, TargetUserSid=sid, Status="0xC000006D")
    assert found.user.type_id == expected


@pytest.mark.parametrize("written", ["0xC000006A", "0xc000006a", -1073741718, "-1073741718"])
def test_status_codes_in_any_spelling(written: str | int) -> None:
    found = event(4625, TargetUserName="alice", Status="0xc000006d", SubStatus=written)
    assert (found.status_code, found.status_detail) == ("0xC000006A", "wrong password")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("AUDIT_SUCCESS", Status.SUCCESS), ("AUDIT_FAILURE", Status.FAILURE), (None, Status.UNKNOWN)],
)
def test_password_events_state_their_outcome_in_keywords(
    outcome: str | None, expected: Status
) -> None:
    assert event(4724, TargetUserName="alice", EventType=outcome).status_id == expected


def test_xml_that_declares_entities_is_refused() -> None:
    body = b'<Event><!DOCTYPE a [<!ENTITY b "c">]><System/></Event>'
    with pytest.raises(RejectError, match="no plain"):
        parse(RawRecord(log="x", sequence=1, line=1, body=body))
    with pytest.raises(RejectError):
        parse(RawRecord(log="x", sequence=1, line=1, body=body.decode().encode("utf-16")))
