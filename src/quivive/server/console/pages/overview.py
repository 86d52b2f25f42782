"""The executive page: what a stretch of time came to; and the same as a file to send on."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from quivive.app.errors import UsageError
from quivive.app.weekly import Weekly, day, span, weekly
from quivive.app.weekly_metrics import DAY, Line
from quivive.app.weekly_page import (
    before,
    chromium,
    page,
    print_pdf,
    rate_chart,
    shown,
    wrong_chart,
)
from quivive.server.console.console import Nav
from quivive.server.console.page import Page
from quivive.server.console.pages.on_call import burning
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit
from quivive.server.figures import Histogram

CHOICES = (7, 14, 28, 91)
MOST_DAYS = 366


class Asked(Struct, frozen=True):
    """days: how many; until: the last of them, the newest login's by default."""

    days: Annotated[int, Meta(ge=1, le=MOST_DAYS)] = 7
    until: Annotated[str, Meta(max_length=10)] = ""


async def executive(visit: Visit) -> Response:
    """The page."""
    asked = visit.query(Asked)
    found = await _weekly(visit, asked)
    figures = visit.console.context.figures
    detected = median_of(figures.detection)
    return visit.page(
        "overview.html",
        found=found,
        asked=asked,
        choices=CHOICES,
        rate=rate_chart(found.daily, found.since),
        wrong=wrong_chart(found.judged),
        lines=[_live(line, detected) for line in found.metrics],
        shown=shown,
        before=before,
        last=found.until - DAY,
        day=day,
        printable=chromium() is not None,
        burn=burning(visit),
    )


async def html(visit: Visit) -> Response:
    """The report as one HTML file."""
    found = await _weekly(visit, visit.query(Asked))
    body = await visit.aside(lambda: page(found))
    return _file(body.encode(), "text/html; charset=utf-8", found, "html")


async def pdf(visit: Visit) -> Response:
    """The report as PDF, where this machine can print."""
    found = await _weekly(visit, visit.query(Asked))

    def printed() -> bytes:
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory(prefix="quivive-") as folder:
            target = Path(folder, "report.pdf")
            print_pdf(page(found), target)
            return target.read_bytes()

    try:
        body = await visit.console.context.parsing(printed)
    except UsageError as error:
        raise RefusedError(501, "It cannot be printed here", str(error)) from None
    return _file(body, "application/pdf", found, "pdf")


def _file(body: bytes, kind: str, found: Weekly, ending: str) -> Response:
    last = datetime.fromtimestamp((found.until - DAY) / 1000, UTC)
    name = f"quivive-{last:%Y-%m-%d}.{ending}"
    return Response(
        body, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'}
    )


async def _weekly(visit: Visit, asked: Asked) -> Weekly:
    until = None
    if asked.until:
        try:
            at = datetime.strptime(asked.until, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            raise RefusedError(400, "That is no day", "Write it as 2026-11-22.") from None
        until = int(at.timestamp() * 1000) + DAY
    return await visit.console.context.parsing(lambda: _computed(visit, asked.days, until))


def _computed(visit: Visit, days: int, until: int | None) -> Weekly:
    _, end = span(visit.store, None, until)
    return weekly(visit.store, visit.now, end - days * DAY, end)


def median_of(found: Histogram) -> float | None:
    """The upper bound of the bucket (seconds) that the middle one fell into; None of nothing."""
    whole, running = sum(found.counts), 0
    for bound, count in zip((*found.bounds, float("inf")), found.counts, strict=True):
        running += count
        if whole and running * 2 >= whole:
            return bound
    return None


def _live(line: Line, detected: float | None) -> Line:
    """M3 as this server has seen it, where the store cannot say."""
    if line.metric.id != "M3" or line.metric.value is not None or detected is None:
        return line
    from msgspec.structs import replace

    note = "at most this, for half of the findings since this server started"
    value = None if detected == float("inf") else detected
    metric = replace(line.metric, value=value, note=note)
    return replace(line, metric=metric, met=None if value is None else value <= 30)


PAGES = (
    Page("/executive", executive, "viewer"),
    Page("/executive/report.html", html, "viewer"),
    Page("/executive/report.pdf", pdf, "analyst"),
)
NAV = (Nav(40, "Executive", "/executive"),)
