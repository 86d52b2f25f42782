"""What an analyst was told already: what ranks lower for it, and what is news all the same."""

from math import inf
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from quivive.baseline.observation import Observation
from quivive.baseline.profile import Profile
from quivive.baseline.windows import HOUR_MS
from quivive.engine.learn import (
    NEWS_FOR,
    OPEN_ABOVE,
    SAME_AGAIN,
    TELL_ABOVE,
    TOLD_HORIZON,
    TOLD_KEPT,
    alike,
    tell,
    told_before,
)
from quivive.engine.shared import Delta
from quivive.engine.state import State
from quivive.model.assessment import Assessment, Evidence
from quivive.model.event import Status, Unmapped
from quivive.scoring.assess import (
    HALFWAY_SHARE,
    OPEN_AT_TOP,
    OPEN_CASE,
    REPEAT,
    REPEATS,
    WORSE,
    Standing,
    Told,
    assess,
)
from quivive.scoring.calibrate import Calibration
from quivive.scoring.gathered import Gathered
from tests.scenario.company import BUCHAREST, DANA, UNKNOWN_CLIENT, at, company, login

NOTHING_TOLD = Told(0.0, -inf)


def seen(hours: float = 0.0, success: bool = True, **changes: Any) -> Observation:
    """A login from Bucharest some hours after noon of a day, or an attempt at one."""
    given: dict[str, Any] = {
        "country": "RO",
        "os": "Linux",
        "browser": "Firefox",
        "ip": "86.120.33.5",
        "network": "86.120.33.0/24",
        "asn": "8708",
        **changes,
    }
    return Observation(
        time=at(43, 12) + round(hours * HOUR_MS), identity="dana", kind="human", log="signIns",
        outcome="success" if success else "failure", accepted=success, hour=12, weekday=3, **given,
    )  # fmt: skip


def said(
    score: float = 6.0, risk: float = 70.0, repeated: int = 0, undamped: float | None = None
) -> Assessment:
    return Assessment(
        score=score, risk_score=risk, risk_level="high", confidence=1.0, reasons=(), reassuring=(),
        counterfactual=None, looks_like="", otherwise="", not_evaluable=(), low_history=False,
        repeated=repeated, undamped=risk if undamped is None else undamped,
    )  # fmt: skip


def after(*told: Observation, risk: float = 70.0) -> Profile:
    """A profile of which these logins were told."""
    profile = Profile()
    for one in told:
        tell(one, said(risk=risk), profile, Delta(1, 0, ""))
    return profile


def test_nothing_was_told_of_somebody_quiet() -> None:
    assert told_before(seen(), Profile()) == NOTHING_TOLD
    quiet = Profile()
    tell(seen(), said(risk=TELL_ABOVE - 0.1), quiet, Delta(1, 0, ""))
    assert told_before(seen(0.1), quiet) == NOTHING_TOLD


def test_attempts_that_were_told_of_do_not_damp_the_success_after_them() -> None:
    profile = after(*(seen(n / 10, success=False) for n in range(6)))
    assert told_before(seen(1), profile) == NOTHING_TOLD
    other = seen(1, country="NG")
    assert told_before(other, profile) == NOTHING_TOLD


def test_attempts_damp_further_attempts() -> None:
    profile = after(seen(success=False))
    again = told_before(seen(0.5, success=False), profile)
    assert again.findings == pytest.approx(1 + SAME_AGAIN, abs=0.05)
    assert again.worst == 70.0
    other = told_before(seen(0.5, success=False, country="NG"), profile)
    assert other.findings == pytest.approx(1, abs=0.05)
    assert other.worst == 70.0


def test_a_success_damps_later_successes_and_attempts() -> None:
    profile = after(seen())
    for success in (True, False):
        again = told_before(seen(0.5, success), profile)
        assert again.findings == pytest.approx(1 + SAME_AGAIN, abs=0.05)
        assert again.worst == 70.0
        other = told_before(seen(0.5, success, country="NG"), profile)
        assert other.findings == pytest.approx(1, abs=0.05)
        assert other.worst == 70.0


