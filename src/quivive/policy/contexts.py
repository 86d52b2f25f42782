"""Which circumstances apply to a login, and what they do to its decision.

They are found by index: a login that none applies to costs a few look-ups in dicts. None touches
a risk; a campaign's margin is taken off only what rules see.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from msgspec import Struct

from quivive.baseline.observation import Observation
from quivive.model.assessment import CRITICAL, FINDING, Assessment
from quivive.model.context import Context
from quivive.model.event import AuthEvent
from quivive.policy.actions import (
    ALLOW,
    NOTIFY,
    PAGE,
    RANK,
    STEP_UP,
    TICKET,
    harder,
    milder,
)
from quivive.policy.environment import is_pinned

MOST_MARGIN = 20.0
ADDRESSES_CACHED = 20_000
# How far a decision may go while a context of the kind applies.
CEILINGS = {
    "safelist": ALLOW,
    "maintenance": NOTIFY,
    "deploy": NOTIFY,
    "grace": STEP_UP,
    "break_glass": PAGE,
}
# Kinds that can make something of a login that rules would let pass.
RAISING = frozenset(("break_glass", "countries", "override"))
EFFECTS = {
    "safelist": "Nothing is done. What is pinned (a listed address, a leaked credential…) is"
    " notified all the same.",
    "travel": "From the countries named: step-up becomes notify, anything harder step-up (for a"
    " machine: notify).",
    "maintenance": "At most notify.",
    "deploy": "At most notify.",
    "campaign": "Rules see the risk less the margin; a critical risk is notified all the same.",
    "grace": "At most step-up.",
    "vip": "What would be a notification or a ticket is a page.",
    "countries": "An accepted login from any other known country: at least step-up (for a machine:"
    " notify), unless a safelist or a journey covers it.",
    "override": "The action it names, whatever the rules say.",
    "break_glass": "Always a page, never more.",
}


class Met(Struct, frozen=True, gc=False):
    """The circumstances of one login, by id."""

    contexts: tuple[Context, ...] = ()

    @property
    def kinds(self) -> frozenset[str]:
        """Their kinds."""
        return frozenset(c.kind for c in self.contexts)

    @property
    def names(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(c.id for c in self.contexts)

    @property
    def margin(self) -> float:
        """What is taken off the risk that rules see: of several campaigns the largest."""
        margins = [c.margin for c in self.contexts if c.kind == "campaign"]
        return min(MOST_MARGIN, max(margins, default=0.0))


NOTHING = Met()


class Contexts:
    """Contexts, indexed by what they name first."""

    def __init__(self, contexts: Iterable[Context] = ()) -> None:
        """Takes contexts that :func:`quivive.app.contexts.checked` found right."""
        self.all = tuple(sorted(contexts, key=lambda c: c.id))
        self._identities: dict[str, list[Context]] = {}
        self._domains: dict[str, list[Context]] = {}
        self._devices: dict[str, list[Context]] = {}
        self._networks: dict[str, list[Context]] = {}
        self._services: dict[str, list[Context]] = {}
        self._addresses: dict[tuple[int, int], dict[int, list[Context]]] = {}
        self._everyone: list[Context] = []
        self._cached: dict[str, tuple[Context, ...]] = {}
        for context in self.all:
            self._add(context)

    def _add(self, context: Context) -> None:
        if context.identities:
            for name in context.identities:
                domain = name.startswith("@")
                table = self._domains if domain else self._identities
                table.setdefault(name[domain:].lower(), []).append(context)
        elif context.devices:
            for device in context.devices:
                self._devices.setdefault(device, []).append(context)
        elif context.addresses:
            for block in context.addresses:
                net = ip_network(block, strict=False)
                at = self._addresses.setdefault((net.version, net.prefixlen), {})
                at.setdefault(int(net.network_address), []).append(context)
        elif context.networks:
            for number in context.networks:
                self._networks.setdefault(str(number), []).append(context)
        elif context.services:
            for service in context.services:
                self._services.setdefault(service.lower(), []).append(context)
        else:
            self._everyone.append(context)

    def met(self, event: AuthEvent, login: Observation) -> Met:
        """The contexts that apply to a login at its own time."""
        if not self.all:
            return NOTHING
        found: list[Context] = list(self._everyone) if self._everyone else []
        identity = login.identity
        if self._identities and (more := self._identities.get(identity.lower())):
            found += more
        if self._domains and (more := self._domains.get(identity.rpartition("@")[2].lower())):
            found += more
        if self._devices and login.device is not None and (more := self._devices.get(login.device)):
            found += more
        if self._addresses and login.ip is not None:
            found += self._by_address(login.ip)
        if self._networks and login.asn is not None and (more := self._networks.get(login.asn)):
            found += more
        if self._services and login.application is not None:
            found += self._services.get(login.application.lower(), ())
        return self._applying(found, event, login) if found else NOTHING

    def _by_address(self, ip: str) -> tuple[Context, ...]:
        found = self._cached.get(ip)
        if found is not None:
            return found
        try:
            address = ip_address(ip)
        except ValueError:
            return ()
        number, bits = int(address), address.max_prefixlen
        found = tuple(
            context
            for (version, prefix), table in self._addresses.items()
            if version == address.version
            for context in table.get(number >> (bits - prefix) << (bits - prefix), ())
        )
        if len(self._cached) >= ADDRESSES_CACHED:
            self._cached.clear()
        self._cached[ip] = found
        return found

    def _applying(self, found: Sequence[Context], event: AuthEvent, login: Observation) -> Met:
        time = login.time
        unique = {c.id: c for c in found if c.begins <= time < c.ends}
        applying = [c for c in unique.values() if _covers(c, event, login)]
        allowed = [c for c in applying if c.kind == "countries"]
        if allowed and (
            login.country is None or any(login.country in c.countries for c in allowed)
        ):
            applying = [c for c in applying if c.kind != "countries"]
        if not applying:
            return NOTHING
        return Met(tuple(sorted(applying, key=lambda c: c.id)))


def _covers(context: Context, event: AuthEvent, login: Observation) -> bool:
    """Whether a login meets every list that the context gives."""
    if context.identities and not _names(context, login.identity.lower()):
        return False
    if context.groups:
        groups = {name for g in event.user.groups or () for name in (g.name, g.uid)}
        if groups.isdisjoint(context.groups):
            return False
    if context.services:
        service = event.service
        named = {login.application, service.name, service.uid} if service else {login.application}
        if {n.lower() for n in named if n}.isdisjoint(s.lower() for s in context.services):
            return False
    if context.addresses and not (login.ip and _inside(login.ip, context.addresses)):
        return False
    if context.networks and login.asn not in {str(n) for n in context.networks}:
        return False
    if context.devices and login.device not in context.devices:
        return False
    return (
        context.kind == "countries" or not context.countries or (login.country in context.countries)
    )


def _names(context: Context, identity: str) -> bool:
    domain = "@" + identity.rpartition("@")[2]
    return any(n.lower() in (identity, domain) for n in context.identities)


def _inside(ip: str, blocks: Sequence[str]) -> bool:
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    nets: Iterable[IPv4Network | IPv6Network] = (ip_network(b, strict=False) for b in blocks)
    return any(net.version == address.version and address in net for net in nets)


def settle(action: str, met: Met, login: Observation, assessment: Assessment) -> str:
    """The action once circumstances had their say. Never more than they and the rules ask for."""
    kinds = met.kinds
    person = login.kind == "human"
    before = action
    overrides = [c.action for c in met.contexts if c.kind == "override" and c.action is not None]
    if overrides:
        action = overrides[-1]
    else:
        if "travel" in kinds and RANK[action] >= RANK[STEP_UP]:
            action = STEP_UP if person and action != STEP_UP else NOTIFY
        for kind, ceiling in CEILINGS.items():
            if kind in kinds:
                action = milder(action, ceiling)
    risk = assessment.undamped
    pinned = risk >= FINDING and is_pinned(assessment)
    if before != ALLOW and pinned:
        action = harder(action, NOTIFY)
    if risk >= CRITICAL and "campaign" in kinds and not kinds & {"safelist", "override"}:
        action = harder(action, NOTIFY)
    if overrides:
        return action
    if "countries" in kinds and login.accepted and not kinds & {"safelist", "travel"}:
        action = harder(action, STEP_UP if person else NOTIFY)
    if "vip" in kinds and action in (NOTIFY, TICKET):
        action = PAGE
    if "break_glass" in kinds:
        action = PAGE
    return action
