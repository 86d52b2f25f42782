"""What reports share: figures in words, and rendering a template of this package."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from quivive.learn.evaluation.bootstrap import Estimate
from quivive.learn.evaluation.metrics import Metric

if TYPE_CHECKING:
    from jinja2 import Environment


def percent(share: float | None, places: int = 0) -> str:
    """A share in percent; a dash for none."""
    return "–" if share is None else f"{100 * share:.{places}f} %"


def interval(estimate: Estimate) -> str:
    """The interval of a share: "72–96"."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{100 * estimate.low:.0f}–{100 * estimate.high:.0f}"


def budget(share: float) -> str:
    """A budget as it is spoken of: "0.5 %"."""
    return f"{100 * share:g} %"


def moment(time: int | None) -> str:
    """ms UTC as a date and time."""
    return "–" if time is None else f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M}"


def hours(span: float | None) -> str:
    """A span in hours, in words that fit its size."""
    if span is None:
        return "–"
    if span < 1:
        return f"{span * 60:.0f} min"
    return f"{span:.1f} h" if span < 48 else f"{span / 24:.1f} days"


def value(metric: Metric) -> str:
    """The value of M1 to M10 with its unit."""
    if metric.value is None:
        return "–"
    if metric.unit == "share":
        return percent(metric.value, 2 if metric.value < 0.1 else 0)
    if metric.unit == "seconds":
        return hours(metric.value / 3600)
    return f"{metric.value:.1f} {metric.unit}"


def render(template: str, **given: object) -> str:
    """A template of this package as HTML; whatever is put into it is escaped."""
    return _templates().get_template(template).render(given)


def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("quivive.app"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        percent=percent, interval=interval, moment=moment, budget=budget, hours=hours, value=value
    )
    return made