def test_the_success_after_attempts_damps_from_then_on() -> None:
    profile = after(seen(success=False), seen(0.5))
    assert profile.told_constellations[alike(seen())].success
    again = told_before(seen(1), profile)
    assert again.findings == pytest.approx(1 + SAME_AGAIN, abs=0.05)
    assert again.worst == 70.0
    assert told_before(seen(1, country="NG"), profile).findings == pytest.approx(1, abs=0.05)


def test_an_attempt_after_a_success_does_not_make_the_next_success_news() -> None:
    """As with a prompt that is interrupted before each login."""
    profile = Profile()
    for n, (risk, success) in enumerate([(70.0, True), (90.0, False), (90.0, False)]):
        tell(seen(n / 10, success), said(risk=risk), profile, Delta(1, 0, ""))
    again = told_before(seen(1), profile)
    assert again.findings == pytest.approx(1 + SAME_AGAIN, abs=0.1)
    assert again.worst == 70.0  # of the success: one as bad as the attempts is worse
    late = TOLD_HORIZON / HOUR_MS + 1
    tell(seen(late, success=False), said(risk=50.0), profile, Delta(1, 0, ""))
    assert not profile.told_constellations[alike(seen())].success
    assert told_before(seen(late + 1), profile).worst == -inf


def test_what_is_told_fades_in_half_a_day_and_its_kind_in_a_week() -> None:
    profile = after(seen())
    assert told_before(seen(12), profile).findings == pytest.approx(0.5 + SAME_AGAIN)
    end = TOLD_HORIZON / HOUR_MS
    assert told_before(seen(end - 0.1), profile).findings > SAME_AGAIN
    late = told_before(seen(end), profile)
    assert late.findings < 0.01
    assert late.worst == -inf


def test_a_repeat_within_the_hour_is_not_told_twice() -> None:
    often = after(*(seen(n / 60) for n in range(50)))
    assert often.told.at(seen(1).time) == pytest.approx(1, abs=0.06)
    daily = after(seen(), seen(1.5))
    assert daily.told.at(seen(1.5).time) == pytest.approx(1.9, abs=0.05)


def test_the_worst_of_a_kind_is_remembered_but_not_from_attempts() -> None:
    profile = Profile()
    for n, (risk, success) in enumerate([(90.0, False), (60.0, True), (50.0, True)]):
        tell(seen(n / 10, success), said(risk=risk), profile, Delta(1, 0, ""))
    assert told_before(seen(1), profile).worst == 60.0


def test_a_takeover_that_goes_on_is_damped_less_on_another_day() -> None:
    profile = Profile()
    tell(seen(), said(risk=80.0), profile, Delta(1, 0, ""))
    tell(
        seen(12), said(risk=30.0, undamped=80.0, repeated=2), profile, Delta(1, 0, "")
    )  # told already
    assert not told_before(seen(NEWS_FOR / HOUR_MS - 0.1), profile).later
    assert told_before(seen(NEWS_FOR / HOUR_MS), profile).later
    tell(
        seen(21), said(risk=50.0, undamped=85.0, repeated=2), profile, Delta(1, 0, "")
    )  # news again
    assert not told_before(seen(22), profile).later
    assert not told_before(seen(22, country="NG"), profile).later


def test_a_high_finding_of_today_stays_open_for_its_kind_and_its_address() -> None:
    profile = after(seen(), risk=OPEN_ABOVE)
    assert told_before(seen(1), profile).open_case == OPEN_ABOVE
    elsewhere = {"ip": "77.81.1.9", "network": "77.81.1.0/24", "asn": "9050"}
    assert told_before(seen(1, **elsewhere), profile).open_case  # the same client, country, product
    assert told_before(seen(1, browser="Chrome"), profile).open_case  # the same address
    assert not told_before(seen(1, browser="Chrome", **elsewhere), profile).open_case
    assert not told_before(seen(24), profile).open_case
    assert not told_before(seen(1), after(seen(), risk=OPEN_ABOVE - 0.1)).open_case


def test_no_case_is_open_for_a_success_after_attempts_alone() -> None:
    profile = after(seen(success=False), risk=90.0)
    assert not told_before(seen(0.5), profile).open_case
    assert told_before(seen(0.5, success=False), profile).open_case


