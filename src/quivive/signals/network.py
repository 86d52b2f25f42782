"""Over which network: operator, kind of network, and whether the address is known."""

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
PROXY = ("T1078", "T1090")
COLLEAGUES = 2  # identities at home on an address before it counts as shared
# How attackers come, by kind of network: weak priors, switchable in the settings.
KIND_PRIORS = {
    "hosting": 0.45,
    "vpn": 0.25,
    "tor": 0.08,
    "proxy": 0.1,
    "residential": 0.25,
    "mobile": 0.08,
    "corporate": 0.05,
    "private": 0.05,
}
# An attacker behind an operator the identity uses, and behind one it never used.
ADDRESS_PRIORS = {"own": 0.03, "network": 0.04, "colleagues": 0.08, "new": 0.85}
_LABELS = {
    "own": "used before",
    "network": "same network as before",
    "colleagues": "used by colleagues",
    "new": "never seen",
}


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """Operator given the country; kind of network; familiarity of the address."""
    if login.ip is None:
        return _WITHOUT
    asn = login.asn
    operator = "unknown" if asn is None else familiarity(levels, "operator", asn)
    known = _address(login, scene.address, levels)
    kind = login.network_kind or ("private" if not login.public else None)
    return _features(
        login.ip, login.network, login.public, login.country, asn, login.as_name, kind, operator,
        known,
    )  # fmt: skip


_WITHOUT = spoken(Missing("address", "the record names no address"))


@lru_cache(CACHED)
def _features(
    ip: str,
    network: str | None,
    public: bool,
    country: str | None,
    asn: str | None,
    as_name: str | None,
    kind: str | None,
    operator: str,
    known: str,
) -> Spoken:
    found: list[Feature | Missing] = []
    if asn is not None:
        place = country or "?"
        name = f" {as_name}" if as_name else ""
        found += (
            Feature(
                signal="network",
                factor="asn",
                key=f"{place}/{asn}",
                label=f"network AS{asn}{name}",
                given=("country", place) if country else None,
                categories=20,
                attack=ATTACK,
            ),
            Feature(signal="network", factor="operator", key=asn, weigh=False),
        )
    elif public:
        found.append(Missing("network", "no operator for this address"))
    if kind is not None:
        found.append(
            Feature(
                signal="network_kind",
                factor="network_kind",
                key=kind,
                label=f"{kind} network",
                categories=6,
                attacker=KIND_PRIORS.get(kind, 0.1),
                attack=PROXY,
                group="carrier",
            )
        )
    familiar = Feature(
        signal="address",
        factor="address?",
        key=f"{operator}/{known}",
        label=f"address {ip} ({_LABELS[known]})",
        given=("operator?", operator),
        categories=4,
        attacker=ADDRESS_PRIORS[known],
        attack=ATTACK,
    )
    found += (
        familiar,
        Feature(signal="address", factor="operator?", key=operator, weigh=False),
        Feature(signal="address", factor="address", key=ip, weigh=False),
    )
    if network is not None:
        found.append(Feature(signal="address", factor="subnet", key=network, weigh=False))
    return spoken(*found)


def _address(login: Observation, address: AddressState | None, levels: Levels) -> str:
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
    name="network",
    group="place",
    title="Over which network the login comes",
    tells={
        "network": "How usual the network operator is, given the country.",
        "network_kind": "Hosting, VPN, Tor, mobile, residential or corporate network.",
        "address": "Whether the address is the identity's own, its network's, its colleagues' or"
        " new, against how often the identity changes address.",
    },
    attack=PROXY,
    features=features,
)
