"""Reference detectors: each on an example worked by hand, and all of them on anything."""

from math import inf, log, pi

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quivive.baseline.observation import Observation
from quivive.baseline.tables import DAY_MS
from quivive.learn import detectors as package
from quivive.learn.detectors import detectors, ecod, isolation_forest, missing
from quivive.learn.detectors.detector import Detector, Entry, Seen, judged
from quivive.learn.detectors.freeman_model import (
    ROOT_WEIGHT,
    InterpolatedFreeman,
    PublishedFreeman,
)
from quivive.learn.detectors.impossible_travel import ImpossibleTravel
from quivive.learn.detectors.new_country import NewCountry
from quivive.learn.detectors.trailing import FEWEST_LOGINS, Trailing, matrix

numpy = pytest.importorskip("numpy")

NAMES = {"new-country", "impossible-travel", "freeman", "isolation-forest", "ecod"}
T0 = 20_000 * DAY_MS
HOUR = 3_600_000
LOGIN = Observation(
    time=T0, identity="dana", kind="human", log="signIns", outcome="success", accepted=True,
    hour=9, weekday=1, country="CA", lat=43.65, long=-79.38,
)  # fmt: skip


def seen(nats: dict[str, float] | None = None, **changes: object) -> Seen:
    return Seen(msgspec.structs.replace(LOGIN, **changes), nats or {}, 0.0)


def test_every_module_s_detector_is_found_and_fresh() -> None:
    assert {d.name for d in detectors()} == NAMES
    assert missing() == []
    one, other = detectors(), detectors()
    assert all(mine is not yours for mine, yours in zip(one, other, strict=True))


def test_a_detector_without_its_package_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    there = Entry("here", NewCountry)
    absent = Entry("absent", NewCountry, needs=("no_such_package_anywhere",))
    monkeypatch.setattr(package, "_entries", lambda: (there, absent))
    assert [d.name for d in detectors()] == ["new-country"]
    assert missing() == ["absent"]


def test_only_logins_whose_credential_was_right_are_judged() -> None:
    assert judged(LOGIN)
    assert judged(msgspec.structs.replace(LOGIN, outcome="interrupt"))
    assert not judged(msgspec.structs.replace(LOGIN, outcome="failure", accepted=False))
    assert not judged(msgspec.structs.replace(LOGIN, around="Password Reset"))


def test_new_country_ranks_the_rarest_first_and_alarms_once() -> None:
    detector = NewCountry()
    colleagues = [seen(identity=f"c{n}", country="US") for n in range(8)]
    assert detector.judge([*colleagues, seen(), seen()]) == [-inf] * 9 + [0.0]
    usual, rare, again, nowhere = detector.judge(
        [seen(country="US"), seen(country="RO"), seen(country="RO"), seen(country=None)]
    )
    # 10 logins learned, 8 of them from US; then 11, none of them from RO.
    assert usual == pytest.approx(1 + log(11 / 9))
    assert rare == pytest.approx(1 + log(12 / 1))
    assert (again, nowhere) == (0.0, -inf)


def test_new_country_learns_nothing_of_a_login_that_was_stopped() -> None:
    detector = NewCountry()
    detector.judge([seen(), seen(country="RO", outcome="interrupt")])
    assert detector.judge([seen(country="RO")])[0] > 1


def test_impossible_travel_is_speed_over_900_km_h() -> None:
    """A quarter of the equator is a quarter of 2 pi times 6,371 km: 10,007 km."""
    home, away = {"lat": 0.0, "long": 0.0}, {"lat": 0.0, "long": 90.0}

    def second(hours: float, **changes: object) -> float:
        there = seen(time=T0 + round(hours * HOUR), **{**away, **changes})
        return ImpossibleTravel().judge([seen(**home), there])[1]

    assert second(2) == pytest.approx(pi / 2 * 6371 / 2 / 900)
    assert second(12) == 0.0  # 834 km/h
    assert second(0.001, long=0.5) == 0.0  # 56 km in four seconds
    assert second(2, lat=None) == -inf
    # A failure from afar is neither judged nor the place that the next one is compared with.
    failed = seen(time=T0 + HOUR, outcome="failure", accepted=False, **away)
    later = seen(time=T0 + 2 * HOUR, **home)
    assert ImpossibleTravel().judge([seen(**home), failed, later]) == [-inf, -inf, 0.0]


