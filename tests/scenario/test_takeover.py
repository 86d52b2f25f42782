"""The takeover of the second seed: a user in Canada, and then the world.

Dana logs in from three nearby Canadian cities with Chrome on macOS in business hours. One night,
after failures from ten countries, somebody succeeds from Romania with an unknown client.
"""

from functools import cache

from quivive.engine.judged import Scored
from quivive.model.event import AuthEvent, Status
from quivive.scoring.assess import FINDING, REPEAT, REPEATS
from quivive.scoring.calibrate import calibration_of
from tests.scenario.company import (
    BUCHAREST,
    BUCHAREST_HOTEL,
    DANA,
    DAY_MS,
    FAR,
    LISBON,
    LONDON_OFFICE,
    UNKNOWN_CLIENT,
    Company,
    at,
    company,
    findings,
    is_finding,
    login,
    ordinary,
    texts,
    usual,
)

ONSET, RESET = 43, 56


def failures(day: float = ONSET - 1) -> list[AuthEvent]:
    """One failure each from ten countries, a quarter of an hour apart."""
    return [
        login("dana", at(day, 20) + n * 900_000, place, agent=UNKNOWN_CLIENT, mfa=None,
              status=Status.FAILURE)
        for n, place in enumerate(FAR)
    ]  # fmt: skip


def onset(day: float = ONSET) -> AuthEvent:
    """The first success: 03:12 UTC, 22:12 in Toronto, with one factor and no device."""
    return login("dana", at(day, 3.2), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False)


def follow_ups(day: int) -> list[AuthEvent]:
    return [
        login("dana", at(day, hour + day % 5), FAR[(day + step) % 10], agent=UNKNOWN_CLIENT,
              mfa=False)
        for hour, step in ((1, 0), (9, 3))
    ]  # fmt: skip


@cache
def told() -> list[Scored]:
    """All that is said from the day of the failures to two weeks after the reset."""
    made = company()
    made.sees(ordinary(ONSET - 1, ONSET + 1, seed=3), failures(), [onset()])
    for day in range(ONSET + 1, RESET):
        made.sees(ordinary(day, day + 1, seed=day), follow_ups(day))
    made.sees(ordinary(RESET, RESET + 14, seed=9))
    return made.said


def attacker(said: list[Scored]) -> list[Scored]:
    return [
        s for s in said
        if s.login.identity == DANA.email and s.login.country != "CA" and s.login.device is None
        and s.login.outcome == "success"
    ]  # fmt: skip


def test_the_first_success_is_a_finding() -> None:
    first = attacker(told())[0]
    assert first.event.time == onset().time
    assert first.login.country == "RO"
    assert first.assessment.risk_level in ("high", "critical")
    assert first.decision.action in ("step_up", "revoke")
    assert not first.assessment.low_history
    assert first.assessment.confidence > 0.6


def test_the_first_success_ranks_first() -> None:
    until = onset().time + DAY_MS
    so_far = [s for s in told() if s.event.time < until]
    best = max(so_far, key=lambda s: s.assessment.risk_score)
    assert best.event == onset()


