"""What a login came to, as the baselines see it."""

from typing import Any

import msgspec
import pytest

from quivive.baseline.observation import Observation
from quivive.engine.observe import observe
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.event import Activity, Actor, AuthEvent, Session, Status, Unmapped, User
from quivive.model.record import RawRecord
from quivive.signals import access
from quivive.signals.signal import Feature
from quivive.sources.kubernetes import SOURCE
from tests.scenario.company import (
    BUCHAREST,
    DANA,
    ERIC,
    PEOPLE,
    Company,
    at,
    engine,
    ordinary,
    usual,
)


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


# what somebody else does to an account


def reset(by: Actor | None, **changes: Any) -> AuthEvent:
    """A reset of Dana's password, from Eric's desk in Bucharest."""
    fields: dict[str, Any] = {
        "activity_id": Activity.OTHER,
        "activity_name": "Password Reset",
        "actor": by,
        "session": Session(uid="s-1"),
        "unmapped": Unmapped(operation="Reset user password", tls_fingerprint="ja4"),
        **changes,
    }
    return msgspec.structs.replace(usual(DANA, at(11, 15), BUCHAREST, device=ERIC.device), **fields)


def seen(event: AuthEvent) -> Observation:
    return observe(event, Enricher(None, None).enrich(event), State())


HELP_DESK = Actor(user=User(name=ERIC.email, email_addr=ERIC.email))
SURROUNDINGS = (
    "ip", "network", "country", "region", "city", "lat", "long", "asn", "as_name", "network_kind",
    "os", "browser", "device", "tls", "session",
)  # fmt: skip


def test_a_reset_by_the_help_desk_shows_the_help_desks_surroundings() -> None:
    login = seen(reset(HELP_DESK))
    assert {name: getattr(login, name) for name in SURROUNDINGS} == dict.fromkeys(SURROUNDINGS)
    assert (login.public, login.bad_address, login.tool, login.managed) == (False,) * 4
    assert (login.identity, login.around) == (DANA.email, "Password Reset")
    assert login.operation == "Reset user password"


@pytest.mark.parametrize(
    "by",
    [
        None,
        Actor(app_name="Self-service reset"),
        Actor(user=User(name="somebody", email_addr=DANA.email.upper())),
        Actor(user=User(name=DANA.email)),
    ],
)
def test_what_a_user_does_himself_keeps_its_surroundings(by: Actor | None) -> None:
    login = seen(reset(by))
    assert (login.ip, login.country, login.city) == (BUCHAREST.ip(DANA.host), "RO", "Bucharest")
    assert (login.asn, login.device, login.browser) == ("8708", "dev-eric", "Chrome")


def test_a_login_for_another_keeps_its_surroundings() -> None:
    """An administrator who takes on a role: the login itself is what is judged."""
    login = seen(reset(HELP_DESK, activity_id=Activity.LOGON, activity_name=None))
    assert (login.around, login.country, login.device) == (None, "RO", "dev-eric")


def test_a_reset_by_the_help_desk_gives_no_travel() -> None:
    made = {}
    for who, by in (("desk", HELP_DESK), ("herself", None)):
        company = Company(engine())
        company.sees(ordinary(9, 11, people=PEOPLE[:2]), [usual(DANA, at(11, 14.5))])
        made[who] = company.judges(reset(by))
        signals = {e.signal for e in made[who].gathered.evidence}
        assert ("travel" in signals) is (who == "herself")
        profile = company.engine.state.profiles[DANA.email]
        (recovery,) = profile.recoveries
        assert (recovery.what, recovery.familiar) == ("Password Reset", False)
        assert recovery.network == (None if who == "desk" else "86.120.33.0/24")
        after = company.judges(usual(DANA, at(11, 15.2)))
        assert "travel" not in {e.signal for e in after.gathered.evidence}
    told = {w.feature.signal for w in made["desk"].gathered.weighed}
    assert not told & {"country", "city", "network", "address", "operator", "tls"}
    assert made["desk"].assessment.score < made["herself"].assessment.score


@pytest.mark.parametrize("around", [None, "Password Reset", "MFA Challenge"])
def test_the_log_of_what_surrounds_a_login_is_remembered_but_not_weighed(
    around: str | None,
) -> None:
    company = Company(engine())
    company.sees([usual(DANA, at(9, 15))])
    state = company.engine.state
    login = msgspec.structs.replace(seen(usual(DANA, at(9, 16))), around=around)
    scene, levels = state.scene(login, state.profile(login.identity))
    (log,) = [
        f for f in access.features(login, scene, levels)
        if isinstance(f, Feature) and f.signal == "log"
    ]  # fmt: skip
    assert (log.key, log.weigh) == (login.log, around is None)
