"""The weekly report as one HTML file, and as PDF where a browser is there to print it."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from quivive import __version__
from quivive.app.bars import Column, columns
from quivive.app.errors import UsageError
from quivive.app.report import percent, render
from quivive.app.weekly import Judged, Weekly, day
from quivive.app.weekly_metrics import DAY, Line, Point
from quivive.learn.evaluation.metrics import Metric
from quivive.model.words import counted

if TYPE_CHECKING:
    from markupsafe import Markup

GOAL = (0.001, 0.01)  # M1
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = "QUIVIVE_CHROMIUM"  # where the browser is, when it is not on the path
PRINT_SECONDS = 60


def page(found: Weekly) -> str:
    """The whole report as HTML that asks nobody for anything."""
    return render(
        "weekly.html", version=__version__, found=found, rate=rate_chart(found.daily, found.since),
        wrong=wrong_chart(found.judged), day=day, shown=shown, before=before, DAY=DAY,
        colours=1,
    )  # fmt: skip


def rate_chart(daily: list[Point], since: int) -> "Markup":
    """M1 by day; the days before the report's own are dim."""
    made = [
        Column(
            day(p.begin).rpartition(" ")[0],
            p.rate,
            f"{day(p.begin)}: {percent(p.rate, 2)}, {p.findings} of {counted(p.logins, 'login')}",
            dim=p.begin < since,
        )
        for p in daily
    ]
    last = daily[-1] if daily else None
    text = "Anomalous-login rate by day"
    if last is not None:
        text += f", the last {percent(last.rate, 2)} of {counted(last.logins, 'login')}"
    return columns(made, text, goal=GOAL)


def wrong_chart(judged: list[Judged]) -> "Markup":
    """M2 by week, by the verdicts on that week's findings."""
    made = [
        Column(
            day(j.begin).rpartition(" ")[0],
            j.rate,
            f"week from {day(j.begin)}: {j.false_positives} of {counted(j.verdicts, 'verdict')}",
        )
        for j in judged
    ]
    return columns(made, "False positives among judged findings, by week", goal=(0.0, 0.1))


def shown(metric: Metric) -> str:
    """The value of a metric in words."""
    return _shown(metric.value, metric.unit)


def before(line: Line) -> str:
    """Its value in the stretch before, in words."""
    return _shown(line.before, line.metric.unit) if line.before is not None else ""


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "share":
        return percent(value, 2 if value < 0.1 else 0)
    if unit == "seconds":
        return f"{value:.0f} s" if value < 120 else f"{value / 60:.1f} min"
    return f"{value:.1f} {unit}" if unit else f"{value:,.0f}"


def chromium() -> str | None:
    """A browser that can print, if there is one."""
    named = os.environ.get(BROWSER)
    return named or next((found for name in BROWSERS if (found := shutil.which(name))), None)


def print_pdf(html: str, target: Path) -> None:
    """Prints HTML to a PDF file with a browser without a window and without network.

    Raises UsageError where there is none, or it fails.
    """
    browser = chromium()
    if browser is None:
        raise UsageError(
            "--pdf: no Chromium here to print with: apt-get install chromium, or name one in"
            f" {BROWSER}; --html writes the same as a file that any browser prints"
        )
    with tempfile.TemporaryDirectory(prefix="quivive-") as folder:
        source, made = Path(folder, "report.html"), Path(folder, "report.pdf")
        source.write_text(html, encoding="utf-8")
        command = [
            browser, "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile", f"--print-to-pdf={made}", source.as_uri(),
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        with contextlib.suppress(subprocess.TimeoutExpired, OSError):
            subprocess.run(  # noqa: S603 - the browser of this machine
                command, check=False, capture_output=True, timeout=PRINT_SECONDS
            )
        if not made.exists() or not made.read_bytes().startswith(b"%PDF"):
            raise UsageError(
                f"--pdf: {browser} did not print it; try --html, and print that with a browser"
            )
        shutil.copyfile(made, target)
