"""How policies and their previews look in a terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime

from quivive.app.preview import Hit, Outcome, Preview
from quivive.model.words import counted
from quivive.store.policies import Change, Version

NAMED = 8  # identities


def day(time: int) -> str:
    """A time in ms UTC for people."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def version_line(version: Version, active: str) -> str:
    """One line of ``quivive policy list``."""
    status = "active" if version.name == active else ""
    return (
        f"{version.name:8} {status:8} {day(version.written)}  {version.digest[:12]}"
        f"  by {version.by}"
    )


def change_line(change: Change) -> str:
    """One change of the history."""
    replaced = f" in place of {change.replaced}" if change.replaced else ""
    return (
        f"{day(change.at)}  {change.action:<12} {change.subject}{replaced}"
        f"  by {change.by}: {change.why}"
    )


def preview_lines(found: Preview) -> Iterator[str]:
    """Who would have been challenged or stopped, rule by rule, and what changes."""
    if not found.logins:
        yield "no logins in the store yet; score some logs with --state first"
        return
    yield (
        f"{counted(found.logins, 'login')} from {day(found.first)} to {day(found.last)};"
        f" verdicts call {found.known_good:,} in order and {counted(found.attacks, 'attack')}"
    )
    for outcome in found.outcomes:
        yield ""
        yield from _outcome_lines(outcome)
    if len(found.outcomes) == 2:
        yield ""
        yield from _change_lines(found)


def _outcome_lines(outcome: Outcome) -> Iterator[str]:
    yield outcome.policy
    yield f"  {'':34}{'logins':>8}{'identities':>12}{'known good':>12}{'attacks':>9}"
    for name, hit in (
        ("challenged (step_up)", outcome.challenged),
        ("stopped (block and harder)", outcome.stopped),
        ("told (notify, ticket, page)", outcome.told),
    ):
        yield f"  {name:34}{_numbers(hit)}"
        if hit is not outcome.told and hit.logins:
            yield f"    {_who(hit)}"
    for name, hit in sorted(outcome.rules.items(), key=lambda item: (-item[1].logins, item[0])):
        yield f"    {name[:32]:32}{_numbers(hit)}"
    if outcome.by_context:
        yield f"  {outcome.by_context:,} of the decisions were changed by a context"
    if outcome.over_budget:
        times = counted(outcome.over_budget, "time")
        yield f"  {times} a budget was used up, and a person told instead"


def _change_lines(found: Preview) -> Iterator[str]:
    one, other = found.outcomes
    if not found.changes:
        yield f"{one.policy} decides every login as {other.policy} does"
        return
    yield f"what changes from {other.policy} to {one.policy}"
    yield f"  {'':34}{'logins':>8}{'identities':>12}{'known good':>12}{'attacks':>9}"
    order = sorted(found.changes.items(), key=lambda item: (-item[1].hit.logins, item[0]))
    for (was, now), changed in order:
        yield f"  {f'{was} -> {now}':34}{_numbers(changed.hit)}"
        yield f"    for example {', '.join(changed.examples[:3])}"


def _who(hit: Hit) -> str:
    """The first few by name, those in order before all others."""
    said = [
        f"{one['identity']} ({one['logins']}{', known good' if one['known_good'] else ''})"
        for one in hit.who()[:NAMED]
    ]
    more = len(hit.identities) - len(said)
    return ", ".join(said) + (f" and {more:,} more" if more else "")


def _numbers(hit: Hit) -> str:
    return f"{hit.logins:>8,}{len(hit.identities):>12,}{hit.known_good:>12,}{hit.attacks:>9,}"
