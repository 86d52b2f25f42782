"""What a game day found: what was expected beside what was there, with times."""

from typing import Any

import msgspec
from msgspec import Struct, field

from quivive import __version__
from quivive.app.report import render
from quivive.app.svg import COLOURS


class Check(Struct, frozen=True):
    """One demand. what: the link of the path that it is about; expected and found: in words."""

    what: str
    expected: str
    found: str
    passed: bool


class Moment(Struct, frozen=True, kw_only=True):
    """One thing that happened, in event time (ms UTC).

    seconds: measured since the record was handed over; None where nothing was waiting.
    """

    time: int
    what: str
    text: str
    seconds: float | None = None


class Report(Struct, kw_only=True):
    """One game day. figures: what was counted; measured: what this machine took for it."""

    name: str
    title: str
    goal: str
    seed: int
    broken: str | None = None
    checks: list[Check] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    figures: dict[str, float | int | str] = field(default_factory=dict)
    measured: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every demand was met."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def check(self, what: str, expected: str, found: str, passed: bool) -> bool:
        """Adds a demand and how it came out; returns whether it was met."""
        self.checks.append(Check(what, expected, found, passed))
        return passed

    def row(self) -> dict[str, Any]:
        """As JSON values; ``repeatable`` gives those that are the same on every machine."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return {"passed": self.passed, **found}

    def repeatable(self) -> dict[str, Any]:
        """The same without what was measured."""
        found = self.row()
        del found["measured"]
        for moment in found["moments"]:
            del moment["seconds"]
        return found


def as_json(reports: list[Report]) -> bytes:
    """Some reports as JSON for people and programs."""
    rows = [report.row() for report in reports]
    body = msgspec.json.encode(rows[0] if len(rows) == 1 else rows)
    return msgspec.json.format(body, indent=2) + b"\n"


def as_html(reports: list[Report]) -> str:
    """Some reports as one page that asks nobody for anything."""
    passed = all(report.passed for report in reports)
    return render(
        "gameday.html", version=__version__, colours=COLOURS, reports=reports, passed=passed
    )
