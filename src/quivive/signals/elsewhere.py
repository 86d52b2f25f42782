"""Whether the identity's main sign-in has been where one of its other credentials is used."""

from collections.abc import Sequence

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Profile, Scene
from quivive.baseline.tables import DAY_MS
from quivive.model.assessment import Evidence
from quivive.signals.signal import Signal, familiarity

ATTACK = ("T1078",)

SIGN_IN_WEIGHT = 2.0
CREDENTIAL_WEIGHT = 4.5  # a key or token comes with the laptop that its owner signs in on
OPERATOR_WEIGHT = 2.0  # of a key over a network new to its owner, within a country that is not
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
    credential = login.host is not None or login.operation is not None
    abroad = familiarity(levels, "country", country) != "own"
    if not abroad and (
        not credential or login.asn is None or familiarity(levels, "operator", login.asn) == "own"
    ):
        return ()
    main = main_product(profile)
    if main is None or main == login.log.partition("/")[0]:
        return ()
    where = profile.main_countries.last_seen if abroad else profile.main_operators.last_seen
    place = country if abroad else login.asn or ""
    if not where or abs(login.time - where.get(place, 0)) < LATELY:
        return ()
    logs = levels.own.tables["log"].values
    often = sum(n for log, n in logs.items() if log.partition("/")[0] == main)
    if often / levels.own_scale < OFTEN:
        return ()
    if not abroad:
        weight, place = OPERATOR_WEIGHT, f"on AS{login.asn}"
    else:
        weight, place = CREDENTIAL_WEIGHT if credential else SIGN_IN_WEIGHT, f"in {country}"
    return (
        Evidence(
            signal="unaccompanied",
            weight=weight,
            text=f"{main}, where this identity signs in most, has not seen it {place} in 5 days",
            attack=ATTACK,
        ),
    )


SIGNAL = Signal(
    name="elsewhere",
    group="session",
    title="Whether the main sign-in came along",
    tells={
        "unaccompanied": "A second product used from a country where the main one was not lately."
    },
    attack=ATTACK,
    evidence=evidence,
)
