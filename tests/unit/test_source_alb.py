"""Decisions of the ALB source that golden records do not show well."""

import pytest

from quivive.model.event import Status
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.alb import parse, recognise
from tests.unit.parsing import event_of

HEAD = "2026-10-05T17:05:15.514108Z 192.0.2.50 36280 443 TLSv1.3 TLS_AES_128_GCM_SHA256 0.036"
VALID = "NotBefore=2026-09-21T22:43:21Z;NotAfter=2027-06-17T22:43:21Z"


def line(body: str) -> RawRecord:
    return RawRecord(log="x", sequence=1, line=1, body=body.encode())


def connection(subject: str, status: str = "Success", tail: str = " TID_1") -> RawRecord:
    return line(f"{HEAD} {subject} {VALID} 0E3A57F1 {status}{tail}")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Success", Status.SUCCESS),
        ("Failed:ClientCertUntrusted", Status.FAILURE),
        ("Failed:SomethingNew", Status.FAILURE),
        ("Failed:UnmappedConnectionError", Status.OTHER),
    ],
)
def test_what_became_of_a_connection(status: str, expected: Status) -> None:
    assert event_of(parse, connection('"CN=till"', status)).status_id == expected


def test_a_subject_cannot_imitate_the_rest_of_a_line() -> None:
    forged = f'"CN=till" {VALID} 0E3A57F1 Success TID_2 x"'
    found = event_of(parse, connection(forged, "Failed:ClientCertUntrusted"))
    assert found.status_id == Status.FAILURE
    assert found.metadata.uid == "TID_1"


def test_fields_of_later_days_are_left_alone() -> None:
    tail = " TID_1 x25519 app/till/1f 192.0.2.99 - new"
    found = event_of(parse, connection('"CN=till"', tail=tail))
    assert found.service is not None
    assert found.service.name == "app/till/1f"


@pytest.mark.parametrize("cut", [60, 100, 150, 180])
def test_a_line_that_breaks_off_is_refused(cut: int) -> None:
    whole = connection('"CN=till,O=Example,OU=Tills"').body.decode()
    with pytest.raises(RejectError, match="line"):
        parse(line(whole[:cut]))


def test_an_older_line_of_the_access_log_has_no_actions() -> None:
    body = (
        "https 2018-07-02T22:23:00.186641Z app/web/50dc6c 192.0.2.1:2817 - -1 -1 -1 503 - 34 366"
        ' "GET https://app.example.com:443/ HTTP/1.1" "curl" - - - "Root=1-58337262"'
    )
    assert isinstance(parse(line(body)), Skip)


@pytest.mark.parametrize(
    "body",
    ["2026-10-05T17:05:15Z 192.0.2.50 login ok", "https 2026-10-05T17:05:15Z web", "", "tls 2.0"],
)
def test_lines_of_others_are_left_to_them(body: str) -> None:
    assert not recognise(line(body))
