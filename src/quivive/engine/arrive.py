"""What is known of an event before it is judged: facts, in the order of the events.

Whether it came before, whose it is, and how far others' deltas are known by then. All of it follows
from the logs alone, whatever is thought of the logins in them.
"""

from typing import NamedTuple

from msgspec import Struct

from quivive.baseline.observation import Observation
from quivive.engine.observe import lent_to
from quivive.engine.publish import met
from quivive.engine.state import KnownPlace, State
from quivive.enrich.enricher import Enriched
from quivive.model.event import Activity, AuthEvent

_LOGOFF = int(Activity.LOGOFF)  # enumerations are slow to look at


class Arrival(Struct, frozen=True, gc=False):
    """An event that is to be judged.

    identity: what its user resolves to; lent: the place that another log's vendor stated for its
    address. former: the bare name under which its identity was kept before its e-mail was seen.
    number: counted from 1; due: the deltas up to this number are known to everyone before it.
    swept: a day has passed since idle things were forgotten: they are now.
    """

    event: AuthEvent
    enriched: Enriched
    identity: str
    lent: KnownPlace | None
    former: str | None
    number: int
    due: int
    swept: bool


class Failed(NamedTuple):
    """A failed login as its address sees it; ``times`` where its record stands for several."""

    identity: str
    ip: str | None
    network: str | None
    time: int
    times: int


def arrive(event: AuthEvent, enriched: Enriched, state: State) -> Arrival | None:
    """The next event, with what its origin and client tell; None for a duplicate and a log-off."""
    if event.activity_id == _LOGOFF or _duplicate(event, state):
        return None
    pace = state.pending.pace
    due = pace.advance(event.time)
    identity = state.directory.resolve(event)
    lent = lent_to(event, enriched, state)
    former = state.directory.former_name(identity)
    swept = state.is_to_sweep(event.time)
    return Arrival(event, enriched, identity, lent, former, pace.number, due, swept)


def failed_at(login: Observation) -> Failed | None:
    """What a login's address sees of it, if it is a plain failure from somewhere."""
    if login.outcome != "failure" or login.denied or login.accepted:
        return None
    if login.ip is None and login.network is None:
        return None
    return Failed(login.identity, login.ip, login.network, login.time, login.count)


def fail(failed: Failed, state: State) -> None:
    """Counts a failure at its address and network: at once, whoever judges it."""
    for address in met(state, failed.ip, failed.network, failed.time):
        address.failing.add(failed.identity, failed.time)
        address.failures.add(failed.time, failed.times)


def _duplicate(event: AuthEvent, state: State) -> bool:
    metadata = event.metadata
    if metadata.uid is None:
        return False
    return state.seen.again(f"{metadata.product.name}|{metadata.log_name}|{metadata.uid}")
