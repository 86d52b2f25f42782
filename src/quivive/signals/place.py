"""Where in the world: country, and city within the country."""

from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import CACHED, Feature, Missing, Signal, Spoken, familiarity, spoken

ATTACK = ("T1078",)
CITIES = 30
COUNTRIES = 60  # that attackers come from, and travellers go to


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """Country; city given the country, or given the operator where that is a usual one."""
    asn = login.asn
    # One operator's addresses move between cities (carriers, pools): within an operator that the
    # identity uses, its own spread of cities is the measure.
    within = asn is not None and familiarity(levels, "operator", asn) == "own"
    return _features(login.country, login.city or login.region, asn, within)


@lru_cache(CACHED)
def _features(country: str | None, city: str | None, asn: str | None, within: bool) -> Spoken:
    if country is None:
        return spoken(Missing("country", "no place for this address"))
    of_country = Feature(
        signal="country",
        factor="country",
        key=country,
        label=f"country {country}",
        categories=COUNTRIES,
        attack=ATTACK,
    )
    if city is None:
        return spoken(of_country, Missing("city", "no city for this address"))
    of_city = Feature(
        signal="city",
        factor="city",
        key=f"{country}/{city}",
        label=f"city {city}",
        given=("country", country),
        categories=CITIES,
        attack=ATTACK,
        weigh=not within,
    )
    if asn is None:
        return spoken(of_country, of_city)
    of_operator = Feature(
        signal="city",
        factor="operator_city",
        key=f"{country}/{asn}/{city}",
        label=f"city {city}",
        given=("asn", f"{country}/{asn}"),
        categories=CITIES,
        attack=ATTACK,
        weigh=within,
    )
    return spoken(of_country, of_city, of_operator)


SIGNAL = Signal(
    name="place",
    group="place",
    title="Where the login comes from",
    tells={
        "country": "How usual the country is for the identity, its peers and the organisation.",
        "city": "How usual the city is, given the country.",
    },
    attack=ATTACK,
    features=features,
)
