"""Deltas take effect: what logins said to others becomes what is known of everyone."""

from quivive.baseline.profile import AddressState, Waiting
from quivive.engine.shared import Delta, counted
from quivive.engine.state import State
from quivive.scoring.calibrate import count
from quivive.signals.signal import PRIVATE

FINDINGS_KEPT = 16


def publish(state: State, due: int) -> None:
    """Makes known what is pending up to the number ``due``."""
    pending = state.pending
    if not pending.deltas or pending.deltas[0].number > due:
        return
    for delta in pending.take(due):
        if isinstance(delta, Delta):
            apply(state, delta)
        if delta.measured is not None:
            of = delta.measured
            count(state.calibrations, of.kind, of.log, of.newcomer, of.score, delta.time)


def publish_all(state: State) -> None:
    """Makes known whatever is pending: before somebody looks at what is learned, or changes it."""
    publish(state, state.pending.pace.number)


def apply(state: State, delta: Delta) -> None:
    """Adds what one login teaches others to what is shared. Deltas are applied in the order of
    their numbers: sums of floating point numbers are the same then, to the last bit.
    """
    organisation = state.organisation
    for waiting in delta.matured:
        teach_others(state, waiting)
    if delta.trust:
        found = [counted(packed) for packed in delta.said]
        everyone, peers = organisation.everyone, organisation.group(delta.group)
        time, trust = delta.time, delta.trust
        everyone.add_all([one.everyone for one in found], everyone.scale(time) * trust)
        peers.add_all([one.peers for one in found], peers.scale(time) * trust)
    organisation.known += delta.known
    if delta.stray:
        if delta.identity not in organisation.stray_identities.members(delta.time):
            organisation.stray_rate.add(delta.time)
        organisation.stray_identities.add(delta.identity, delta.time)
    if delta.met:
        for address in met(state, delta.ip, delta.network, delta.time):
            if delta.finding:
                address.findings[delta.identity] = delta.time
                if len(address.findings) > FINDINGS_KEPT:
                    address.findings.pop(next(iter(address.findings)))
            if delta.welcome:
                address.welcome(delta.identity, delta.time)


def teach_others(state: State, lesson: Waiting) -> None:
    """Counts a lesson whose identity has learned it for its peers and the organisation."""
    shared = [(f, key, weigh) for f, key, weigh in lesson.features if f not in PRIVATE]
    everyone, peers = state.organisation.everyone, state.organisation.group(lesson.group)
    time, trust = lesson.time, lesson.trust
    everyone.add_all([[(f, key) for f, key, _ in shared]], everyone.scale(time) * trust)
    peers.add_all([[(f, key) for f, key, weigh in shared if weigh]], peers.scale(time) * trust)


def met(state: State, ip: str | None, network: str | None, time: int) -> list[AddressState]:
    """The states of an address and its network, made when first met."""
    found = []
    for table, key in ((state.addresses, ip), (state.networks, network)):
        if key is not None:
            address = table.get(key)
            if address is None:
                address = table[key] = AddressState()
            if time > address.last_seen:
                address.last_seen = time
            found.append(address)
    return found
