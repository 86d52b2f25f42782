"""What a login says to others: known a while later, to all of them alike.

An identity's own history is up to date at every login. What the organisation, the peers, the
addresses and the scales of risk learn of it is a ``Delta``, which takes effect a while later, in
the order of the events: ``AT_ONCE`` at a time, once they are ``LAG_MS`` of event time old and there
are ``FEWEST``, at the latest after ``LONGEST_MS`` or ``PENDING_KEPT`` events. So it does not matter
in which order, or in which process, the identities within that while are judged: each login finds
the same (app/jobs). It is how stream engines publish versions of what is shared. Failures at an
address are facts and no judgement, and are known at once.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgspec import Struct, field

from quivive.baseline.profile import Waiting
from quivive.signals.signal import CACHED, PRIVATE

LAG_MS = 300_000
FEWEST = 32
AT_ONCE = 16  # deltas are due so many at a time
LONGEST_MS = 3_600_000
PENDING_KEPT = 1_024

Pair = tuple[str, str]
_said = msgspec.msgpack.Decoder(list[tuple[str, str, bool]])


class Counted(NamedTuple):
    """What everyone counts of one family's features, and what peers count of it."""

    everyone: tuple[Pair, ...]
    peers: tuple[Pair, ...]


@lru_cache(CACHED)
def counted(packed: bytes) -> Counted:
    """What others count of what a family said; the same is said of logins that are alike."""
    shared = [(f, key, weigh) for f, key, weigh in _said.decode(packed) if f not in PRIVATE]
    return Counted(
        tuple((factor, key) for factor, key, _ in shared),
        tuple((factor, key) for factor, key, weigh in shared if weigh),
    )


class Measured(Struct, frozen=True, array_like=True, gc=False):
    """A score (nats) in the class it is calibrated in."""

    kind: str
    log: str
    newcomer: bool
    score: float


class Delta(Struct, array_like=True, tag=0, gc=False):
    """What one login adds to what is shared.

    number: of its event, counted from 1; time: of its event, ms UTC.
    ip, network: where it came from, if that is to be remembered. welcome: it was learned for at
    least half; finding: it was told of; stray: it failed from a network its identity never used.
    known: identities with a login that was learned, more or fewer.
    said: what the families of signals said, packed, to be counted for ``trust``, by peers in
    ``group``.
    matured: lessons whose probation is over. measured: its score.
    """

    number: int
    time: int
    identity: str
    ip: str | None = None
    network: str | None = None
    met: bool = False
    welcome: bool = False
    finding: bool = False
    stray: bool = False
    known: int = 0
    group: str = ""
    trust: float = 0.0
    said: Sequence[bytes] = ()
    matured: Sequence[Waiting] = ()
    measured: Measured | None = None

    def comes_from(self, ip: str | None, network: str | None) -> None:
        """Its address and network are to be remembered."""
        self.met, self.ip, self.network = True, ip, network

    @property
    def says_something(self) -> bool:
        """Whether anybody else has to know of it."""
        return bool(
            self.met or self.measured or self.trust or self.matured or self.stray or self.known
        )


class Repeat(Struct, frozen=True, array_like=True, tag=1, gc=False):
    """The delta of a login that took the short road: it was measured, and teaches nobody."""

    number: int
    time: int
    measured: Measured


class Pace(Struct):
    """How far the events have come: the number of the last one, the newest time so far (ms UTC),
    and the newest times as of the events whose deltas are not due yet.
    """

    number: int = 0
    newest: int = 0
    waiting: list[int] = field(default_factory=list)

    def advance(self, time: int) -> int:
        """The next event is of ``time``: gives the number up to which deltas are due before it."""
        if time > self.newest:
            self.newest = time
        waiting, old = self.waiting, self.newest - LAG_MS
        due, count = 0, len(waiting)
        while count - due >= FEWEST and (
            waiting[due + AT_ONCE - 1] <= old or count - due >= PENDING_KEPT
        ):
            due += AT_ONCE
        older = self.newest - LONGEST_MS
        while due < count and waiting[due] <= older:
            due += 1
        if due:
            del waiting[:due]
        self.number += 1
        waiting.append(self.newest)
        return self.number - len(waiting)


class Pending(Struct):
    """What is not known to others yet: the deltas by number, how far the events have come, and
    since when an identity is welcome at an address or in a network as far as these deltas say.
    """

    pace: Pace = field(default_factory=Pace)
    deltas: list[Delta | Repeat] = field(default_factory=list)
    welcoming: dict[str, int] = field(default_factory=dict)

    def add(self, delta: Delta | Repeat) -> None:
        """Keeps a delta until it is due."""
        self.deltas.append(delta)
        if isinstance(delta, Delta) and delta.welcome:
            for key in (delta.ip, delta.network):
                if key is not None:
                    self.welcoming[f"{key} {delta.identity}"] = delta.time

    def merge(self, deltas: Sequence[Delta | Repeat]) -> None:
        """Keeps deltas that come from elsewhere, in their places."""
        if deltas:
            for delta in deltas:
                self.add(delta)
            self.deltas.sort(key=lambda delta: delta.number)

    def welcome(self, key: str, identity: str) -> int | None:
        """When the identity was last welcome at an address or in a network, if not yet known."""
        return self.welcoming.get(f"{key} {identity}")

    def take(self, due: int) -> list[Delta | Repeat]:
        """The deltas up to a number, in order, which are no longer kept."""
        deltas = self.deltas
        if not deltas or deltas[0].number > due:
            return []
        count = 1
        while count < len(deltas) and deltas[count].number <= due:
            count += 1
        taken = deltas[:count]
        del deltas[:count]
        for delta in taken:
            if isinstance(delta, Delta) and delta.welcome:
                for key in (delta.ip, delta.network):
                    name = f"{key} {delta.identity}"
                    if self.welcoming.get(name) == delta.time:
                        del self.welcoming[name]
        return taken