def test_what_gets_worse_in_an_open_case_ranks_lower_all_the_same() -> None:
    """The line that is on the list already stands for it; the policy still acts on it in full."""
    levels = State().scene(seen(), Profile())[1]
    calibration = Calibration()
    moved = Evidence(signal="moved", weight=30.0, text="its session moved")
    gathered = Gathered((), [moved], (), {"moved": "session"})

    def risk(told: Told) -> Assessment:
        return assess(seen(1), gathered, levels, Standing(50.0, False, calibration), told)

    news = risk(Told(1.0 + SAME_AGAIN, 60.0))
    worse = risk(Told(1.0 + SAME_AGAIN, 60.0, open_case=60.0))
    top = risk(Told(1.0 + SAME_AGAIN, 60.0, open_case=OPEN_AT_TOP))
    assert news.risk_score == news.undamped == worse.undamped == top.undamped > 60.0 + WORSE
    assert worse.risk_score == pytest.approx(worse.undamped - REPEAT * OPEN_CASE)
    assert top.risk_score == pytest.approx(top.undamped - REPEAT * REPEATS)
    assert (news.repeated, worse.repeated) == (0, 2)


def test_who_waits_at_a_prompt_ranks_below_who_got_in_and_is_decided_on_alike() -> None:
    levels = State().scene(seen(), Profile())[1]
    moved = Evidence(signal="moved", weight=30.0, text="its session moved")
    gathered = Gathered((), [moved], (), {"moved": "session"})
    done = seen()
    waiting = replace(done, outcome="interrupt")
    got_in, halfway = (
        assess(one, gathered, levels, Standing(50.0, False, Calibration()), NOTHING_TOLD)
        for one in (done, waiting)
    )
    assert got_in.undamped == got_in.risk_score == halfway.undamped
    assert halfway.risk_score == pytest.approx(HALFWAY_SHARE * halfway.undamped)
    assert halfway.repeated == 0


def test_a_repeat_below_the_line_is_remembered_by_what_it_would_have_been() -> None:
    profile = Profile()
    tell(
        seen(),
        said(risk=TELL_ABOVE - 25, repeated=1, undamped=TELL_ABOVE),
        profile,
        Delta(1, 0, ""),
    )
    assert alike(seen()) in profile.told_constellations


@given(
    st.lists(
        st.tuples(st.floats(0, 400), st.booleans(), st.sampled_from(["RO", "NG", "CA", "BR"]),
                  st.integers(0, 9)),
        max_size=60,
    )
)  # fmt: skip
def test_it_is_bounded_and_a_success_is_never_damped_by_attempts_alone(
    steps: list[tuple[float, bool, str, int]],
) -> None:
    found = [
        seen(hours, success, country=country, browser=f"b{n}")
        for hours, success, country, n in sorted(steps)
    ]
    everything = after(*found)
    assert len(everything.told_constellations) <= TOLD_KEPT
    attempts = after(*(one for one in found if one.outcome == "failure"))
    for one in found:
        success = seen((one.time - at(43, 12)) / HOUR_MS, country=one.country, browser=one.browser)
        assert told_before(success, attempts) == NOTHING_TOLD
        assert told_before(success, everything).findings >= 0


def test_in_the_engine_who_got_in_is_news_once() -> None:
    """A right password at an interrupted prompt is told; the login after it is told in full, and
    the same again ranks lower, whatever is interrupted between.
    """
    made, said = company(), []
    for hour in (3, 4.5, 6):
        for status, minutes in ((Status.OTHER, 0), (Status.SUCCESS, 2)):
            event = login("dana", at(43, hour + minutes / 60), BUCHAREST, agent=UNKNOWN_CLIENT,
                          mfa=False, status=status)  # fmt: skip
            unmapped = Unmapped(credential_accepted=True)
            said.append(made.judges(msgspec.structs.replace(event, unmapped=unmapped)).assessment)
    tried, success, *later = said
    assert tried.risk_score == HALFWAY_SHARE * tried.undamped > TELL_ABOVE
    assert tried.repeated == 0
    assert (success.repeated, success.risk_score) == (0, success.undamped)
    assert all(one.repeated == 2 and one.risk_score < one.undamped - 20 for one in later)
    profile = made.engine.state.profiles[DANA.email]
    assert profile.told.at(at(43, 6.1)) > 0.8
