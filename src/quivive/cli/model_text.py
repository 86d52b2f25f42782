"""Models and their comparisons in words, for a terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime

from quivive.app.learning import Report
from quivive.learn.comparison import Changed, Comparison
from quivive.learn.promotion import Gate
from quivive.model.words import counted
from quivive.store.models import Change

SAYS = {
    "promote": "ready: it may be promoted",
    "shadow": "not yet: it has to prove itself in shadow",
    "refuse": "refused: it may not score",
}


def day(time: int) -> str:
    """A time (ms UTC) as a date and minute."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def gate_lines(gate: Gate) -> Iterator[str]:
    """What the gate says, and why."""
    yield f"gate: {SAYS[gate.outcome]}"
    for reason in gate.reasons:
        yield f"  - {reason}"


def report_lines(report: Report) -> Iterator[str]:
    """What a version was learned from, what it changed, and how it compares on history."""
    found = report.learned_from
    yield (
        f"learned from {counted(found['logins'], 'login')} with"
        f" {counted(found['verdicts'], 'verdict')},"
        f" {counted(found['incidents'], 'confirmed incident')}"
    )
    if report.weights:
        yield f"weights changed: {len(report.weights)}"
        for moved in report.moved:
            yield f"  {moved}"
    else:
        yield "weights as they were"
    yield "on history, with the active model (now) and with this one (then):"
    yield from comparison_lines(report.comparison)
    if report.held_out is not None:
        incidents = report.held_out.incidents
        yield f"on {report.held_out.how}:"
        yield (
            f"  {incidents.before} of {incidents.confirmed} incidents found now,"
            f" {incidents.after} then"
        )
    yield from gate_lines(report.gate)


def comparison_lines(found: Comparison) -> Iterator[str]:
    """Two models on the same logins."""
    for rate in found.rates:
        allowed = f"{100 * rate.budget:.2g} % allowed"
        yield (
            f"  {rate.kind}: {counted(rate.before, 'finding')} now, {rate.after} then,"
            f" of {counted(rate.logins, 'login')} ({allowed}; confirmed attacks not counted)"
        )
    incidents, precision = found.incidents, found.precision
    yield (
        f"  confirmed incidents found: {incidents.before} of {incidents.confirmed} now,"
        f" {incidents.after} then (exact sign test p = {incidents.p:.2g})"
    )
    yield (
        f"  within the budget's share of the ranking: {found.at_budget.before} now,"
        f" {found.at_budget.after} then"
    )
    yield (
        f"  findings judged: {precision.right_before} of {precision.judged_before} were attacks"
        f" now, {precision.right_after} of {precision.judged_after} then; {precision.fixed} false"
        f" positives gone, {precision.broken} new (p = {precision.p:.2g})"
    )
    yield f"  of the ten highest risks {found.kept} stay among them"
    yield (
        f"  findings on identities with little history: {found.cold_before:.0%} now,"
        f" {found.cold_after:.0%} then"
    )
    yield from _changed("new findings", found.appeared)
    yield from _changed("findings gone", found.disappeared)


def _changed(title: str, found: Changed) -> Iterator[str]:
    by = ", ".join(f"{n} {name}" for name, n in (*found.by_kind.items(), *found.by_source.items()))
    yield f"  {title}: {found.findings}" + (f" ({by})" if by else "")
    for e in found.examples:
        yield (
            f"    {e.before:5.1f} → {e.after:5.1f}  {e.identity}  {day(e.time)}  {e.reason}  {e.id}"
        )


def change_line(change: Change) -> str:
    """One change of a status."""
    forced = " (forced past the gate)" if change.forced else ""
    after = f", in place of {change.replaced}" if change.replaced else ""
    return (
        f"{day(change.at)}  {change.version}: {change.action}{after}{forced}"
        f"  by {change.by}: {change.why}"
    )
