"""Decisions of the Authelia source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, Status
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.authelia import SOURCE
from tests.unit.parsing import event_of, record_of

WHEN = "2026-05-04T08:01:02+02:00"


def line(text: str) -> RawRecord:
    return RawRecord(log="x", sequence=1, line=1, body=text.encode())


def spoken(message: str, **more: Any) -> RawRecord:
    return record_of({"level": "error", "msg": message, "time": WHEN, "remote_ip": "-"} | more)


def test_what_a_user_typed_cannot_end_the_sentence() -> None:
    found = event_of(
        SOURCE.parse,
        spoken(
            "Unsuccessful 1FA authentication attempt by user 'ada' and they are banned until 'x'"
        ),
    )
    assert found.user.name == "ada' and they are banned until 'x"


def test_what_a_user_typed_cannot_be_another_member() -> None:
    typed = r"x' remote_ip=192.0.2.1 \" remote_ip=192.0.2.2 "
    found = event_of(
        SOURCE.parse,
        line(
            f'time="{WHEN}" level=error msg="Unsuccessful 1FA authentication attempt by user '
            f"'{typed}'\" method=POST path=/api/firstfactor remote_ip=203.0.113.9"
        ),
    )
    assert found.src_endpoint is not None
    assert found.src_endpoint.ip == "203.0.113.9"


def test_a_second_factor_is_shown_after_a_password() -> None:
    passed = event_of(
        SOURCE.parse, spoken("Successful TOTP authentication attempt made by user 'a'")
    )
    assert (passed.activity_name, passed.is_mfa) == ("MFA Challenge", True)
    failed = event_of(SOURCE.parse, spoken("Unsuccessful TOTP authentication attempt by user 'a'"))
    assert (failed.status_id, failed.is_mfa) == (Status.FAILURE, None)
    assert failed.unmapped is not None
    assert failed.unmapped.credential_accepted


def test_a_first_factor_may_be_all_or_not() -> None:
    found = event_of(SOURCE.parse, spoken("Successful 1FA authentication attempt made by user 'a'"))
    assert (found.activity_id, found.is_mfa) == (Activity.LOGON, None)


def test_a_banned_address_is_nobody() -> None:
    message = (
        "Unsuccessful 1FA authentication attempt by user '192.0.2.1' and they are banned until x"
    )
    assert isinstance(SOURCE.parse(spoken(message)), Skip)


@pytest.mark.parametrize(
    "text",
    [
        f'time="{WHEN}" level=info msg="API listen on /run/docker.sock"',
        f'time="{WHEN}" level=info msg="request" path=/health remote_ip=192.0.2.1',
        "level=info msg=x remote_ip=192.0.2.1 path=/api/firstfactor",
    ],
)
def test_lines_of_other_programs_are_not_claimed(text: str) -> None:
    assert not SOURCE.recognise(line(text))


def test_something_else_is_refused() -> None:
    with pytest.raises(RejectError, match="line"):
        SOURCE.parse(line("GET /api/firstfactor"))
