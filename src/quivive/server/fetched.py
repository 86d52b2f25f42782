"""How the fetching of each connection stands, for /metrics and /readyz."""

from msgspec import Struct, field

from quivive.fetch.fetcher import Cursor
from quivive.server.standing import Standing


class Fetched(Standing):
    """One connection. cursors: of each stream, as they are kept."""

    cursors: dict[str, Cursor] = field(default_factory=dict)

    def behind(self, now: int) -> float | None:
        """Seconds back to which everything is there; None before the first round."""
        if not self.cursors:
            return None
        reached = min(max(c.since, c.newest, c.caught_up) for c in self.cursors.values())
        return max(0.0, (now - reached) / 1000)


class FetchState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a vendor's log is fetched: seconds behind, when the last round came to its end, and
    why none does.
    """

    behind_seconds: float | None = None
    last_success: int | None = None
    problem: str | None = None


def states(found: dict[str, Fetched], now: int) -> dict[str, FetchState]:
    """The same, as it is told."""
    return {
        name: FetchState(
            behind_seconds=each.behind(now), last_success=each.success, problem=each.problem
        )
        for name, each in list(found.items())
    }
