"""Exponentially decayed counts of categories, bounded and mergeable.

Decay is lazy and exact: an observation at time t adds 2^((t - anchor)/half-life) instead of 1, so
that nothing has to be touched as time passes; dividing by the same power at reading time gives
the decayed count (forward decay, Cormode et al., ICDE 2009).
"""

from collections.abc import Iterable

from msgspec import Struct, field

DAY_MS = 86_400_000
REBASE_ABOVE = 2.0**40
MOST_HALVINGS = 500.0  # keeps a stray date from overflowing a count
OTHER = "\x00other"
DUST = 1e-9  # of what is taken back: less than this is rounding


class Table(Struct, gc=False):
    """Decayed counts of one factor's categories, in the units of its level's anchor."""

    total: float = 0.0
    values: dict[str, float] = field(default_factory=dict)

    def add(self, key: str, amount: float, limit: int) -> None:
        """Counts ``key``; beyond ``limit`` categories the smallest third joins "other"."""
        values = self.values
        values[key] = values.get(key, 0.0) + amount
        self.total += amount
        if len(values) > limit:
            self.shrink(limit)

    def take(self, key: str, amount: float) -> None:
        """Takes back what ``key`` was counted for; what joined "other" since is taken from there.

        Never below nothing, and what is left of rounding alone is nothing.
        """
        values, left, dust = self.values, amount, amount * DUST
        for name in (key, OTHER):
            has = values.get(name, 0.0)
            taken = min(has, left)
            left -= taken
            if has - taken > dust:
                values[name] = has - taken
            else:
                values.pop(name, None)
            if left <= dust:
                break
        self.total = max(0.0, self.total - (amount - left)) if values else 0.0

    def shrink(self, limit: int) -> None:
        """Joins the smallest third of the categories to "other"."""
        ranked = sorted(
            (item for item in self.values.items() if item[0] != OTHER),
            key=lambda item: (-item[1], item[0]),
        )
        keep = limit - limit // 3 - 1
        other = self.values.get(OTHER, 0.0) + sum(count for _, count in ranked[keep:])
        self.values = dict(ranked[:keep])
        self.values[OTHER] = other


class Level(Struct, gc=False):
    """The tables of one identity, peer group or organisation, decaying with one half-life."""

    half_life_ms: float
    limit: int
    anchor: int = 0
    tables: dict[str, Table] = field(default_factory=dict)

    def scale(self, time: int) -> float:
        """What one observation at ``time`` (ms UTC) is worth in this level's units, which begin
        with the first.
        """
        if self.anchor == 0:
            self.anchor = time
        return self.worth(time)

    def worth(self, time: int) -> float:
        """The same, to read it: 1 where there is nothing yet."""
        if self.anchor == 0:
            return 1.0
        halvings = (time - self.anchor) / self.half_life_ms
        if not -MOST_HALVINGS < halvings < MOST_HALVINGS:
            halvings = MOST_HALVINGS if halvings > 0 else -MOST_HALVINGS
        scale: float = 2.0**halvings
        return scale

    def add(self, factor: str, key: str, scale: float) -> None:
        """Counts one observation of a factor's category, worth ``scale``."""
        table = self.tables.get(factor)
        if table is None:
            table = self.tables[factor] = Table()
        table.add(key, scale, self.limit)

    def add_all(self, observed: Iterable[Iterable[tuple[str, str]]], scale: float) -> None:
        """Counts groups of observations, given as (factor, category), each worth ``scale``: ``add``
        for many, spelled out because every login comes here three times.
        """
        tables, limit = self.tables, self.limit
        for group in observed:
            for factor, key in group:
                table = tables.get(factor)
                if table is None:
                    table = tables[factor] = Table()
                values = table.values
                table.total += scale
                count = values.get(key)
                if count is not None:
                    values[key] = count + scale
                    continue
                values[key] = scale
                if len(values) > limit:
                    table.shrink(limit)

    def take(self, factor: str, key: str, scale: float) -> None:
        """Takes back one observation of a factor's category, worth ``scale``."""
        table = self.tables.get(factor)
        if table is not None:
            table.take(key, scale)
            if not table.values:
                del self.tables[factor]

    def count(self, factor: str, key: str, time: int) -> float:
        """The decayed count of a category."""
        table = self.tables.get(factor)
        return table.values.get(key, 0.0) / self.scale(time) if table else 0.0

    def rebase(self, time: int) -> None:
        """Moves the anchor to ``time``, which keeps the numbers small; drops what has faded."""
        scale = self.scale(time)
        if scale < REBASE_ABOVE:
            return
        for table in self.tables.values():
            table.values = {
                key: count / scale for key, count in table.values.items() if count / scale > 1e-4
            }
            table.total = sum(table.values.values())
        self.anchor = time

    def merge(self, other: "Level") -> None:
        """Adds the counts of another level with the same half-life."""
        if other.anchor == 0:
            return
        if self.anchor == 0:
            self.anchor = other.anchor
        halvings = (other.anchor - self.anchor) / self.half_life_ms
        factor = 2.0 ** max(-MOST_HALVINGS, min(MOST_HALVINGS, halvings))
        for name, table in other.tables.items():
            mine = self.tables.setdefault(name, Table())
            for key, count in table.values.items():
                mine.add(key, count * factor, self.limit)
