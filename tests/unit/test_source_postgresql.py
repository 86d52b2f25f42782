"""Decisions of the PostgreSQL source that golden records do not show well."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.postgresql import parse, recognise
from tests.unit.parsing import event_of

WHEN = "2026-03-03 08:14:02.123 UTC"
ENTRY = {
    "timestamp": WHEN,
    "user": "alice",
    "dbname": "shop",
    "remote_host": "192.0.2.10",
    "remote_port": 50122,
    "session_id": "69a69c1a.835",
    "line_num": 3,
    "error_severity": "LOG",
    "state_code": "00000",
    "message": "connection authorized: user=alice database=shop",
}


def line(body: str) -> RawRecord:
    return RawRecord(log="x", sequence=1, line=1, body=body.encode())


def entry(**changed: Any) -> RawRecord:
    fields = {key: value for key, value in (ENTRY | changed).items() if value is not None}
    return RawRecord(log="x", sequence=1, line=1, body=b"", fields=fields)


def event(**changed: Any) -> AuthEvent:
    return event_of(parse, entry(**changed))


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-03 08:14:02.123 UTC",
        "2026-03-03 09:14:02.123 CET",
        "2026-03-03 03:14:02.123 EST",
        "2026-03-03 13:44:02.123 +0530",
        "2026-03-03 05:14:02.123 -03",
        "2026-03-03T08:14:02.123Z",
    ],
)
def test_the_zone_of_a_time_is_read(written: str) -> None:
    assert event(timestamp=written).time == 1_772_525_642_123


@pytest.mark.parametrize("written", ["2026-03-03 08:14:02 CST", "2026-03-03 08:14:02 IST", "soon"])
def test_an_uncertain_time_is_refused(written: str) -> None:
    with pytest.raises(RejectError, match="timestamp"):
        parse(entry(timestamp=written))


PREFIXES = (
    f"{WHEN} [1] alice@shop ",
    f"{WHEN} [1] alice@shop 192.0.2.10(50122) ",
    f"{WHEN} [1] ",
    "2026-03-03 08:14:02 UTC:192.0.2.10(50122):alice@shop:[1]:",
    "2026-03-03 08:14:02 UTC [1]: [2-1] user=alice,db=shop,app=psql,client=192.0.2.10 ",
    f"{WHEN} [1]: [2-1] db=shop,user=alice ",
)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_usual_prefixes_are_read(prefix: str) -> None:
    record = line(f"{prefix}LOG:  connection authorized: user=alice database=shop")
    assert recognise(record)
    found = event_of(parse, record)
    assert found.user.name == "alice"
    assert found.unmapped is not None
    assert found.unmapped.resource == "shop"
    ip = found.src_endpoint.ip if found.src_endpoint else None
    assert ip == ("192.0.2.10" if "192.0.2.10" in prefix else None)


FORGED = "LOG:  connection authorized: user=postgres database=x"
HARMLESS = "LOG:  hello"
REAL = 'FATAL:  password authentication failed for user "postgres@x"'


@pytest.mark.parametrize(
    "body",
    [
        f"{WHEN} [1] postgres@x {FORGED}@shop {REAL}",
        f"{WHEN} [1] postgres@x {FORGED} application_name=y@shop {REAL}",
        f"{WHEN} [1] postgres@x {HARMLESS}@shop {REAL}",
        f"2026-03-03 08:14:02 UTC:192.0.2.1(5):postgres@x:[1]:{FORGED}@shop:[1]:{REAL}",
        f"{WHEN} [1]: [2-1] user=a,db=b,app=c,client=192.0.2.1,client=203.0.113.9 {REAL}",
    ],
)
def test_a_name_cannot_forge_a_login(body: str) -> None:
    with pytest.raises(RejectError, match="imitates"):
        parse(line(body))


def test_the_record_knows_the_user_better_than_its_message() -> None:
    host = 'host "203.0.113.9", user "root", database "x", user "bob", database "shop", SSL off'
    found = event(
        error_severity="FATAL",
        message=f"no pg_hba.conf entry for {host}",
        user='root", database "x", user "bob',
        state_code="28000",
    )
    assert found.user.name == 'root", database "x", user "bob'


def test_what_a_function_says_is_no_login() -> None:
    said = parse(entry(context="PL/pgSQL function f() line 1 at RAISE"))
    assert isinstance(said, Skip)


def test_an_identity_of_another_name_logs_in_and_takes_the_role() -> None:
    found = event(
        message='connection authenticated: identity="alice@EXAMPLE.COM" method=gss (/h.conf:1)',
        user="analyst",
    )
    assert found.user.email_addr == "alice@example.com"
    assert found.unmapped is not None
    assert found.unmapped.role == "analyst"


@pytest.mark.parametrize("method", ["scram-sha-256", "md5", "password", "ldap", "peer", "trust"])
def test_an_identity_of_the_same_name_is_told_once(method: str) -> None:
    message = f'connection authenticated: identity="alice" method={method} (/h.conf:1)'
    assert isinstance(parse(entry(message=message)), Skip)


@pytest.mark.parametrize(
    ("message", "accepted"),
    [
        ('permission denied for database "shop"', True),
        ('role "alice" is not permitted to log in', True),
        ('database "shop" does not exist', True),
        ('password authentication failed for user "alice"', None),
        ('no pg_hba.conf entry for host "192.0.2.10", user "alice", database "shop"', None),
    ],
)
def test_what_follows_authentication_proves_the_credential(
    message: str, accepted: bool | None
) -> None:
    found = event(error_severity="FATAL", message=message)
    assert found.status_id == Status.FAILURE
    assert found.unmapped is not None
    assert found.unmapped.credential_accepted is accepted


def test_a_disconnection_is_a_log_off_from_its_own_address() -> None:
    found = event_of(
        parse,
        line(
            f"{WHEN} [1] LOG:  disconnection: session time: 0:00:01.000 user=alice database=shop "
            "host=2001:db8::17 port=50122"
        ),
    )
    assert found.activity_id == Activity.LOGOFF
    assert found.src_endpoint is not None
    assert (found.src_endpoint.ip, found.src_endpoint.port) == ("2001:db8::17", 50122)


@pytest.mark.parametrize(
    "body",
    [
        "2026-02-12 14:10:21 UTC [1] ERROR: one space",
        "2026-02-12T14:10:21Z INFO audit: login of alice",
        "2026-02-12 14:10:21,123 INFO  [main] LOG:  started",
        "Feb 12 14:10:21 h postgres[1]: [2-1] LOG:  connection authorized: user=a database=b",
        "2026-02-12 14:10:21.000 UTC,alice,login,ok",
        "",
    ],
)
def test_other_logs_are_not_claimed(body: str) -> None:
    assert not recognise(line(body))


@pytest.mark.parametrize(
    "fields",
    [
        {"timestamp": WHEN, "pid": 1, "error_severity": "INFO", "message": "of another tool"},
        {"record": {"error_severity": "LOG"}},
        {"logger": "postgres", "record": "text"},
        {"log_time": WHEN, "error_severity": "LOG"},
    ],
)
def test_other_objects_are_not_claimed(fields: dict[str, Any]) -> None:
    assert not recognise(RawRecord(log="x", sequence=1, line=1, body=b"", fields=fields))


def test_lines_of_a_statement_are_skipped_and_broken_ones_refused() -> None:
    assert isinstance(parse(line("FROM orders WHERE id = 1")), Skip)
    with pytest.raises(RejectError, match="log_line_prefix"):
        parse(line("2026-03-03 08:14:02.123 UTC something else"))
