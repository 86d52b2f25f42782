"""The weekly report as text for a terminal."""

from collections.abc import Iterator

from quivive.app.report import percent
from quivive.app.weekly import Weekly, day
from quivive.app.weekly_metrics import DAY
from quivive.app.weekly_page import before, shown
from quivive.cli.shared import printable
from quivive.model.words import counted

MARKS = {True: "met", False: "missed", None: ""}


def summary(found: Weekly) -> Iterator[str]:
    """Its lines."""
    yield f"{day(found.since)} to {day(found.until - DAY)} (UTC)"
    rate = percent(found.rate, 2)
    told = f"{counted(found.findings, 'finding')} of {counted(found.logins, 'login')} ({rate})"
    yield f"{told}, {counted(found.verdicts, 'verdict')}"
    by = ", ".join(f"{count} {name}" for name, count in found.incidents.items() if count)
    total = sum(found.incidents.values())
    yield f"{counted(total, 'incident')}{f' ({by})' if by else ''}; {found.incidents_before} before"
    yield ""
    for line in found.metrics:
        metric = line.metric
        was = f"was {before(line)}" if line.before is not None else ""
        yield printable(
            f"{metric.id:<4}{metric.title:<32}{shown(metric):>12}  {was:<14}"
            f"{metric.goal:<24}{MARKS[line.met]:<7}"
        ).rstrip()
        if metric.note and metric.value is None:
            yield f"    {metric.note}"
    if found.services:
        yield ""
        yield "services affected"
        for service in found.services:
            yield printable(
                f"    {service.name}: {counted(service.findings, 'finding')},"
                f" {counted(service.incidents, 'incident')}"
            )
