"""Whether a session stays where it began, and how many places appear in a day."""

from collections.abc import Iterator
from math import log

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.baseline.tables import DAY_MS
from quivive.model.assessment import Evidence
from quivive.signals.signal import Signal, familiarity

REPLAY = ("T1539", "T1550.004")
SPREAD = ("T1078", "T1090")


def evidence(login: Observation, scene: Scene, levels: Levels) -> Iterator[Evidence]:
    """A session id met from another operator or country; many countries within a day."""
    origin = scene.profile.sessions.get(login.session) if login.session else None
    if origin is not None and login.ip is not None and login.ip != origin.ip:
        known = login.asn is not None and familiarity(levels, "operator", login.asn) == "own"
        weight = 0.0
        if login.country and origin.country and login.country != origin.country:
            weight = 1.0
        elif login.asn and origin.asn and login.asn != origin.asn:
            weight = 0.5
        if login_client(login) != origin.client:
            weight += 2.5
        if known:
            weight *= 0.25
        if weight:
            yield Evidence(
                signal="session",
                weight=weight,
                text=f"session begun at {origin.ip} ({origin.country or '?'}, {origin.client})"
                f" continues at {login.ip} ({login.country or '?'}, {login_client(login)})",
                attack=REPLAY,
            )
    countries = scene.profile.countries.members(login.time)
    if login.country and login.country not in countries and countries:
        usual = scene.profile.network_rate.at(login.time - DAY_MS)
        weight = 0.5 * log(1 + len(countries)) / (1 + usual / 10)
        yield Evidence(
            signal="spread",
            weight=weight,
            text=f"country {login.country} is number {len(countries) + 1} within 24 h"
            f" after {', '.join(sorted(countries))}",
            attack=SPREAD,
        )


def login_client(login: Observation) -> str:
    """The client in two words, to compare the two ends of a session."""
    return f"{login.browser or '?'} on {login.os or '?'}"


SIGNAL = Signal(
    name="session",
    group="session",
    title="Whether a session stays where it began",
    tells={
        "session": "One session id from two operators, countries or clients: a replayed token.",
        "spread": "Another country within 24 hours.",
    },
    attack=REPLAY + SPREAD,
    evidence=evidence,
)
