"""Whether the address is known: to the identity, to its colleagues, or to nobody."""

from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import AddressState, Scene
from quivive.signals.signal import (
    CACHED,
    KNOWN_ABOVE,
    Feature,
    Missing,
    Signal,
    Spoken,
    familiarity,
    spoken,
)

ATTACK = ("T1078",)
COLLEAGUES = 2  # identities at home on an address before it counts as shared
# An attacker behind an operator the identity uses, and behind one it never used.
ADDRESS_PRIORS = {"own": 0.03, "network": 0.04, "colleagues": 0.08, "new": 0.85}
_LABELS = {
    "own": "used before",
    "network": "same network as before",
    "colleagues": "used by colleagues",
    "new": "never seen",
}


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """Familiarity of the address, given that of its operator."""
    if login.ip is None:
        return _WITHOUT
    operator = "unknown" if login.asn is None else familiarity(levels, "operator", login.asn)
    return _features(login.ip, login.network, operator, _known(login, scene.address, levels))


_WITHOUT = spoken(Missing("address", "the record names no address"))


@lru_cache(CACHED)
def _features(ip: str, network: str | None, operator: str, known: str) -> Spoken:
    found = [
        Feature(
            signal="address",
            factor="address?",
            key=f"{operator}/{known}",
            label=f"address {ip} ({_LABELS[known]})",
            given=("operator?", operator),
            categories=4,
            attacker=ADDRESS_PRIORS[known],
            attack=ATTACK,
        ),
        Feature(signal="address", factor="operator?", key=operator, weigh=False, parent=True),
        Feature(signal="address", factor="address", key=ip, weigh=False),
    ]
    if network is not None:
        found.append(Feature(signal="address", factor="subnet", key=network, weigh=False))
    return spoken(*found)


def _known(login: Observation, address: AddressState | None, levels: Levels) -> str:
    own = levels.own.tables.get("address")
    if own is not None and login.ip is not None:
        if own.values.get(login.ip, 0.0) / levels.own_scale > KNOWN_ABOVE:
            return "own"
    if address is not None and address.others(login.identity) >= COLLEAGUES:
        return "colleagues"
    subnet = levels.own.tables.get("subnet")
    if subnet is not None and login.network is not None:
        if subnet.values.get(login.network, 0.0) / levels.own_scale > KNOWN_ABOVE:
            return "network"
    return "new"


SIGNAL = Signal(
    name="address",
    group="place",
    title="Whether the address is known",
    tells={
        "address": "Whether the address is the identity's own, its network's, its colleagues' or"
        " new, against how often the identity changes address.",
    },
    attack=ATTACK,
    features=features,
)
