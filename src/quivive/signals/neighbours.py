"""Whether the address was part of a finding on somebody else."""

from collections.abc import Sequence

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.baseline.tables import DAY_MS
from quivive.model.assessment import Evidence
from quivive.signals.signal import Signal

ATTACK = ("T1078", "T1110.003")
HORIZON = 7 * DAY_MS
CONFIRMED_HORIZON = 90 * DAY_MS  # what an analyst confirmed is remembered longer
CONFIRMED = 1.0


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """Findings on other identities from the same address within seven days, and confirmed attacks
    within ninety.
    """
    address = scene.address
    if address is None or not (address.findings or address.hostile):
        return ()
    others = _others(address.findings, login, HORIZON)
    confirmed = _others(address.hostile, login, CONFIRMED_HORIZON)
    if not others and not confirmed:
        return ()
    at_home = len(address.good)
    weight = min(2.5, 0.5 + 0.5 * len({*others, *confirmed})) + CONFIRMED * bool(confirmed)
    said = f"; attacks on {len(confirmed)} from there are confirmed" if confirmed else ""
    return (
        Evidence(
            signal="tainted_address",
            weight=weight / (1 + at_home),
            text=f"address {login.ip} was in findings on {len(others)} other identities in 7 days"
            f"{said}; {at_home} are at home there",
            attack=ATTACK,
        ),
    )


def _others(times: dict[str, int], login: Observation, horizon: int) -> list[str]:
    return [
        identity
        for identity, time in times.items()
        if identity != login.identity and 0 <= login.time - time < horizon
    ]


SIGNAL = Signal(
    name="neighbours",
    group="around",
    title="Who else was attacked from there",
    tells={"tainted_address": "Recent findings on other identities from the same address."},
    attack=ATTACK,
    evidence=evidence,
)
