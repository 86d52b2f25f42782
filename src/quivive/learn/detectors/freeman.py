"""Freeman et al.'s model (``freeman_model.py``) on logins: an address and a client hierarchy.

What differs from the papers: observations carry no raw user agent and no versions, so the finest
level of the client is all of it together (system, browser, device). Of the two ways to interpolate
it takes the one that found more on simulated organisations. It judges online, every login by all
that were learned before it.
"""

from collections.abc import Sequence

from quivive.learn.detectors.detector import NOT_EVALUABLE, Entry, Seen, judged
from quivive.learn.detectors.freeman_model import (
    ADDRESS_WEIGHTS,
    CLIENT_WEIGHTS,
    InterpolatedFreeman,
)


class Freeman:
    """ln of the risk: above 0 an attacker is likelier than the user, if attackers are as many."""

    name = "freeman"
    title = "Freeman et al. (address, client)"

    def __init__(self) -> None:
        self._model = InterpolatedFreeman((ADDRESS_WEIGHTS, CLIENT_WEIGHTS))

    def judge(self, day: Sequence[Seen]) -> list[float]:
        """Score, then learn, login by login."""
        return [self._step(seen) for seen in day]

    def _step(self, seen: Seen) -> float:
        login = seen.login
        if not judged(login):
            return NOT_EVALUABLE
        known = login.os or login.browser or login.device
        client = f"{login.os}|{login.browser}|{login.device}" if known else None
        features = (
            (login.ip, login.asn, login.country),
            (client, login.browser, login.os, login.device),
        )
        score = self._model.risk(login.identity, features)
        if login.learnable:
            self._model.learn(login.identity, features)
        return score


DETECTOR = Entry(Freeman.name, Freeman)
