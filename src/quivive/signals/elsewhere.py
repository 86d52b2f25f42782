"""Whether the identity's main sign-in has been where one of its other credentials is used."""

from collections.abc import Sequence
from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Profile, Scene
from quivive.baseline.tables import DAY_MS
from quivive.model.assessment import Evidence
from quivive.signals.signal import NOTHING, Case, Signal, Spoken, circumstance, familiarity

ATTACK = ("T1078",)

SIGN_IN_WEIGHT = 2.0
CREDENTIAL_WEIGHT = 4.5  # a key or token comes with the laptop that its owner signs in on
OPERATOR_WEIGHT = 2.0  # of a key over a network new to its owner, within a country that is not
OFTEN = 10.0  # decayed logins by which the main product would have shown a journey
LATELY = 5 * DAY_MS
# Where its owner signed in lately: on the same network, over the same operator alone, not there, or
# nowhere at all.
COMPANY = {
    "here": Case("on a network where its owner signed in within 5 days", 0.1),
    "near": Case(
        "over an operator where its owner signed in within 5 days, on another network", 0.15
    ),
    "elsewhere": Case(
        "on a network where its owner, who signed in elsewhere, did not within 5 days", 0.65
    ),
    "nowhere": Case("its owner signed in nowhere within 5 days", 0.1),
}


def main_product(profile: Profile) -> str | None:
    """The product that the identity signs in to most."""
    table = profile.own.tables.get("log")
    if table is None or not table.values:
        return None
    best = max(table.values.items(), key=lambda item: (item[1], item[0]))[0]
    return best.partition("/")[0]


def is_credential(login: Observation) -> bool:
    """Whether a key, a token or the like is used (on a host, for an operation): no sign-in."""
    return login.host is not None or login.operation is not None


def whereabouts(login: Observation) -> list[str]:
    """The login's network and operator, as they are remembered of sign-ins."""
    found = [] if login.network is None else [login.network]
    return found if login.asn is None else [*found, f"AS{login.asn}"]


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """Of a key or token in use: whether its owner signed in there lately, given the log."""
    signed_in = scene.profile.signed_in
    if not signed_in or login.network is None or not login.public:
        return NOTHING
    if login.kind != "human" or login.around is not None or not is_credential(login):
        return NOTHING
    since = login.time - LATELY
    if signed_in.get(login.network, 0) > since:
        where = "here"
    elif any(signed_in.get(place, 0) > since for place in whereabouts(login)):
        where = "near"
    else:
        where = "elsewhere" if max(signed_in.values()) > since else "nowhere"
    return _features(login.log, where)


@lru_cache(256)
def _features(log: str, where: str) -> Spoken:
    return circumstance("company", "credential used", log, where, COMPANY, ATTACK)


def _often(main: str, levels: Levels) -> float:
    """Decayed logins of the identity in its main product."""
    logs = levels.own.tables["log"].values
    return sum(n for log, n in logs.items() if log.partition("/")[0] == main) / levels.own_scale


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """A country in a second product, where the main one was not lately."""
    country, profile = login.country, scene.profile
    if country is None or login.kind != "human" or login.around is not None:
        return ()
    credential = is_credential(login)
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
    if _often(main, levels) < OFTEN:
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
        "unaccompanied": "A second product used from a country where the main one was not lately.",
        "company": "How usual it is that a key or token is used on a network where its owner did"
        " not sign in within five days.",
    },
    attack=ATTACK,
    features=features,
    evidence=evidence,
)
