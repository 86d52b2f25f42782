"""What a login came to, as the baselines see it."""

from typing import Any

import msgspec
import pytest

from quivive.engine.observe import observe
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.event import Activity, AuthEvent, Status, Unmapped
from quivive.model.record import RawRecord
from quivive.sources.kubernetes import SOURCE
from tests.scenario.company import DANA, at, usual


def outcome(event: AuthEvent) -> str:
    return observe(event, Enricher(None, None).enrich(event), State()).outcome


def request(**changes: Any) -> AuthEvent:
    fields = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete",
        "verb": "get", "user": {"username": "anna"},
        "requestReceivedTimestamp": "2026-04-02T06:00:00.000000Z",
    }  # fmt: skip
    event = SOURCE.parse(
        RawRecord(log="audit", sequence=1, line=1, body=b"", fields=fields | changes)
    )
    assert isinstance(event, AuthEvent)
    return event


@pytest.mark.parametrize(
    ("code", "expected"),
    [(200, "success"), (404, "success"), (409, "success"), (429, "success"), (500, "success"),
     (401, "failure"), (403, "failure")],
)  # fmt: skip
def test_a_call_that_failed_for_reasons_of_its_own_used_its_credential(
    code: int, expected: str
) -> None:
    assert outcome(request(responseStatus={"code": code})) == expected


def test_a_forbidden_call_without_a_code_is_no_success() -> None:
    assert outcome(request(annotations={"authorization.k8s.io/decision": "forbid"})) == "failure"


def test_a_prompt_reported_as_fraud_is_no_success_to_learn_from() -> None:
    """As sources.entra reads "Suspicious activity reported"."""
    event = msgspec.structs.replace(
        usual(DANA, at(0)),
        activity_id=Activity.OTHER,
        activity_name="MFA Challenge",
        status_id=Status.FAILURE,
        status_code=None,
        unmapped=Unmapped(operation="Suspicious activity reported", credential_accepted=True),
    )
    login = observe(event, Enricher(None, None).enrich(event), State())
    assert login.denied
    assert not login.learnable