def test_the_attempts_before_it_are_no_findings_but_stand_out() -> None:
    far = {place.country for place in FAR}
    tried = [s for s in told() if s.login.outcome == "failure" and s.login.country in far]
    assert len(tried) == len(FAR)
    assert not any(is_finding(s) for s in tried)
    usual_scores = [s.assessment.score for s in told() if s.login.country == "CA"]
    assert min(s.assessment.score for s in tried) > sorted(usual_scores)[len(usual_scores) // 2]


def test_reasons_name_what_the_seed_names_with_counts() -> None:
    first = attacker(told())[0].assessment
    signals = {reason.signal for reason in first.reasons}
    assert "country" in signals
    assert {"os", "client", "device"} & signals
    country = next(r for r in first.reasons if r.signal == "country")
    assert "country RO: 0 of its " in country.text
    assert "0 of" in country.text.partition("peers")[0]
    assert "in the organisation" in country.text
    assert "T1078" in country.attack
    assert list(first.reasons) == sorted(first.reasons, key=lambda r: -r.weight)


def test_reasons_of_the_first_success_name_the_hour() -> None:
    first = attacker(told())[0].assessment
    said = next((r for r in first.reasons if r.signal == "hour"), None)
    assert said is not None
    assert "03h UTC" in said.text


def test_the_hour_is_told_where_nothing_failed_before() -> None:
    first = company().judges(onset()).assessment
    said = next(r for r in first.reasons if r.signal == "hour")
    assert "03h UTC" in said.text


def test_reasons_of_the_first_success_name_the_failures() -> None:
    first = attacker(told())[0].assessment
    said = next(r for r in first.reasons if r.signal == "failures")
    assert "10 failed logins" in said.text


def test_the_failures_raise_the_score_of_the_success() -> None:
    quiet = company().judges(onset()).assessment
    warned = company()
    warned.sees(failures())
    loud = warned.judges(onset()).assessment
    assert loud.score > quiet.score + 1
    assert loud.risk_score > quiet.risk_score


def test_failures_from_many_networks_weigh_more_than_as_many_from_one() -> None:
    scores = []
    for places in (FAR, FAR[:1] * 10):
        made = company()
        made.sees(
            [
                login("dana", at(42, 20) + n * 900_000, place, agent=UNKNOWN_CLIENT, mfa=None,
                      status=Status.FAILURE)
                for n, place in enumerate(places)
            ]
        )  # fmt: skip
        scores.append(made.judges(onset()).assessment.score)
    many, one = scores
    assert many > one


def test_old_failures_say_nothing() -> None:
    made = company()
    made.sees(failures(ONSET - 4))
    assert "failed logins" not in texts(made.judges(onset()))


def test_every_later_login_of_the_attacker_scores_far_above_a_finding() -> None:
    """The score, before repeats are ranked lower."""
    ordinary_most = max(s.assessment.score for s in told() if s.login.device == "dev-dana")
    assert all(s.assessment.score > ordinary_most + 3 for s in attacker(told()))


TAKEN = {at(day) // DAY_MS for day in range(ONSET, RESET)}


def test_every_day_of_the_takeover_is_answered_and_most_with_more_than_a_word() -> None:
    """Policy decides on the risk before what was told already is ranked lower."""
    assert {s.event.time // DAY_MS for s in attacker(told())} == TAKEN
    assert all(s.assessment.undamped >= FINDING for s in attacker(told()))
    assert all(s.decision.action != "allow" for s in attacker(told()))
    acted = {
        s.event.time // DAY_MS
        for s in attacker(told())
        if s.decision.action in ("step_up", "revoke")
    }
    assert min(TAKEN) in acted
    assert len(acted) >= 0.7 * len(TAKEN)


def test_the_takeover_is_told_on_its_first_days_and_again() -> None:
    """Repeats rank lower, but a takeover is not forgotten for being told of once."""
    found = {s.event.time // DAY_MS for s in attacker(told()) if is_finding(s)}
    assert len(found) >= 0.3 * len(TAKEN)
    assert {min(TAKEN), min(TAKEN) + 1, max(TAKEN)} <= found


def test_what_was_told_ranks_below_what_it_weighs() -> None:
    again = [s.assessment for s in attacker(told()) if s.assessment.repeated]
    assert len(again) > len(TAKEN) / 2
    assert all(0 < a.undamped - a.risk_score <= REPEAT * REPEATS for a in again)


def test_nobody_else_is_suspected_for_it() -> None:
    others = [s for s in findings(told()) if s.login.identity != DANA.email]
    assert len(others) <= 1


def test_after_the_reset_canada_is_no_finding() -> None:
    after = [s for s in told() if s.event.time >= at(RESET) and s.login.identity == DANA.email]
    assert len(after) > 20
    assert not any(is_finding(s) for s in after)


def test_her_own_logins_during_the_takeover_are_no_findings() -> None:
    own = [s for s in told() if s.login.device == "dev-dana" and s.event.time < at(RESET)]
    assert len(own) > 20
    assert not any(is_finding(s) for s in own)


def test_the_attacker_teaches_nothing() -> None:
    made = company()
    first = made.judges(onset())
    for hours in (2, 30, 80):
        again = made.judges(login("dana", onset().time + hours * 3_600_000, BUCHAREST,
                                  agent=UNKNOWN_CLIENT, mfa=False))  # fmt: skip
        said = next(r for r in again.assessment.reasons if r.signal == "country")
        assert "country RO: 0 of its" in said.text
        calibration = calibration_of(
            made.engine.state.calibrations, again.login, again.assessment.newcomer
        )
        assert calibration.risk(again.assessment.score) >= FINDING
    profile = made.engine.state.profiles[DANA.email]
    assert BUCHAREST.ip() not in profile.own.tables["address"].values
    assert "RO" not in profile.own.tables["country"].values
    assert "RO" not in made.engine.state.organisation.everyone.tables["country"].values
    assert profile.held
    assert first.login.identity == DANA.email


def test_failures_teach_nothing_either() -> None:
    made = company()
    before = made.engine.state.profiles[DANA.email].own
    known = {name: dict(table.values) for name, table in before.tables.items()}
    made.sees(failures(), failures(ONSET - 0.5))
    after = {name: dict(table.values) for name, table in before.tables.items()}
    assert after == known


def holiday(made: Company, days: range) -> list[Scored]:
    """Dana in Romania with her own laptop, Chrome and her usual hours."""
    return made.sees(
        [
            usual(DANA, at(day, hour), BUCHAREST_HOTEL, ip=BUCHAREST_HOTEL.ip(99), claim=True)
            for day in days
            for hour in (15, 18)
        ]
    )


def test_a_holiday_in_romania_is_told_once_and_ranks_below_the_takeover() -> None:
    assert len(findings(holiday(company(), range(42, 45)))) <= 1
    said = holiday(company(), range(42, 47))
    assert len(findings(said)) <= 2
    worst = max(s.assessment.risk_score for s in said)
    assert worst < company().judges(onset()).assessment.risk_score - 20
    assert all(s.assessment.risk_level in ("low", "medium") for s in said)


def test_a_holiday_with_a_weekend_in_it_is_still_one_finding() -> None:
    assert len(findings(holiday(company(), range(42, 52)))) <= 1


def test_a_trip_to_the_colleagues_office_is_less_risky_than_one_to_an_unseen_country() -> None:
    risks = []
    for place, host in ((LONDON_OFFICE, 1), (LISBON, 99)):
        said = company().judges(usual(DANA, at(43, 14), place, ip=place.ip(host)))
        risks.append(said)
    colleagues, nobody = risks
    assert colleagues.assessment.score < nobody.assessment.score - 1.25
    assert colleagues.assessment.risk_score < nobody.assessment.risk_score
    assert not is_finding(colleagues)
    assert "0 of its" in texts(colleagues)
    assert "country PT: 0 of its" in texts(nobody)
    assert "0 of" in texts(nobody).partition("by peers")[2]


def test_two_oddities_together_are_more_than_either_alone() -> None:
    """Multivariate: the sum of a place and a client is a finding where each is explainable."""
    place = company().judges(usual(DANA, at(43, 15), BUCHAREST)).assessment
    client = company().judges(usual(DANA, at(43, 15), agent=UNKNOWN_CLIENT, device=None)).assessment
    both = (
        company()
        .judges(usual(DANA, at(43, 15), BUCHAREST, agent=UNKNOWN_CLIENT, device=None))
        .assessment
    )
    assert both.risk_score > max(place.risk_score, client.risk_score) + 15
    assert both.risk_level in ("high", "critical")


def test_a_late_record_is_judged_by_what_is_known_and_changes_no_order() -> None:
    made = company()
    made.sees(ordinary(42, 44, seed=8))
    late = made.judges(login("dana", at(42, 17.5), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False))
    assert is_finding(late)
    places = made.engine.state.profiles[DANA.email].places
    assert [p.time for p in places] == sorted(p.time for p in places)
    own = made.judges(usual(DANA, at(42, 16.2)))
    assert not is_finding(own)


def test_travel_is_seen_against_a_login_that_arrived_before_it() -> None:
    """The record from Bucharest comes in after one of six minutes later from Toronto."""
    made = company()
    made.sees(ordinary(42, 43, seed=8))
    at_home = made.judges(usual(DANA, at(43, 17.5)))
    late = made.judges(usual(DANA, at(43, 17.4), BUCHAREST))
    alone = company().judges(usual(DANA, at(43, 17.4), BUCHAREST))
    travel = [r for r in late.assessment.reasons if r.signal == "travel"]
    assert not is_finding(at_home)
    assert late.assessment.score > alone.assessment.score + 0.5
    assert len(travel) == 1
    assert "km between Toronto, CA and Bucharest, RO in 6 min" in travel[0].text


def test_the_attacker_is_not_let_in_because_he_was_told_of_yesterday() -> None:
    made = company()
    assert made.judges(onset()).decision.action in ("step_up", "revoke")
    for day in (ONSET + 1, ONSET + 2):
        assert made.judges(onset(day)).decision.action in ("step_up", "revoke")
