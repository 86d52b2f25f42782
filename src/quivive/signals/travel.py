"""Impossible travel, on event time, against the logins before and after."""

from collections.abc import Sequence
from math import log

from quivive.baseline.backoff import Levels
from quivive.baseline.geometry import distance_km
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Place, Scene
from quivive.baseline.tables import DAY_MS
from quivive.model.assessment import Evidence
from quivive.signals.signal import Signal, familiarity

ATTACK = ("T1078",)
SLACK_KM = 100.0  # geolocation is not better than this
SHORTEST_HOURS = 0.25
FASTEST_KMH = 900.0
SHARED_BY = 5  # identities at home on an address before it counts as egress
SHARED_DAMPING = 0.15
KNOWN_DAMPING = 0.3
NEIGHBOUR_HOURS = 24.0


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """The fastest journey no traveller makes, and one country more within a day."""
    found = (_spread(login, scene), _journey(login, scene, levels))
    return [evidence for evidence in found if evidence is not None]


def _journey(login: Observation, scene: Scene, levels: Levels) -> Evidence | None:
    if login.lat is None or login.long is None:
        return None
    fastest: tuple[float, float, float, Place] | None = None
    for place in scene.profile.places:
        if place.ip == login.ip:
            continue
        hours = abs(login.time - place.time) / 3_600_000
        if hours > NEIGHBOUR_HOURS:
            continue
        km = distance_km(login.lat, login.long, place.lat, place.long)
        speed = (km - SLACK_KM) / max(hours, SHORTEST_HOURS)
        if speed > FASTEST_KMH and (fastest is None or speed > fastest[0]):
            fastest = (speed, km, hours, place)
    if fastest is None:
        return None
    speed, km, hours, place = fastest
    weight = min(4.0, 1.5 + log(speed / FASTEST_KMH))
    note = ""
    if scene.address is not None and scene.address.others(login.identity) >= SHARED_BY:
        weight *= SHARED_DAMPING
        note = "; the address is shared by many"
    elif _at_home(login, levels):
        weight *= SHARED_DAMPING
        note = "; the address is one the identity uses"
    elif login.asn is not None and familiarity(levels, "operator", login.asn) == "own":
        weight *= KNOWN_DAMPING
        note = "; the network is one the identity uses"
    where = ", ".join(part for part in (login.city, login.country) if part)
    return Evidence(
        signal="travel",
        weight=weight,
        text=f"{km:.0f} km between {place.label} and {where or login.ip} in {_span(hours)}"
        f" ({speed:.0f} km/h){note}",
        attack=ATTACK,
    )


def _spread(login: Observation, scene: Scene) -> Evidence | None:
    seen = scene.profile.countries.last_seen
    if not login.country or not seen or (len(seen) == 1 and login.country in seen):
        return None
    countries = scene.profile.countries.members(login.time)
    if not countries or login.country in countries:
        return None
    usual = scene.profile.network_rate.at(login.time - DAY_MS)
    return Evidence(
        signal="spread",
        weight=0.5 * log(1 + len(countries)) / (1 + usual / 10),
        text=f"country {login.country} is number {len(countries) + 1} within 24 h"
        f" after {', '.join(sorted(countries))}",
        attack=("T1078", "T1090"),
    )


def _at_home(login: Observation, levels: Levels) -> bool:
    """A desktop left on at home goes on working while its owner is away."""
    return login.ip is not None and familiarity(levels, "address", login.ip) == "own"


def _span(hours: float) -> str:
    return f"{hours * 60:.0f} min" if hours < 2 else f"{hours:.1f} h"


SIGNAL = Signal(
    name="travel",
    group="journey",
    title="Whether one body could have made the journey",
    tells={
        "travel": "Speed between this login and its neighbours in time, above 900 km/h.",
        "spread": "Another country within 24 hours.",
    },
    attack=("T1078", "T1090"),
    evidence=evidence,
)
