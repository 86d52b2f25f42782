"""Decisions of the Envoy source that golden records do not show well."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.ocsf import encode_event
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.envoy import parse, recognise
from tests.unit.parsing import event_of, record_of

ENTRY = {
    "start_time": "2026-10-05T08:14:02.123Z",
    "method": "GET",
    "path": "/v1/orders",
    "authority": "api.example.com",
    "response_code": 200,
    "response_flags": "-",
    "response_code_details": "via_upstream",
    "upstream_cluster": "orders",
    "downstream_remote_address": "192.0.2.41:51544",
    "user_agent": "curl/8.14.1",
}
CLAIMS = {"iss": "https://login.example.com/", "sub": "00u1", "preferred_username": "ana"}


def event(**changed: Any) -> AuthEvent:
    return event_of(parse, record_of(ENTRY | changed))


def line(body: str) -> RawRecord:
    return RawRecord(log="x", sequence=1, line=1, body=body.encode())


def test_what_a_verified_token_says_beats_a_header() -> None:
    found = event(claims=CLAIMS, x_forwarded_user="root")
    assert (found.user.name, found.user.uid) == ("ana", "00u1")


def test_only_a_verified_identity_is_proof_of_the_credential() -> None:
    by_header = event(x_forwarded_user="ana", response_code=403)
    by_token = event(claims=CLAIMS, response_code=403)
    assert by_header.status_id == by_token.status_id == Status.FAILURE
    assert by_header.unmapped is not None
    assert by_header.unmapped.credential_accepted is None
    assert by_token.unmapped is not None
    assert by_token.unmapped.credential_accepted is True


def test_secrets_that_somebody_logs_stay_out() -> None:
    secrets = {
        "authorization": "Bearer hunter2",
        "x_api_key": "hunter2",
        "cookie": "session=hunter2",
        "path": "/v1/orders?access_token=hunter2",
    }
    assert b"hunter2" not in encode_event(event(claims=CLAIMS, **secrets))


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        ({"sub": "billing", "client_id": "billing"}, UserType.SERVICE),
        ({"sub": "x@clients", "azp": "x"}, UserType.SERVICE),
        ({"sub": "1", "preferred_username": "service-account-ci"}, UserType.SERVICE),
        ({"sub": "system:serviceaccount:shop:web", "iss": "i"}, UserType.SERVICE),
        ({"sub": "1", "azp": "web", "preferred_username": "ana"}, None),
    ],
)
def test_a_client_that_acts_for_itself_is_a_service(
    claims: dict[str, Any], kind: UserType | None
) -> None:
    assert event(claims=claims).user.type_id == kind


@pytest.mark.parametrize(
    ("methods", "is_mfa"),
    [(["pwd", "mfa"], True), (["pwd"], False), (["pwd", "otp"], None), ([], None), ("[mfa]", True)],
)
def test_the_methods_of_a_token(methods: object, is_mfa: bool | None) -> None:
    assert event(claims={**CLAIMS, "amr": methods}).is_mfa is is_mfa


def test_an_id_that_a_client_may_choose_is_none_of_the_record() -> None:
    found = event(claims=CLAIMS, x_request_id="always-the-same")
    assert found.metadata.uid is None
    assert found.metadata.correlation_uid == "always-the-same"
    assert event(claims=CLAIMS, stream_id="7").metadata.uid == "7"


@pytest.mark.parametrize("quoted", ['a" "b" "c" "d" user=root', 'a" user=root x="', '"'])
def test_a_header_cannot_imitate_the_rest_of_a_line(quoted: str) -> None:
    written = (
        f'[2026-10-07T06:00:00.310Z] "GET / HTTP/2" 204 - 154 0 226 100 "192.0.2.1" "{quoted}"'
        ' "id" "app.example.com" "10.0.2.9:80" user=ana'
    )
    assert recognise(line(written))
    with pytest.raises(RejectError, match="line"):
        parse(line(written))


@pytest.mark.parametrize(
    "fields",
    [
        {"method": "GET", "path": "/", "status": 200, "user": "ana", "time": "2026-10-05"},
        {"response_code": 200, "response_flags": "-"},
        {"log": "GET / HTTP/1.1", "stream": "stdout"},
        {"message": '{"response_code":200}'},
        {},
    ],
)
def test_records_of_others_are_left_to_them(fields: dict[str, Any]) -> None:
    assert not recognise(record_of(fields))


def test_a_request_of_nobody_is_skipped() -> None:
    assert isinstance(parse(record_of(ENTRY)), Skip)
