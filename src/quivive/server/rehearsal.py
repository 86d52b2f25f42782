"""The server's judging for whoever rehearses: game days and the canary."""

from collections.abc import Callable

from quivive.enrich.enricher import Enricher
from quivive.policy.budget import Budgets
from quivive.server.figures import Figures
from quivive.server.judging import Judging, Settings
from quivive.store.database import Store


def judging(store: Store, enricher: Enricher, clock: Callable[[], int]) -> Judging:
    """What judges for the server, on this store; ``clock`` gives ms UTC."""
    return Judging(store, Settings(enricher, Budgets()), Figures(), clock)
