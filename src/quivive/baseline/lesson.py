"""What one login taught, exactly enough to take it back or to teach it later.

Counts decay forward (``tables.py``): what a login added at its own time is worth the same power of
two today, so that adding or subtracting it later is exact. What else a login moves (places,
welcomes, windows) is kept with what stood there before.
"""

from msgspec import Struct

from quivive.baseline.profile import Place, SessionOrigin


class Before(Struct, frozen=True, array_like=True, gc=False):
    """What the login's memories showed before it taught.

    country, network: when either was last seen in the identity's windows, ms UTC.
    welcomed: when the identity was last welcome at the address, then at the network.
    replaced: the place that the login only moved on in time; dropped: the one it pushed out.
    session: whether the login made its session known.
    learned: the hour in which its constellation had last taught.
    kind, group: of the identity; regrouped: the peer group that the login put it into.
    """

    country: int | None
    network: int | None
    welcomed: tuple[int | None, ...]
    replaced: Place | None
    dropped: Place | None
    session: bool
    learned: int | None
    kind: str
    group: str
    regrouped: str | None = None


class Lesson(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What one login taught, or would have taught had it not been held.

    kind: "human" or "service"; group: the peer group it counted in; time: ms UTC.
    trust: what it counted for, 0 when it was held, 1 when nothing spoke against it.
    alike: what makes it the same to an analyst (country, product, client): what is held, and
        what a verdict speaks of. held: whether the gate took it for too unusual, or a verdict
        spoke of it already; it may have been learned all the same.
    constellation: what teaches once an hour; counted: whether this was the first of its hour.
    features: factor, category, and whether peers count it.
    place: where it is put among the identity's places; origin: of its session.
    before: what stood there before; None when nothing was learned.
    waits: whether its counts were put off for a probation.
    """

    identity: str
    kind: str
    group: str
    time: int
    trust: float
    alike: str
    held: bool
    constellation: str
    counted: bool
    features: tuple[tuple[str, str, bool], ...]
    ip: str | None = None
    network: str | None = None
    country: str | None = None
    session: str | None = None
    place: Place | None = None
    origin: SessionOrigin | None = None
    before: Before | None = None
    waits: bool = False

    @property
    def hour(self) -> int:
        """The hour of event time in which it taught."""
        return self.time // 3_600_000

    def own(self, factor: str) -> str | None:
        """The category it shows of a factor, or None."""
        return next((key for name, key, _ in self.features if name == factor), None)
