"""Sources with their health, what can be connected, and drift."""

from collections.abc import Sequence

from markupsafe import Markup
from starlette.responses import Response

from quivive.app import logs
from quivive.app.registry import sources as known_sources
from quivive.model.words import counted
from quivive.server.console.page import Page
from quivive.server.console.visit import Visit
from quivive.store.letters import letters

REJECTS = 100
STALE = 3_600_000  # ms: a log that is read as it is written and is this far behind


async def sources(visit: Visit) -> Response:
    """Each log: last event, lag, clock, what it leaves out, and what could not be read of it."""
    newest = await visit.newest()
    live = visit.now if newest == visit.now else None
    monitor, _ = await visit.aside(lambda: logs.monitored(visit.store))
    rejects = await visit.aside(lambda: letters(visit.store, REJECTS))
    figures = visit.console.context.figures
    counted = {(name, outcome): count for (name, outcome), count in list(figures.records.items())}
    return visit.page(
        "tuning_sources.html",
        logs=[(log, spark(log.days)) for log in logs.logs(monitor, live)],
        rejects=rejects,
        live=live is not None,
        stale=STALE,
        skews=logs.skews(figures.clocks),
        counted=sorted(item for item in counted.items() if item[1]),
        lag=visit.now - figures.newest if figures.newest else None,
    )


async def connect(visit: Visit) -> Response:
    """What can be connected."""
    found = await visit.aside(known_sources)
    return visit.page("sources.html", sources=list(found.values()))


async def drift(visit: Visit) -> Response:
    """Whether the logs still look as they did."""
    newest = await visit.newest()
    live = visit.now if newest == visit.now else None
    report = await visit.aside(lambda: logs.stored(visit.store, live))
    return visit.page("tuning_drift.html", report=report)


def spark(counts: Sequence[int]) -> Markup:
    """Events by day as a few bars; "" for none."""
    most = max(counts, default=0)
    if not most:
        return Markup("")
    bars = "".join(
        f'<rect x="{n * 4}" y="{22 - 22 * count / most:.1f}" width="3"'
        f' height="{max(0.5 if count else 0, 22 * count / most):.1f}"/>'
        for n, count in enumerate(counts)
    )
    text = f"{counted(len(counts), 'day')}, at most {most:,} a day, {counts[-1]:,} on the last"
    head = f'<svg class="spark" viewBox="0 0 {len(counts) * 4} 22" role="img" aria-label="{text}">'
    return Markup(f"{head}<title>{text}</title>{bars}</svg>")  # noqa: S704 - numbers alone


PAGES = (
    Page("/tuning/sources", sources, "analyst"),
    Page("/tuning/drift", drift, "analyst"),
    Page("/sources", connect, "viewer"),
)