def freeman_history(model: InterpolatedFreeman) -> InterpolatedFreeman:
    """Four logins of u and four of v, over an address feature (address, country)."""
    for user, ip, country in (
        *[("u", "a", "CA")] * 3, ("u", "b", "CA"),
        *[("v", "c", "CA")] * 2, *[("v", "d", "RO")] * 2,
    ):  # fmt: skip
        model.learn(user, [(ip, country)])
    return model


def test_freeman_interpolated_by_hand() -> None:
    """p(u|attack)/p(u|login) = (1/2)/(4/8) = 1, so that only the feature counts."""
    model = freeman_history(InterpolatedFreeman([(0.7, 0.3)]))
    # Own address: lift 2 (3 of 4 against 3 of 8); own country: 4/4 against 6/8, lift 4/3.
    assert model.risk("u", [("a", "CA")]) == pytest.approx(
        -log(0.7 * 2 + 0.3 * 4 / 3 + ROOT_WEIGHT)
    )
    # v's address in the own country, then in a new one, then what nobody ever showed.
    assert model.risk("u", [("c", "CA")]) == pytest.approx(-log(0.3 * 4 / 3 + ROOT_WEIGHT))
    assert model.risk("u", [("d", "RO")]) == pytest.approx(-log(ROOT_WEIGHT))
    assert model.risk("u", [("z", "XX")]) == pytest.approx(-log(ROOT_WEIGHT))
    assert model.risk("nobody", [("a", "CA")]) == -inf
    assert model.risk("u", [(None, None)]) == 0.0


def test_freeman_as_published_by_hand() -> None:
    model = freeman_history(PublishedFreeman([(0.7, 0.3)]))
    # Two countries known, so three unseen addresses: p(a) = 3/11; p(CA) = 6/8.
    usual = 0.7 * 3 / 11 + 0.3 * 6 / 8
    assert model.risk("u", [("a", "CA")]) == pytest.approx(log(usual / (0.7 * 3 / 4 + 0.3)))
    # New on every level: a quarter of what it is for everybody.
    assert model.risk("u", [("d", "RO")]) == pytest.approx(log(4))
    # An address nobody showed is smoothed: p = 1/11.
    unseen = 0.7 / 11 + 0.3 * 6 / 8
    assert model.risk("u", [("z", "CA")]) == pytest.approx(log(unseen / 0.3))


def test_freeman_weighs_how_rarely_a_user_logs_in() -> None:
    model = InterpolatedFreeman([(1.0,)])
    for user, times in (("often", 9), ("seldom", 1)):
        for _ in range(times):
            model.learn(user, [("a",)])
    # (1/2) / (9/10) against (1/2) / (1/10); the address is everybody's.
    often, seldom = (model.risk(user, [("a",)]) for user in ("often", "seldom"))
    assert seldom - often == pytest.approx(log(9))


def directly(sample: list[list[float]], row: list[float]) -> float:
    """ECOD of a row added to a sample, by the definition."""
    sums = [0.0, 0.0, 0.0]
    for column, value in zip(zip(*sample, strict=True), row, strict=True):
        whole = [*column, value]
        left = -log(sum(x <= value for x in whole) / len(whole))
        right = -log(sum(x >= value for x in whole) / len(whole))
        mean = sum(column) / len(column)
        skewness = sum((x - mean) ** 3 for x in column)
        for number, tail in enumerate((left, right, left if skewness < 0 else right)):
            sums[number] += tail
    return max(sums)


def test_ecod_is_its_definition() -> None:
    rng = numpy.random.default_rng(4)
    sample = numpy.round(rng.exponential(size=(60, 4)) * [1, -1, 2, 1], 1)  # with ties
    rows = numpy.round(rng.normal(size=(40, 4)) * 2, 1)
    found = ecod.fit(sample)(rows)
    expected = [directly(sample.tolist(), row) for row in rows.tolist()]
    assert found.tolist() == pytest.approx(expected)


def test_ecod_by_hand() -> None:
    """Of 1, 2, 3, 10 (skewed right) and a new 10: one half above or at it, all below or at it."""
    assert ecod.fit(numpy.array([[1.0], [2.0], [3.0], [10.0]]))(
        numpy.array([[10.0], [20.0]])
    ).tolist() == pytest.approx([-log(2 / 5), -log(1 / 5)])


