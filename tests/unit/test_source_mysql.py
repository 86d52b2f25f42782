"""Decisions of the MySQL source that golden records do not show well."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status, UserType
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.mysql import SOURCE
from tests.unit.parsing import event_of, record_of

WHEN = "20260305 09:41:34"


def line(rest: str, when: str = WHEN) -> RawRecord:
    return RawRecord(log="x", sequence=1, line=1, body=f"{when},db1,{rest}".encode())


def enterprise(user: str = "ada", account: str = "ada", **said: Any) -> AuthEvent:
    row = {
        "timestamp": "2026-03-05 09:41:34",
        "class": "connection",
        "event": "connect",
        "connection_id": 4,
        "account": {"user": account, "host": "%"},
        "login": {"user": user, "ip": "192.0.2.4", "proxy": ""},
        "connection_data": {"status": 0} | said,
    }
    return event_of(SOURCE.parse, record_of(row))


def percona(**said: Any) -> AuthEvent:
    row = {"name": "Connect", "timestamp": "2026-03-05T09:41:34 UTC", "user": "ada", "status": 0}
    return event_of(SOURCE.parse, record_of({"audit_record": row | said}))


def test_all_formats_tell_the_same() -> None:
    lined = event_of(SOURCE.parse, line("ada,192.0.2.4,4,0,CONNECT,shop,,0"))
    found = [enterprise(db="shop"), percona(ip="192.0.2.4", db="shop"), lined]
    assert {(e.time, e.status_id, e.is_remote) for e in found} == {
        (1_772_703_694_000, Status.SUCCESS, True)
    }
    assert len({(e.user, e.src_endpoint, e.unmapped) for e in found}) == 1


@pytest.mark.parametrize(
    ("code", "accepted"), [(1045, None), (1698, None), (3955, None), (1049, True), (1862, True)]
)
def test_what_fails_behind_the_password_proves_it(code: int, accepted: bool | None) -> None:
    for found in (enterprise(status=code), percona(status=code)):
        assert (found.status_id, found.status_code) == (Status.FAILURE, str(code))
        assert (found.unmapped.credential_accepted if found.unmapped else None) is accepted


def test_who_works_as_another_account_takes_it_as_a_role() -> None:
    found = enterprise(user="ada@example.com", account="analyst")
    assert found.unmapped is not None
    assert (found.user.email_addr, found.unmapped.role) == ("ada@example.com", "analyst")
    assert enterprise(user="ada", account="", status=1045).unmapped is None


@pytest.mark.parametrize(
    ("way", "remote"), [("ssl", True), ("tcp/ip", True), ("socket", False), ("named_pipe", False)]
)
def test_a_socket_is_not_remote(way: str, remote: bool) -> None:
    assert enterprise(connection_type=way).is_remote is remote


@pytest.mark.parametrize(
    ("host", "ip", "port"),
    [
        ("192.0.2.4", "192.0.2.4", None),
        ("192.0.2.4:50122", "192.0.2.4", 50122),
        ("2001:db8::4", "2001:db8::4", None),
        ("[2001:db8::4]:50122", "2001:db8::4", 50122),
    ],
)
def test_a_host_may_have_its_port(host: str, ip: str, port: int | None) -> None:
    source = event_of(SOURCE.parse, line(f"ada,{host},4,0,CONNECT,,,0")).src_endpoint
    assert source is not None
    assert (source.ip, source.port) == (ip, port)


def test_the_pattern_of_an_account_is_no_host() -> None:
    assert percona(host="10.%").src_endpoint is None
    named = percona(host="app.example.com").src_endpoint
    assert named is not None
    assert named.hostname == "app.example.com"


@pytest.mark.parametrize("when", [WHEN, "1772703694000000"])
def test_both_clocks_of_the_plugin_are_read(when: str) -> None:
    found = event_of(SOURCE.parse, line("ada,192.0.2.4,4,0,CONNECT,,,0", when))
    assert (found.time, found.metadata.original_time) == (1_772_703_694_000, when)


@pytest.mark.parametrize(
    "rest",
    [
        "a,b,192.0.2.4,4,0,FAILED_CONNECT,,,1045",
        "x,192.0.2.9,1,0,CONNECT,,,0,192.0.2.4,4,0,FAILED_CONNECT,,,1045",
        "x,192.0.2.9,1,0,QUERY,192.0.2.4,4,0,FAILED_CONNECT,,,1045",
        "ada,192.0.2.4,four,0,CONNECT,,,0",
        "ada,192.0.2.4,4,0,CONNECT,,,",
    ],
)
def test_a_name_cannot_imitate_the_log(rest: str) -> None:
    record = line(rest)
    assert SOURCE.recognise(record)
    with pytest.raises(RejectError, match=r"^line:"):
        SOURCE.parse(record)


def test_statements_are_skipped_whatever_they_say() -> None:
    said = "'insert into t values (\",FAILED_CONNECT,,,1045\")',0"
    assert isinstance(SOURCE.parse(line(f"ada,192.0.2.4,4,7,QUERY,shop,{said}")), Skip)


def test_an_end_is_a_log_off_whatever_ended_it() -> None:
    found = event_of(SOURCE.parse, line("ada,192.0.2.4,4,0,DISCONNECT,shop,,1159"))
    assert (found.activity_id, found.status_id) == (Activity.LOGOFF, Status.SUCCESS)
    assert found.status_code is None


def test_the_servers_own_users_are_the_system() -> None:
    assert enterprise("mysql.session", "mysql.session").user.type_id == UserType.SYSTEM
    assert enterprise().user.type_id is None


@pytest.mark.parametrize(
    "other",
    [
        {"class": "connection", "event": "connect"},
        {"class": ["connection"], "timestamp": "2026-03-05 09:41:34", "connection_id": 1},
        {"audit_record": "x"},
    ],
)
def test_others_are_not_claimed(other: dict[str, Any]) -> None:
    assert not SOURCE.recognise(record_of(other))


@pytest.mark.parametrize(
    "body", ["20260305 09:41:34,one,two", "2026-03-05 09:41:34 UTC [1] LOG: x"]
)
def test_other_lines_are_not_claimed(body: str) -> None:
    assert not SOURCE.recognise(RawRecord(log="x", sequence=1, line=1, body=body.encode()))
