"""Where in the world: country, and city within the country."""

from collections.abc import Iterator

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import Feature, Missing, Signal, familiarity

ATTACK = ("T1078",)
CITIES = 30
COUNTRIES = 60  # that attackers come from, and travellers go to


def features(login: Observation, scene: Scene, levels: Levels) -> Iterator[Feature | Missing]:
    """Country; city given the country, or given the operator where that is a usual one."""
    country = login.country
    if country is None:
        yield Missing("country", "no place for this address")
        return
    yield Feature(
        signal="country",
        factor="country",
        key=country,
        label=f"country {country}",
        categories=COUNTRIES,
        attack=ATTACK,
    )
    city = login.city or login.region
    if city is None:
        yield Missing("city", "no city for this address")
        return
    # One operator's addresses move between cities (carriers, pools): within an operator that the
    # identity uses, its own spread of cities is the measure.
    within = login.asn is not None and familiarity(levels, "operator", login.asn) == "own"
    yield Feature(
        signal="city",
        factor="city",
        key=f"{country}/{city}",
        label=f"city {city}",
        given=("country", country),
        categories=CITIES,
        attack=ATTACK,
        weigh=not within,
    )
    if login.asn is not None:
        yield Feature(
            signal="city",
            factor="operator_city",
            key=f"{country}/{login.asn}/{city}",
            label=f"city {city}",
            given=("asn", f"{country}/{login.asn}"),
            categories=CITIES,
            attack=ATTACK,
            weigh=within,
        )


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
