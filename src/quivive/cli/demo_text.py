"""What the page of ``quivive demo`` is made of: tables, and values in words."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rich.markup import escape
from rich.table import Table

from quivive.cli.findings import COLOURS
from quivive.cli.shared import printable

if TYPE_CHECKING:
    from quivive.app.demo import Incident, Login, Run, Takeover
    from quivive.baseline.observation import Observation

LONGEST_NAME = 20
FACTORS = {
    "single": "password, no second factor",
    "claim": "second factor by an earlier claim",
    "fresh": "fresh second factor",
    "phishing-resistant": "phishing-resistant",
}
NOT_NAMED = "not named"


def side_by_side(shown: "Takeover") -> Table:
    """The login beside the owner's last one, and beside what is usual for the account."""
    table = columns("left", "left", "left", "left")
    for column in table.columns:
        column.overflow = "fold"
    rows: list[tuple[str, Callable[[Login], str]]] = [
        ("from", lambda login: place(login.seen)),
        ("network", lambda login: _operator(login.seen)),
        ("client", lambda login: _client(login.seen)),
        ("device", lambda login: login.device or NOT_NAMED),
        ("sign-in", lambda login: FACTORS.get(login.seen.mfa or "", NOT_NAMED)),
        ("to", lambda login: login.seen.application or NOT_NAMED),
    ]
    this, before = shown.shown, shown.before
    table.add_row(
        "",
        "[bold]this login[/]",
        "[bold]the owner's last[/]",
        f"[bold]usual, of {len(shown.own):,} logins[/]",
    )
    table.add_row(
        "[dim]when[/]",
        *(moment_of(login.seen.time) if login else "-" for login in (this, before)),
        f"{_hours(shown.own)} UTC",
    )
    for name, of in rows:
        counts = Counter(of(login) for login in shown.own)
        mine = safe(of(this))
        if counts and of(this) not in counts:
            mine = f"[bold red]{mine} (new)[/]"
        table.add_row(f"[dim]{name}[/]", mine, safe(of(before)) if before else "-", _top(counts))
    return table


def decision_table(line: dict[str, Any], login: "Login") -> Table:
    """What the login looks like, what would make it ordinary, and what was decided."""
    decision = line["decision"]
    table = columns("left", "left")
    if login.finding:
        table.add_row("[bold]Story[/]", f"likeliest: {safe(line['looks_like'])}; "
                      f"the best innocent one: {safe(line['otherwise'])}")  # fmt: skip
        table.add_row("[bold]Otherwise[/]", _otherwise(line))
    mode = " (shadow mode: it says what it would do)" if decision["mode"] == "shadow" else ""
    table.add_row(
        "[bold]Decision[/]",
        f"[bold]{safe(decision['action'])}[/]{mode}, by rule {safe(decision['rule'])}; "
        f"confidence {line['confidence']:.2f}",
    )
    return table


def reasons_table(reasons: Sequence[dict[str, Any]]) -> Table:
    """The reasons with their weights, or that there is none."""
    table = columns("right", "left")
    for reason in reasons:
        table.add_row(f"{reason['weight']:+.1f}", safe(reason["text"]))
    if not reasons:
        table.add_row("", "nothing")
    return table


def findings_table(
    run: "Run", told: "Sequence[tuple[tuple[str, str], list[Login]]]", *, wide: bool
) -> Table:
    """A line for an identity and the kind of attack on it, if any, with its findings."""
    table = columns(*["left"] * (6 if wide else 5))
    table.expand = True
    for column in table.columns:
        column.no_wrap = True
    table.columns[-1].ratio = 1
    if told:
        table.add_row("", "", "", "", "[dim]in truth[/]", *["[dim]because[/]"] * wide)
    for (identity, kind), logins in told:
        best = logins[0]
        more = f" ×{len(logins)}" if len(logins) > 1 else ""
        reasons = run.line(best)["reasons"] if wide else []
        table.add_row(
            f"[{COLOURS[best.level]}]{best.risk:.0f} {best.level}[/]",
            safe(short_name(identity)) + more,
            day_of(best.seen.time).rpartition(" ")[0],
            safe(f"{best.product}, {best.seen.country or 'no place'}"),
            f"[red]{kind}[/]" if kind else "no attack",
            *[f"[dim]{safe(reason['text'])}[/]" for reason in reasons[:1]],
        )
    return table


