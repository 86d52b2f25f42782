"""A speed between two consecutive logins that no traveller makes.

The rule of nearly every product, with its defaults: BuffaLogs alarms above 300 km/h, Panther above
900 km/h, authentik above 1,000 km/h, CrowdSec by distance above 1,000 km, tirreno at a change of
country within 30 minutes. Here 900 km/h, the cruising speed of an airliner, over at least 100 km,
because geolocation is not better than that. Nothing is forgiven for a VPN, a shared or a known
address, as the rules of the products forgive nothing either. ``signals/travel.py`` is Quivive's own
way, which does.
"""

from collections.abc import Sequence
from typing import NamedTuple

from quivive.baseline.geometry import distance_km
from quivive.learn.detectors.detector import NOT_EVALUABLE, Entry, Seen, judged

FASTEST_KMH = 900.0
SHORTEST_KM = 100.0
SHORTEST_HOURS = 1 / 60  # logs are not in step by less than a minute
SILENT = 0.0


class _Last(NamedTuple):
    time: int
    lat: float
    long: float


class ImpossibleTravel:
    """The speed in multiples of 900 km/h where it is above that, else ``SILENT`` (0)."""

    name = "impossible-travel"
    title = "Impossible travel (900 km/h)"

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}

    def judge(self, day: Sequence[Seen]) -> list[float]:
        """Score, then learn, login by login: each is compared with the one before it."""
        return [self._step(seen) for seen in day]

    def _step(self, seen: Seen) -> float:
        login = seen.login
        if login.lat is None or login.long is None or not judged(login):
            return NOT_EVALUABLE
        last = self._last.get(login.identity)
        score = NOT_EVALUABLE
        if last is not None:
            score = SILENT
            km = distance_km(last.lat, last.long, login.lat, login.long)
            hours = max(abs(login.time - last.time) / 3_600_000, SHORTEST_HOURS)
            speed = km / hours
            if km >= SHORTEST_KM and speed > FASTEST_KMH:
                score = speed / FASTEST_KMH
        if login.learnable:
            self._last[login.identity] = _Last(login.time, login.lat, login.long)
        return score


DETECTOR = Entry(ImpossibleTravel.name, ImpossibleTravel)
