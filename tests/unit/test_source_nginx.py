"""Decisions of the nginx source that golden records do not show well."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status
from quivive.model.ocsf import encode_event
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.nginx import parse, recognise
from tests.unit.parsing import event_of, record_of

ENTRY = {
    "time_iso8601": "2026-10-06T08:14:02+00:00",
    "remote_addr": "192.0.2.10",
    "remote_user": "tom",
    "request_method": "GET",
    "request_uri": "/app",
    "status": 200,
    "http_user_agent": "curl/8.14.1",
}
WHEN = "05/Oct/2026:08:14:02 +0000"
CERTIFICATE = {
    "remote_user": "",
    "ssl_client_s_dn": "CN=sync,O=Example",
    "ssl_client_verify": "SUCCESS",
}


def line(body: str) -> RawRecord:
    return RawRecord(log="x", sequence=1, line=1, body=body.encode())


def combined(user: str = "tom", when: str = WHEN, behind: str = "") -> RawRecord:
    return line(f'192.0.2.10 - {user} [{when}] "GET /app HTTP/1.1" 200 5 "-" "curl/8"{behind}')


def event(**changed: Any) -> AuthEvent:
    return event_of(parse, record_of(ENTRY | changed))


def accepted(found: AuthEvent) -> bool | None:
    assert found.unmapped is not None
    return found.unmapped.credential_accepted


@pytest.mark.parametrize(
    "written",
    ["05/Oct/2026:08:14:02 +0000", "05/Oct/2026:10:14:02 +0200", "04/Oct/2026:22:44:02 -0930"],
)
def test_the_zone_of_a_time_is_read(written: str) -> None:
    assert event_of(parse, combined(when=written)).time == 1_791_188_042_000


@pytest.mark.parametrize(
    "written",
    ["05/Okt/2026:08:14:02 +0000", "31/Feb/2026:08:14:02 +0000", "05/Oct/1999:08:14:02 +0000"],
)
def test_a_date_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(RejectError, match="time_local"):
        parse(combined(when=written))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("tom", "tom"),
        ("tom weber", "tom weber"),
        ("- root", "- root"),
        ("10.0.0.1 - root", "10.0.0.1 - root"),
        (f"root [{WHEN}]", f"root [{WHEN}]"),
        (r"root [x] \x22GET / HTTP/1.1\x22 200", 'root [x] "GET / HTTP/1.1" 200'),
        (r"\xD0\xB0\xD0\xBD\xD1\x8F", "аня"),
        (r"bad\xFF", "bad\ufffd"),
    ],
)
def test_a_user_name_cannot_imitate_the_rest_of_a_line(written: str, name: str) -> None:
    found = event_of(parse, combined(user=written))
    assert found.user.name == name
    assert found.src_endpoint is not None
    assert found.src_endpoint.ip == "192.0.2.10"


def test_what_stands_behind_the_format_does_not_replace_it() -> None:
    found = event_of(parse, combined(behind=' remote_user=root status=500 host="git.example.com"'))
    assert (found.user.name, found.status_id) == ("tom", Status.SUCCESS)
    assert found.service is not None
    assert found.service.name == "git.example.com"


def test_a_virtual_host_before_the_format() -> None:
    body = f'git.example.com:443 192.0.2.10 - tom [{WHEN}] "GET / HTTP/1.1" 200 5 "-" "-"'
    found = event_of(parse, line(body))
    assert found.service is not None
    assert found.src_endpoint is not None
    assert (found.user.name, found.service.name, found.src_endpoint.ip) == (
        *("tom", "git.example.com", "192.0.2.10"),
    )


def test_only_a_verified_certificate_proves_the_credential() -> None:
    verified = event(**CERTIFICATE, status=403)
    unverified = event(**(CERTIFICATE | {"ssl_client_verify": None}), status=403)
    assert accepted(verified) is True
    assert accepted(unverified) is None
    assert accepted(event(status=403)) is None


def test_a_refused_certificate_is_a_failure_and_says_why() -> None:
    found = event(**(CERTIFICATE | {"ssl_client_verify": "FAILED:unable to verify"}), status=200)
    assert (found.status_id, found.status_detail) == (Status.FAILURE, "FAILED:unable to verify")
    assert accepted(found) is None


def test_secrets_that_somebody_logs_stay_out() -> None:
    secrets = {
        "http_authorization": "Basic hunter2",
        "http_cookie": "session=hunter2",
        "http_referer": "https://app.example.com/?code=hunter2",
        "request_uri": "/app?token=hunter2",
    }
    assert b"hunter2" not in encode_event(event(**secrets))


@pytest.mark.parametrize(
    "record",
    [
        record_of({"remote_addr": "192.0.2.1", "status": 200, "user": "tom"}),
        record_of({"log": "tom logged in", "stream": "stdout"}),
        record_of({"message": '{"remote_user":"tom"}'}),
        line('time="2026-10-05" msg="GET [x] "'),
        line('Oct  5 08:14:02 web1 sshd[1]: a - b [x] "c"'),
    ],
)
def test_records_of_others_are_left_to_them(record: RawRecord) -> None:
    assert not recognise(record)


def test_a_request_of_nobody_is_skipped() -> None:
    assert isinstance(parse(combined(user="-")), Skip)
