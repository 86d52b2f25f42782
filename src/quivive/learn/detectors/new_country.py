"""The first login of an identity from a country: the commonest rule of all.

As products ship it (Entra ID's "new country", Elastic's "first time seen country", BuffaLogs'
"new country"). They remember 5 to 45 days and tell all new countries alike; here the memory has no
end, and among new countries the one that is rarest in the organisation comes first, because an
alert budget needs an order. An identity's first login only opens its list.
"""

from collections import Counter
from collections.abc import Sequence
from math import log

from quivive.learn.detectors.detector import NOT_EVALUABLE, Entry, Seen, judged

SILENT = 0.0


class NewCountry:
    """``SILENT`` (0) for a country the identity knows; above 1 for a new one, by its rarity."""

    name = "new-country"
    title = "New country"

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}
        self._everyone: Counter[str] = Counter()
        self._total = 0

    def judge(self, day: Sequence[Seen]) -> list[float]:
        """Score, then learn, login by login: the second login from a new country is silent."""
        return [self._step(seen) for seen in day]

    def _step(self, seen: Seen) -> float:
        login = seen.login
        country = login.country
        if country is None or not judged(login):
            return NOT_EVALUABLE
        known = self._known.get(login.identity)
        if known is None:
            score = NOT_EVALUABLE
        elif country in known:
            score = SILENT
        else:
            score = 1.0 + log((self._total + 1) / (self._everyone[country] + 1))
        if login.learnable:
            self._known.setdefault(login.identity, set()).add(country)
            self._everyone[country] += 1
            self._total += 1
        return score


DETECTOR = Entry(NewCountry.name, NewCountry)
