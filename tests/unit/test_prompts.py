"""Prompts for another factor: of who answers them nothing is left, of fatigue all but the last."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from quivive.baseline.profile import ANSWERED_WITHIN, Fading, Profile
from quivive.baseline.windows import Window
from quivive.engine.judged import Scored
from quivive.model.event import AuthEvent
from quivive.sources.duo import SOURCE as DUO
from quivive.sources.okta import SOURCE as OKTA
from tests.scenario.company import BUCHAREST, TORONTO, Company, Place, at
from tests.unit.parsing import event_of, record_of

MINUTE = 60_000
ADA = {"id": "00u1", "type": "User", "alternateId": "ada@example.com", "displayName": "Ada"}
SYSTEM = {"id": "okta.1", "type": "SystemPrincipal", "alternateId": "system@okta.com"}
PUSH = "system.push.send_factor_verify_push"
MFA = "user.authentication.auth_via_mfa"
REFUSED = "user.mfa.okta_verify.deny_push"
SESSION = "user.session.start"


def okta(what: str, time: int, place: Place = TORONTO, **more: Any) -> AuthEvent:
    """One record of Okta's System Log, of Ada, who uses Chrome on her laptop."""
    pushed = {"actor": SYSTEM, "target": [ADA]} if what == PUSH else {"actor": ADA}
    log = {
        "eventType": what,
        "published": time,
        "outcome": {"result": "SUCCESS"},
        "client": {
            "ipAddress": place.ip(),
            "userAgent": {"rawUserAgent": "Mozilla/5.0 (Macintosh) Chrome/131.0.0.0"},
            "geographicalContext": {"city": place.city, "country": place.country},
        },
        **pushed,
        **more,
    }
    return event_of(OKTA.parse, record_of(log))


def duo(time: int, place: Place = TORONTO, **more: Any) -> AuthEvent:
    """One record of Duo's authentication log, of Ada."""
    log = {
        "access_device": {"ip": place.ip(), "browser": "Chrome", "os": "Mac OS X"},
        "application": {"key": "DI1", "name": "Example VPN"},
        "event_type": "authentication",
        "factor": "duo_push",
        "isotimestamp": None,
        "timestamp": time // 1000,
        "result": "success",
        "reason": "user_approved",
        "user": {"key": "DU1", "name": "ada@example.com"},
    } | more
    return event_of(DUO.parse, record_of(log))


def signs_in(time: int, place: Place = TORONTO) -> list[AuthEvent]:
    """Prompted, answered, in."""
    return [
        okta(PUSH, time, place),
        okta(MFA, time + 15_000, place),
        okta(SESSION, time + 16_000, place),
    ]


def ordinary(days: int = 20) -> Iterator[AuthEvent]:
    for day in range(days):
        for hour in (13, 14.5, 18):
            yield from signs_in(at(day, hour))


def counted(scored: Scored) -> str | None:
    """What is said of prompts."""
    said = (e.text for e in scored.gathered.evidence if e.signal == "mfa_denials")
    return next(said, None)


def ada(events: Iterable[AuthEvent]) -> tuple[Company, list[Scored], Profile]:
    made = Company()
    said = made.sees(list(events))
    return made, said, made.engine.state.profile("ada@example.com")


def test_an_ordinary_login_leaves_nothing_of_its_prompt() -> None:
    _, said, profile = ada(ordinary())
    assert [counted(one) for one in said] == [None] * len(said)
    assert profile.prompt is None
    assert not profile.denials.counts
    assert profile.denial_rate.value == 0.0


def test_of_fatigue_all_prompts_stand_but_the_one_that_was_answered() -> None:
    made, _, profile = ada(ordinary())
    start = at(20, 3)
    asked = [okta(PUSH, start + n * MINUTE, BUCHAREST) for n in range(9)]
    made.sees(asked)
    answered = made.judges(okta(MFA, start + 8 * MINUTE + 20_000, BUCHAREST))
    assert (counted(answered) or "").startswith("8 MFA prompts refused or unanswered in 6 h")
    got_in = made.judges(okta(SESSION, start + 8 * MINUTE + 21_000, BUCHAREST))
    assert (counted(got_in) or "").startswith("8 MFA prompts refused or unanswered in 6 h")
    weight = next(e.weight for e in got_in.gathered.evidence if e.signal == "mfa_denials")
    assert weight > 3.0
    assert profile.denials.total(start + 9 * MINUTE) == 8


def test_every_prompt_says_that_the_one_before_it_was_not_answered() -> None:
    made, _, _ = ada(ordinary())
    said = made.sees([okta(PUSH, at(20, 3) + n * MINUTE, BUCHAREST) for n in range(4)])
    assert [(counted(one) or "0")[0] for one in said] == ["0", "1", "2", "3"]