def graded(
    out: Path, run: "Run", incidents: "Sequence[Incident]", attacks: "dict[str, Incident]"
) -> str:
    """How many of the findings were attacks, and which attacks were missed."""
    findings = run.findings
    hits = sum(login.id in attacks for login in findings)
    caught = [i for i in incidents if i.findings]
    text = (
        f"[bold]Graded[/] with {safe(out / 'labels.jsonl')}, opened only now that every "
        f"login is scored: of {len(findings)} findings {hits} were attacks and "
        f"{len(findings) - hits} were not. They tell of {len(caught)} of the "
        f"{len(incidents)} attacks in the logs."
    )
    for missed in (i for i in incidents if not i.findings):
        best = max((login.risk for login in missed.logins), default=0.0)
        text += (
            f" [yellow]Missed[/]: {missed.kind} of {safe(short_name(missed.identity))} "
            f"({len(missed.logins)} logins, the highest risk {best:.0f})."
        )
    return text


def _otherwise(line: dict[str, Any]) -> str:
    """What would have made the login ordinary."""
    if line.get("counterfactual"):
        return safe(line["counterfactual"])
    return "no single change, nor any three, of its strongest evidence makes it ordinary"


def columns(*justify: Any) -> Table:
    """A table without lines."""
    table = Table.grid(padding=(0, 2))
    for how in justify:
        table.add_column(justify=how)
    return table


def _top(counts: Counter[str]) -> str:
    """The most frequent values with their counts."""
    if len(counts) == 1:
        return f"always {safe(next(iter(counts)))}"
    shown = [f"{safe(value)} {count}" for value, count in counts.most_common(3)]
    rest = len(counts) - len(shown)
    return ", ".join(shown) + (f", {rest} more" if rest > 0 else "") or "-"


def _hours(logins: "Sequence[Login]") -> str:
    from quivive.app.demo import usual_hours

    hours = usual_hours(logins)
    return f"{hours[0]:02d}–{(hours[1] + 1) % 24:02d} h" if hours else "-"


def countries(logins: "Iterable[Login]") -> str:
    """How many countries the logins came from."""
    n = len({login.seen.country for login in logins} - {None})
    return f"{n} countries" if n != 1 else "one country"


def place(seen: "Observation") -> str:
    """City and country, as far as they are known."""
    return ", ".join(part for part in (seen.city, seen.country) if part) or "no place known"


def _operator(seen: "Observation") -> str:
    return seen.as_name or (f"AS{seen.asn}" if seen.asn else "operator not known")


def _client(seen: "Observation") -> str:
    return " on ".join(part for part in (seen.browser, seen.os) if part) or NOT_NAMED


def short_name(identity: str) -> str:
    """An identity by what tells it from others: no domain, no name space."""
    name = identity.partition("@")[0].rpartition(":")[2]
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def share(part: int, whole: int) -> str:
    """A part in per cent."""
    return f"{100 * part / whole:.2f}%" if whole else "0%"


def megabytes(size: int) -> str:
    """The size of a file."""
    return f"{size / 1e6:.1f} MB"


def moment_of(time: int) -> str:
    """A day of this year and the time, in UTC."""
    moment = datetime.fromtimestamp(time / 1000, UTC)
    return f"{moment:%a} {moment.day} {moment:%b %H:%M}"


def day_of(time: int) -> str:
    """A date, in UTC."""
    moment = datetime.fromtimestamp(time / 1000, UTC)
    return f"{moment.day} {moment:%b %Y}"


def is_unicode(stream: TextIO) -> bool:
    """Whether a stream takes all characters."""
    return (stream.encoding or "").lower().replace("-", "") == "utf8"


def safe(text: object) -> str:
    """Words out of a log: no control codes, and no markup of rich."""
    return escape(printable(str(text)))
