"""Over which network: its operator, and what kind of network it is."""

from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import (
    CACHED,
    NOTHING,
    Feature,
    Missing,
    Signal,
    Spoken,
    familiarity,
    spoken,
)

ATTACK = ("T1078",)
PROXY = ("T1078", "T1090")
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


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """Operator given the country; kind of network, given how familiar the operator is."""
    if login.ip is None:
        return NOTHING
    kind = login.network_kind or ("private" if not login.public else None)
    asn, operator = login.asn, "own"
    # A machine is not underway: a kind of network that it never used is odd over any operator.
    if asn is not None and kind is not None:
        if login.kind == "human" or familiarity(levels, "network_kind", kind) == "own":
            operator = familiarity(levels, "operator", asn)
    table = levels.everyone.tables.get("network_kind")
    known = table is not None and bool(table.values)
    shown = table is not None and kind in table.values
    return _features(login.public, login.country, asn, login.as_name, kind, operator, known, shown)


@lru_cache(CACHED)
def _features(
    public: bool,
    country: str | None,
    asn: str | None,
    as_name: str | None,
    kind: str | None,
    operator: str,
    known: bool,
    shown: bool,
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
        # Who works behind the same proxy every day makes no other proxy usual: over an operator
        # that is not the identity's own, only such operators are the measure.
        own = operator == "own"
        # Before any login's kind is known, there is nothing that attackers could differ from. And
        # that they seldom come so says nothing for who does: not by Tor, nor as nobody here did.
        share = KIND_PRIORS.get(kind, 0.1) if known else None
        alarms_only = kind == "tor" or not shown
        found += (
            Feature(
                signal="network_kind",
                factor="network_kind",
                key=kind,
                label=f"{kind} network",
                categories=6,
                attacker=share,
                attack=PROXY,
                group="carrier",
                alarms_only=alarms_only,
                weigh=own,
            ),
        )
        if not own:
            found.append(
                Feature(
                    signal="network_kind",
                    factor="foreign_kind",
                    key=f"{operator}/{kind}",
                    label=f"{kind} network",
                    given=("operator?", operator),
                    categories=6,
                    attacker=share,
                    attack=PROXY,
                    group="carrier",
                    alarms_only=alarms_only,
                )
            )
    return spoken(*found)


SIGNAL = Signal(
    name="network",
    group="place",
    title="Over which network the login comes",
    tells={
        "network": "How usual the network operator is, given the country.",
        "network_kind": "Hosting, VPN, Tor, mobile, residential or corporate network.",
    },
    attack=PROXY,
    features=features,
)
