"""How usual a category is: the identity's counts, backed off to its peers and organisation.

Hierarchical Dirichlet smoothing: each level's estimate is the next one's prior, so that an
identity without history looks like its peers, and peers without history like the organisation.
"""

from msgspec import Struct

from quivive.baseline.tables import Level, Table

ALPHA = 3.0  # what the peers' estimate is worth, in the identity's own logins
BETA = 20.0  # what the organisation's estimate is worth, in the peers' logins
OPEN_CATEGORIES = 150  # what "anything at all" is spread over: countries worth coming from
GAMMA = 5.0  # what the uniform estimate is worth, in the organisation's logins

LEAST_SURPRISE = -3.0  # nats that one feature weighs at least, and at most
MOST_SURPRISE = 6.0

_EMPTY = Table()


class Usual(Struct, frozen=True, gc=False):
    """How often a category was seen by the identity, its peers and the organisation.

    ``probability`` is the identity's smoothed estimate, ``base`` the organisation's. The six
    counts are decayed logins: of this category and in all, by level.
    """

    probability: float
    base: float
    own: float
    own_total: float
    peers: float
    peers_total: float
    everyone: float
    everyone_total: float


class Levels(Struct, frozen=True, gc=False):
    """The three levels of one login with their scales at its time."""

    own: Level
    peers: Level
    everyone: Level
    own_scale: float
    peers_scale: float
    everyone_scale: float

    def usual(
        self,
        factor: str,
        key: str,
        categories: int = 0,
        given: tuple[str, str] | None = None,
        neighbours: tuple[tuple[str, float], ...] | None = None,
    ) -> Usual:
        """How usual ``key`` of ``factor`` is.

        ``categories`` is how many the uniform estimate spreads over (0: as many as the
        organisation has shown, and one more). ``given`` is the factor and category this one is
        conditional on; its counts are then the totals. ``neighbours`` are kernel weights over
        categories, whose weighted counts then stand for the category's own.
        """
        everyone = self.everyone.tables.get(factor, _EMPTY)
        peers = self.peers.tables.get(factor, _EMPTY)
        own = self.own.tables.get(factor, _EMPTY)
        if neighbours is None:
            everyone_count = everyone.values.get(key, 0.0) / self.everyone_scale
            peers_count = peers.values.get(key, 0.0) / self.peers_scale
            own_count = own.values.get(key, 0.0) / self.own_scale
        else:
            everyone_count = _smooth(everyone, neighbours) / self.everyone_scale
            peers_count = _smooth(peers, neighbours) / self.peers_scale
            own_count = _smooth(own, neighbours) / self.own_scale
        if given is None:
            everyone_total = everyone.total / self.everyone_scale
            peers_total = peers.total / self.peers_scale
            own_total = own.total / self.own_scale
        else:
            parent, condition = given
            everyone_total = self.everyone.tables.get(parent, _EMPTY).values.get(condition, 0.0)
            everyone_total = max(everyone_total / self.everyone_scale, everyone_count)
            peers_total = self.peers.tables.get(parent, _EMPTY).values.get(condition, 0.0)
            peers_total = max(peers_total / self.peers_scale, peers_count)
            own_total = self.own.tables.get(parent, _EMPTY).values.get(condition, 0.0)
            own_total = max(own_total / self.own_scale, own_count)
        size = categories or max(len(everyone.values) + 1, 2)
        base = (everyone_count + GAMMA / size) / (everyone_total + GAMMA)
        group = (peers_count + BETA * base) / (peers_total + BETA)
        probability = (own_count + ALPHA * group) / (own_total + ALPHA)
        return Usual(
            probability,
            base,
            own_count,
            own_total,
            peers_count,
            peers_total,
            everyone_count,
            everyone_total,
        )


def _smooth(table: Table, neighbours: tuple[tuple[str, float], ...]) -> float:
    values = table.values
    return sum(weight * values.get(key, 0.0) for key, weight in neighbours)
