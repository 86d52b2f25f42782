"""Whether the address was part of a finding on somebody else."""

from collections.abc import Iterator

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.baseline.tables import DAY_MS
from quivive.model.assessment import Evidence
from quivive.signals.signal import Signal

ATTACK = ("T1078", "T1110.003")
HORIZON = 7 * DAY_MS


def evidence(login: Observation, scene: Scene, levels: Levels) -> Iterator[Evidence]:
    """Findings on other identities from the same address within seven days."""
    address = scene.address
    if address is None or not address.findings:
        return
    others = [
        identity
        for identity, time in address.findings.items()
        if identity != login.identity and 0 <= login.time - time < HORIZON
    ]
    if not others:
        return
    at_home = len(address.good)
    weight = min(2.5, 0.5 + 0.5 * len(others)) / (1 + at_home)
    yield Evidence(
        signal="tainted_address",
        weight=weight,
        text=f"address {login.ip} was in findings on {len(others)} other identities in 7 days;"
        f" {at_home} are at home there",
        attack=ATTACK,
    )


SIGNAL = Signal(
    name="neighbours",
    group="around",
    title="Who else was attacked from there",
    tells={"tainted_address": "Recent findings on other identities from the same address."},
    attack=ATTACK,
    evidence=evidence,
)
