"""What happened around an identity, put together from every log that a store has judged."""

from collections.abc import Iterable, Sequence

from quivive.app.gamedays.path import Seen, seen_of
from quivive.app.report import moment
from quivive.store.database import Store

HOUR_MS = 3_600_000


def timeline(store: Store, identity: str, first: int, last: int) -> list[Seen]:
    """The logins of an identity between two moments (ms UTC), and whoever else came from an
    address where it was a finding: in order of time, out of all logs.
    """
    found = [
        seen
        for event_id, line in store.history()
        if first <= (seen := seen_of(line, event_id)).time <= last
    ]
    theirs = {s.ip for s in found if s.identity == identity and s.finding and s.ip is not None}
    chosen = [s for s in found if s.identity == identity or s.ip in theirs]
    return sorted(chosen, key=lambda s: (s.time, s.id))


def missed(chosen: Iterable[Seen], theirs: Iterable[str]) -> list[Seen]:
    """The attacker's logins (by id) that nobody was told of."""
    ids = set(theirs)
    return [s for s in chosen if s.id in ids and not s.finding]


def written(
    identity: str, chosen: Sequence[Seen], theirs: Iterable[str], facts: Sequence[str]
) -> str:
    """A post-mortem to go on with, as Markdown. ``theirs``: ids of logins that were the
    attacker's; facts: sentences for its head.
    """
    ids = set(theirs)
    logs = sorted({s.product for s in chosen})
    lines = [
        f"# Post-mortem: {identity}",
        "",
        *(f"* {fact}" for fact in facts),
        f"* One timeline out of {len(logs)} logs: {', '.join(logs)}.",
        "",
        "| time (UTC) | log | identity | from | outcome | risk | decision | whose | reasons |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for s in chosen:
        reasons = "; ".join(reason.text for reason in s.reasons[:2])
        told = ", not told" if s.id in ids and not s.finding else ""
        whose = "attacker" if s.id in ids else "owner"
        decided = f"{s.decision.action} ({s.decision.mode})"
        cells = (moment(s.time), s.product, s.identity, s.ip or "–", s.outcome,
                 f"{s.risk:.1f}{told}", decided, whose, reasons)  # fmt: skip
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    lines += ["", "## What was missed, and what to change", "", "## Actions, owners, dates", ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """A cell of a table: what came out of a log must not end it."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return clean.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
