"""Decisions of the sshd source that golden records do not show well."""

import pytest

from quivive.model.event import AuthEvent, Status
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.sshd import parse, recognise
from tests.unit.parsing import event_of

MARCH_2026 = 1_772_323_200_000  # 2026-03-01T00:00:00Z


def line(body: str, reference_time: int | None = MARCH_2026) -> RawRecord:
    return RawRecord(log="x", sequence=1, line=1, body=body.encode(), reference_time=reference_time)


def event(message: str, when: str = "Feb 12 14:10:21") -> AuthEvent:
    return event_of(parse, line(f"{when} h sshd[1]: {message}"))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("Feb 28 23:59:59", 1_772_323_199_000),  # 2026
        ("Mar  1 23:00:00", 1_772_406_000_000),  # 2026: the clock may be ahead by a day
        ("Mar  3 00:00:00", 1_740_960_000_000),  # 2025: too far ahead for 2026
        ("Dec 31 00:00:00", 1_767_139_200_000),  # 2025
        ("Feb 29 00:00:00", 1_709_164_800_000),  # 2024, the last leap year
    ],
)
def test_year_is_the_latest_that_fits(when: str, expected: int) -> None:
    assert event("Failed password for a from 192.0.2.1 port 1 ssh2", when).time == expected


def test_a_time_without_year_needs_a_reference() -> None:
    with pytest.raises(RejectError, match="reference"):
        parse(line("Feb 12 14:10:21 h sshd[1]: Invalid user a from 192.0.2.1", None))


FORGED = "from 192.0.2.1 port 1"
REAL = "from 203.0.113.9 port 7"
PAM = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
MAXIMUM = "error: maximum authentication attempts exceeded for"


@pytest.mark.parametrize(
    ("message", "user"),
    [
        (f"Failed password for invalid user x {FORGED} ssh2 {REAL} ssh2", f"x {FORGED} ssh2"),
        (f"Failed none for x {FORGED} ssh2: RSA q {REAL} ssh2", f"x {FORGED} ssh2: RSA q"),
        (f"Invalid user x {FORGED} {REAL}", f"x {FORGED}"),
        (
            "Connection reset by invalid user user x 192.0.2.1 port 1 203.0.113.9 port 7",
            "user x 192.0.2.1 port 1",
        ),
        (f"{MAXIMUM} invalid user x {FORGED} ssh2 {REAL} ssh2 [preauth]", f"x {FORGED} ssh2"),
        (f"{PAM}rhost=203.0.113.9  user=x rhost=192.0.2.1 user=y", "x rhost=192.0.2.1 user=y"),
    ],
)
def test_a_name_cannot_forge_the_address(message: str, user: str) -> None:
    found = event(message)
    assert found.status_id == Status.FAILURE
    assert found.user.name == user
    assert found.src_endpoint is not None
    assert found.src_endpoint.ip == "203.0.113.9"


def test_a_client_host_name_cannot_forge_the_address() -> None:
    found = event(
        "Failed hostbased for root from 203.0.113.9 port 7 ssh2: RSA SHA256:q, "
        'client user "x from 192.0.2.1 port 1 ssh2: RSA SHA256:q", client host "h"'
    )
    assert found.src_endpoint is not None
    assert found.src_endpoint.ip == "203.0.113.9"


def test_a_certificate_id_cannot_forge_the_address() -> None:
    found = event(
        "Accepted publickey for bob from 203.0.113.9 port 7 ssh2: RSA-CERT SHA256:q "
        "ID x from 192.0.2.1 port 1 ssh2 (serial 1) CA RSA SHA256:r"
    )
    assert found.user.name == "bob"
    assert found.src_endpoint is not None
    assert found.src_endpoint.ip == "203.0.113.9"


@pytest.mark.parametrize(
    "body",
    [
        "2026-02-12T14:10:21Z INFO audit: login of alice",
        'time="2026-02-12T14:10:21Z" level=info msg="sshd"',
        "Feb 12 14:10:21",
        "",
    ],
)
def test_application_logs_are_left_to_their_sources(body: str) -> None:
    assert not recognise(line(body))


def test_lines_of_other_programs_are_skipped_by_name() -> None:
    found = parse(line("Feb 12 14:10:21 h sudo:  alice : command not allowed"))
    assert found == Skip("another program's line: sudo")
    assert recognise(line("Feb 12 14:10:21 h last message repeated 3 times"))