def ordinary(number: int, day: int) -> Seen:
    nats = {"country": (number % 7) / 10, "client": (number % 5) / 10}
    return seen(nats, time=T0 + day * DAY_MS, identity=f"p{number}")


def odd(day: int) -> Seen:
    return seen({"country": 6.0, "client": 4.0}, time=T0 + day * DAY_MS)


@pytest.mark.parametrize("fit", [isolation_forest.fit, ecod.fit])
def test_what_is_fitted_alarms_on_the_odd_one_and_nothing_is_scored_before(fit: object) -> None:
    detector = Trailing("d", "D", fit)  # type: ignore[arg-type]
    assert set(detector.judge([ordinary(n, 0) for n in range(FEWEST_LOGINS)])) == {-inf}
    *usual, worst = detector.judge([*(ordinary(n, 1) for n in range(100)), odd(1)])
    assert worst >= max(usual)  # a tree parts it from the next one at the edge by chance only
    assert worst > sorted(usual)[-10]


def test_the_gate_keeps_the_day_s_own_top_out_of_the_next_fit() -> None:
    fitted: list[list[list[float]]] = []

    def fit(sample: "numpy.ndarray") -> object:  # type: ignore[name-defined]
        fitted.append(sample.tolist())
        return lambda rows: rows.sum(axis=1)

    detector = Trailing("d", "D", fit)  # type: ignore[arg-type]
    detector.judge([ordinary(n, 0) for n in range(FEWEST_LOGINS)])
    for day in range(1, 7):
        detector.judge([*(ordinary(n, day) for n in range(50)), odd(day)])
    assert len(fitted) == 1  # the first week stands
    detector.judge([ordinary(0, 8)])
    assert len(fitted) == 2
    assert len(fitted[1]) == FEWEST_LOGINS + 6 * 50
    assert max(map(max, fitted[1])) < 1.0  # the odd one of every day was held
    detector.judge([ordinary(0, 60)])
    assert len(fitted) == 2  # four weeks later nothing is left to fit on


def test_a_missing_feature_is_zero_and_an_unknown_one_is_left_out() -> None:
    assert matrix([{"a": 1.0, "new": 5.0}, {}], ("a", "b")).tolist() == [[1.0, 0.0], [0.0, 0.0]]


maybe = st.none() | st.sampled_from(["x", "y"])
coordinates = st.none() | st.floats(-90, 90)
logins = st.builds(
    lambda hours, accepted, outcome, nats, fields: seen(
        nats, time=T0 + hours * HOUR, accepted=accepted, outcome=outcome, **fields
    ),
    st.integers(0, 400),
    st.booleans(),
    st.sampled_from(["success", "failure", "interrupt"]),
    st.dictionaries(st.sampled_from(["country", "client", "hour"]), st.floats(-3, 6)),
    st.fixed_dictionaries(
        {
            "identity": st.sampled_from(["u", "v"]),
            **dict.fromkeys(("ip", "asn", "country", "os", "browser", "device", "around"), maybe),
            **dict.fromkeys(("lat", "long"), coordinates),
        }
    ),
)


def run(detector: Detector, days: list[list[Seen]]) -> list[list[float]]:
    return [detector.judge(day) for day in days]


@settings(max_examples=25)
@given(st.lists(st.lists(logins, max_size=8), max_size=4))
def test_any_login_has_a_score_and_the_same_each_time(days: list[list[Seen]]) -> None:
    first = [ordinary(n, -1) for n in range(FEWEST_LOGINS)]
    for detector, again in zip(detectors(), detectors(), strict=True):
        if detector.name == "isolation-forest":
            continue  # its determinism below: a fit each is too slow for many examples
        scores = run(detector, [first, *days])
        assert [len(found) for found in scores[1:]] == [len(day) for day in days]
        assert all(score == score and score < inf for found in scores for score in found)
        assert scores == run(again, [first, *days])
        for day, found in zip(days, scores[1:], strict=True):
            for login, score in zip(day, found, strict=True):
                assert judged(login.login) or score == -inf


def test_the_forest_is_the_same_each_time() -> None:
    days = [[ordinary(n, 0) for n in range(FEWEST_LOGINS)], [ordinary(3, 1), odd(1)]]
    one, other = (isolation_forest.DETECTOR.make() for _ in range(2))
    assert run(one, days) == run(other, days)
