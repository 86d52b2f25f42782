"""Who acts through an account: a service account lent to people, and one used by its own key."""

from typing import Any

import pytest

from quivive.engine.judged import Scored
from quivive.model.event import AuthEvent
from quivive.sources.gcp import SOURCE
from tests.scenario.company import OFFICE, Company, Place, at
from tests.unit.parsing import event_of, record_of

DEPLOY = "deploy@shop-prod.iam.gserviceaccount.com"
ADA, EVE = ("ada@example.com", "eve@example.com")


def call(time: int, by: str | None, account: str = DEPLOY, place: Place = OFFICE) -> AuthEvent:
    """One entry of an audit log: a service account's call, made by whoever acts through it."""
    info: dict[str, Any] = {"principalEmail": account}
    if by is not None:
        info["serviceAccountDelegationInfo"] = [{"firstPartyPrincipal": {"principalEmail": by}}]
    payload = {
        "serviceName": "run.googleapis.com",
        "methodName": "google.cloud.run.v2.Services.GetService",
        "authenticationInfo": info,
        "requestMetadata": {"callerIp": place.ip(), "callerSuppliedUserAgent": "gcloud/540"},
    }
    log = {
        "logName": "projects/shop-prod/logs/cloudaudit.googleapis.com%2Factivity",
        "timestamp": time,
        "protoPayload": payload,
    }
    return event_of(SOURCE.parse, record_of(log))


def ordinary(by: str | None = ADA) -> Company:
    """Three weeks: Ada deploys through an account; a backup uses its own."""
    made = Company()
    backup = "backup@shop-prod.iam.gserviceaccount.com"
    for day in range(21):
        made.sees([call(at(day, 9 + n), by) for n in range(3)])
        made.sees([call(at(day, 9.5 + n), None, backup) for n in range(3)])
    return made


def weight(scored: Scored) -> float | None:
    found = [w.weight for w in scored.gathered.weighed if w.feature.signal == "acting"]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("by", "least", "most"),
    [(ADA, 0.0, 0.0), (EVE, 2.0, 6.0), (None, 2.0, 6.0)],
    ids=["as before", "somebody new", "by a key of its own"],
)
def test_who_acts_through_an_account(by: str | None, least: float, most: float) -> None:
    scored = ordinary().judges(call(at(21, 9), by))
    assert scored.login.acting == by
    found = weight(scored)
    assert found is not None
    assert least <= found <= most


def test_an_account_that_nobody_acts_through_says_nothing() -> None:
    made = ordinary(by=None)
    assert weight(made.judges(call(at(21, 9), None))) is None


def test_an_account_that_is_used_both_ways_is_usual_in_both() -> None:
    made = Company()
    for day in range(21):
        made.sees([call(at(day, 9), ADA), call(at(day, 10), ADA), call(at(day, 11), None)])
    assert (weight(made.judges(call(at(21, 11), None))) or 0.0) < 0.5
    assert weight(made.judges(call(at(21, 12), ADA))) == 0.0
    assert made.engine.state.profile(DEPLOY).own.tables["acting"].values.keys() == {ADA}


def test_the_account_itself_is_nobody_else() -> None:
    scored = Company().judges(call(at(0), DEPLOY))
    assert scored.login.acting is None