def test_a_refusal_counts_once_in_the_place_of_its_prompt() -> None:
    """Wherever the telephone is that refuses it."""
    _, _, profile = ada(
        event
        for n in range(3)
        for event in (
            okta(PUSH, at(0, 3) + n * MINUTE, BUCHAREST),
            okta(REFUSED, at(0, 3) + n * MINUTE + 9_000),
        )
    )
    assert profile.denials.total(at(0, 4)) == 3
    assert profile.prompt is None


def test_a_prompt_comes_from_where_it_was_asked_for() -> None:
    """Though it is the product that sends it."""
    _, (sent,), _ = ada([okta(PUSH, at(0, 13), BUCHAREST)])
    assert sent.login.country == "RO"
    assert sent.login.prompts


def test_the_owner_at_home_does_not_answer_for_whoever_is_elsewhere() -> None:
    _, _, profile = ada([okta(PUSH, at(0, 14), BUCHAREST), okta(SESSION, at(0, 14) + MINUTE)])
    assert profile.prompt is not None
    assert profile.denials.total(at(0, 15)) == 1


@pytest.mark.parametrize(
    ("late", "left"), [(ANSWERED_WITHIN - 1000, 0), (ANSWERED_WITHIN, 1)], ids=["in time", "late"]
)
def test_a_prompt_waits_ten_minutes(late: int, left: int) -> None:
    made, _, profile = ada([okta(PUSH, at(0, 13))])
    assert profile.denied(at(0, 13) + late) == left
    made.judges(okta(MFA, at(0, 13) + late))
    assert profile.denials.total(at(0, 14)) == left


def test_the_own_session_answers_at_another_address() -> None:
    def within(session: str) -> dict[str, Any]:
        return {"authenticationContext": {"externalSessionId": session}}

    for session, left in (("s-1", 0), ("s-2", 1)):
        _, _, profile = ada(
            [
                okta(PUSH, at(0, 13), **within("s-1")),
                okta(MFA, at(0, 13) + MINUTE, BUCHAREST, **within(session)),
            ]
        )
        assert profile.denials.total(at(0, 14)) == left


def test_a_login_without_another_factor_answers_no_prompt() -> None:
    made, _, profile = ada([okta(PUSH, at(0, 13))])
    single = made.judges(replace(okta(SESSION, at(0, 13) + MINUTE), is_mfa=False))
    assert single.login.mfa == "single"
    assert profile.denials.total(at(0, 14)) == 1


def test_duo_writes_what_was_not_answered_as_one_record_that_stands() -> None:
    """Its records say how a login ended: there is nothing to wait for, and nothing to take back."""
    lost = {"result": "denied", "reason": "no_response"}
    made, said, profile = ada(duo(at(day, 13)) for day in range(15))
    assert [counted(one) for one in said] == [None] * 15
    made.sees([duo(at(15, 3) + n * MINUTE, BUCHAREST, **lost) for n in range(5)])
    got_in = made.judges(duo(at(15, 3) + 5 * MINUTE, BUCHAREST))
    assert (counted(got_in) or "").startswith("5 MFA prompts refused or unanswered")
    assert profile.prompt is None


def test_duo_writes_a_code_that_was_sent_and_its_answer_as_two() -> None:
    sent = {"factor": "sms_refresh", "result": "denied", "reason": None}
    made, _, profile = ada([duo(at(0, 13), **sent)])
    assert profile.prompt is not None
    answered = made.judges(duo(at(0, 13) + MINUTE, factor="sms_passcode", reason="valid_passcode"))
    assert counted(answered) is None
    assert not profile.denials.counts


def test_while_a_prompt_waits_no_login_takes_the_short_road() -> None:
    """Ten minutes later it speaks against whoever comes."""
    made, _, _ = ada(ordinary())
    made.sees([okta(PUSH, at(20, 13), BUCHAREST)])
    first = made.judges(okta(SESSION, at(20, 13) + MINUTE))
    second = made.judges(okta(SESSION, at(20, 13) + 2 * MINUTE))
    third = made.judges(okta(SESSION, at(20, 13) + 11 * MINUTE))
    assert not any(one.assessment.short_road for one in (first, second, third))
    assert [counted(one) is None for one in (first, second, third)] == [True, True, False]


def test_a_window_gives_back_what_was_counted_last() -> None:
    window = Window()
    window.add(at(0, 1), 2)
    window.take(at(0, 1))
    assert window.total(at(0, 2)) == 1
    window.take(at(0, 1))
    window.take(at(0, 1))
    assert window.counts == {}
    assert Fading(1000.0).at(5) == 0.0
