"""With what client: operating system, browser or program, TLS fingerprint."""

from collections.abc import Iterator

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import Feature, Missing, Signal, member

ATTACK = ("T1078",)
TLS_PRIORS = {"own": 0.3, "colleagues": 0.3, "new": 0.4}


def features(login: Observation, scene: Scene, levels: Levels) -> Iterator[Feature | Missing]:
    """Operating system given the log; browser given both; TLS fingerprint."""
    given = ("log", login.log)
    if login.os is None and login.browser is None:
        yield Missing("client", "the record names no client")
    else:
        system = f"{login.log}/{login.os or '?'}"
        yield Feature(
            signal="os",
            factor="os",
            key=system,
            label=f"operating system {login.os or 'unknown'}",
            given=given,
            categories=6,
            attack=ATTACK,
        )
        yield Feature(
            signal="client",
            factor="client",
            key=f"{system}/{login.browser or '?'}",
            label=f"client {login.browser or 'unknown'}",
            given=("os", system),
            categories=8,
            attack=ATTACK,
        )
    if login.tls is not None:
        yield from member(
            "tls", "tls", login.tls, levels, TLS_PRIORS, "TLS fingerprint", given, ATTACK
        )


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
