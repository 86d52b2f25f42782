"""With what client: operating system, browser or program, TLS fingerprint."""

from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import (
    CACHED,
    Feature,
    Missing,
    Signal,
    Spoken,
    familiarity,
    member,
    spoken,
)

ATTACK = ("T1078",)
TLS_PRIORS = {"own": 0.3, "colleagues": 0.3, "new": 0.4}


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """Operating system given the log; browser given both; TLS fingerprint."""
    tls = login.tls
    known = "" if tls is None else familiarity(levels, "tls", tls)
    return _features(login.log, login.os, login.browser, tls, known)


@lru_cache(CACHED)
def _features(log: str, os: str | None, browser: str | None, tls: str | None, known: str) -> Spoken:
    given = ("log", log)
    found: list[Feature | Missing] = []
    if os is None and browser is None:
        found.append(Missing("client", "the record names no client"))
    else:
        system = f"{log}/{os or '?'}"
        found += (
            Feature(
                signal="os",
                factor="os",
                key=system,
                label=f"operating system {os or 'unknown'}",
                given=given,
                categories=6,
                attack=ATTACK,
            ),
            Feature(
                signal="client",
                factor="client",
                key=f"{system}/{browser or '?'}",
                label=f"client {browser or 'unknown'}",
                given=("os", system),
                categories=8,
                attack=ATTACK,
            ),
        )
    if tls is not None:
        found += member("tls", "tls", tls, known, TLS_PRIORS, "TLS fingerprint", given, ATTACK)
    return spoken(*found)


SIGNAL = Signal(
    name="client",
    group="client",
    title="With which client the login is made",
    tells={
        "os": "How usual the operating system is in this log.",
        "client": "How usual the browser or program is, given the operating system; never its"
        " version, so that upgrades say nothing.",
        "tls": "Whether the TLS fingerprint (JA3, JA4) was seen before.",
    },
    attack=ATTACK,
    features=features,
)
