"""The first page: what waits for somebody, what just happened, what is being done."""

from typing import Any, NamedTuple

from starlette.responses import Response

from quivive.incidents.slo import BUCKET, BUCKETS, DECIDED_IN_TIME, HOUR, burn_rate, left
from quivive.server.console.console import Nav
from quivive.server.console.gather import actions, cases
from quivive.server.console.login import read
from quivive.server.console.page import Page
from quivive.server.console.pages.help import books
from quivive.server.console.visit import Visit
from quivive.store import console, views

DAY = 86_400_000
WEEK = 7 * DAY
URGENT = 25
LATEST = 12
ASIDE = 8
ACTIONS = 12
PLAYBOOKS = ("takeover", "service-account", "mfa-fatigue", "campaign", "account-recovery")


class Burning(NamedTuple):
    """How the service level's error budget does, over three days."""

    text: str
    what: str
    alarm: bool
    left: float
    late: int
    total: int


def burning(visit: Visit) -> Burning:
    """Of the figures of this server, which are kept over a restart."""
    burn, now = visit.console.context.figures.burn, visit.now
    good, late = burn.counts(now, BUCKETS * BUCKET)
    rate = burn_rate(DECIDED_IN_TIME, *burn.counts(now, HOUR))
    text = f"{rate:.1f}×" if good + late else "–"
    what = "error budget burnt, last hour"
    if not good + late:
        what = "no live high-risk login in three days"
    remaining = left(DECIDED_IN_TIME, burn, now)
    return Burning(text, what, bool(burn.alarms), remaining, late, good + late)


async def on_call(visit: Visit) -> Response:
    """The page."""
    return visit.page("on_call.html", **await _now(visit))


async def now(visit: Visit) -> Response:
    """What of it changes, for pages that are open."""
    return visit.page("on_call_now.html", **await _now(visit))


async def _now(visit: Visit) -> dict[str, Any]:
    newest = await visit.newest()
    found = await visit.aside(lambda: _read(visit, newest))
    return {**found, "burn": burning(visit), "day": newest - DAY}


def _read(visit: Visit, newest: int) -> dict[str, Any]:
    store, veil = visit.store, visit.veil
    counts = console.open_by_priority(store)
    answered = console.IncidentsWanted(statuses=("acknowledged",), limit=ASIDE)
    wanted = views.Wanted(finding=True, limit=LATEST)
    risky = console.riskiest(store, newest - WEEK, ASIDE)
    logins, findings = console.logins_since(store, newest - DAY)
    done = actions(store, ACTIONS, veil)
    titles, last = books(), console.newest(store)
    return {
        "urgent": cases(store, console.urgent(store, URGENT), veil),
        "answered": cases(store, console.incident_page(store, answered), veil),
        "latest": [read(line.body, veil) for line in views.page(store, wanted)],
        "risky": risky,
        "risky_since": newest - WEEK,
        "logins": logins,
        "findings": findings,
        "actions": done,
        "under_way": [a for a in done if a.row.state == "due"],
        "failed_actions": sum(a.row.state == "dead" for a in done),
        "waiting": sum(n for (status, _), n in counts.items() if status == "open"),
        "p1": counts.get(("open", "P1"), 0),
        "acknowledged": sum(n for (status, _), n in counts.items() if status == "acknowledged"),
        "newest": last,
        "newest_known": last is not None,
        "books": [(name, titles[name]) for name in PLAYBOOKS if name in titles],
    }


PAGES = (
    Page("/", on_call, "viewer"),
    Page("/now", now, "viewer", passive=True),
)
NAV = (Nav(10, "On call", "/"),)
