"""Whether the identity's main sign-in has been where one of its other credentials is used."""

from collections.abc import Sequence

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Profile, Scene
from quivive.baseline.tables import DAY_MS
from quivive.model.assessment import Evidence
from quivive.signals.signal import Signal, familiarity

ATTACK = ("T1078",)

WEIGHT = 2.0
OFTEN = 10.0  # decayed logins by which the main product would have shown a journey
LATELY = 5 * DAY_MS


def main_product(profile: Profile) -> str | None:
    """The product that the identity signs in to most."""
    table = profile.own.tables.get("log")
    if table is None or not table.values:
        return None
    best = max(table.values.items(), key=lambda item: (item[1], item[0]))[0]
    return best.partition("/")[0]


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """A country in a second product, where the main one was not lately."""
    country, profile = login.country, scene.profile
    if country is None or login.kind != "human" or login.around is not None:
        return ()
    if familiarity(levels, "country", country) == "own":
        return ()
    main = main_product(profile)
    if main is None or main == login.log.partition("/")[0]:
        return ()
    where = profile.main_countries.last_seen
    if not where or abs(login.time - where.get(country, 0)) < LATELY:
        return ()
    logs = levels.own.tables["log"].values
    often = sum(n for log, n in logs.items() if log.partition("/")[0] == main)
    if often / levels.own_scale < OFTEN:
        return ()
    return (
        Evidence(
            signal="unaccompanied",
            weight=WEIGHT,
            text=f"{main}, where this identity signs in most, has not seen it in {country}"
            " in 5 days",
            attack=ATTACK,
        ),
    )


SIGNAL = Signal(
    name="elsewhere",
    group="journey",
    title="Whether the main sign-in came along",
    tells={
        "unaccompanied": "A second product used from a country where the main one was not lately."
    },
    attack=ATTACK,
    evidence=evidence,
)
