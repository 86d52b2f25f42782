"""A post-mortem draft in Markdown, filled with what is known; it asks for what only people know."""

from collections.abc import Iterable, Sequence

from quivive.model.words import counted
from quivive.server.console.story import Elsewhere, Story
from quivive.server.console.veil import Veil
from quivive.server.console.words import ACTIONS, STATUSES, VERDICTS, clean, moment, short

MOST_LINES = 200
MISSED = (
    "*What should have been told earlier? Which log was missing? Would another rule have found it:"
    " quivive policy preview?*"
)
_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|"})


def markdown(story: Story, others: Sequence[Elsewhere], veil: Veil, now: int) -> str:
    """The draft. Texts of logs are escaped, so that none of them is markup. others: what else the
    addresses did.
    """
    incident, best = story.incident, story.case.best
    names = [_text(veil.identity(name)) for name in story.case.names]
    parts = [
        f"# Post-mortem: {incident.id}",
        f"Draft of {_time(now)}, made by Quivive. Times in UTC. Fill in what stands in *italics*.",
        "## Summary",
        _summary(story, names),
        "| | |\n|---|---|\n"
        + "\n".join(
            f"| {label} | {value} |"
            for label, value in (
                ("first finding", _time(incident.opened)),
                ("last finding", _time(incident.last)),
                ("acknowledged", _by(incident.acknowledged_at, incident.acknowledged_by)),
                ("closed", _time(incident.closed_at) if incident.closed_at else "–"),
                ("got in", "yes" if incident.got_in else "no"),
                ("affected", ", ".join(_text(name) for name in incident.services)),
            )
        ),
    ]
    if best is not None:
        parts += ["## How it was found", _found(story, veil)]
        if story.facts:
            parts += ["### Beside the login before", _facts(story, veil)]
    parts += ["## Timeline", _timeline(story, veil)]
    parts += ["## Where from", _places(story)]
    parts += ["## What was decided and done", _done(story, veil)]
    parts += [
        "## What the identity did afterwards",
        _list(
            f"{_time(login.time)} {_text(login.what)}"
            + (f" from {_text(login.place)}" if login.place else "")
            for login in story.after[:MOST_LINES]
        )
        or "Nothing within a day of the last finding.",
        "## Who else",
        f"{len(story.home)} other identities are at home at the address of the finding."
        + (f" {', '.join(_text(veil.identity(n)) for n in story.home[:20])}" if story.home else ""),
        "## What else the addresses did",
        _list(_elsewhere(other, veil) for other in others) or "No address is known.",
        "## What was missed",
        MISSED,
        "## What to change",
        "- [ ] *who, what, by when*",
        "## Records",
        _list(
            f"{record.seq}: {_time(record.time)} {_text(record.actor)} {_text(record.action)}"
            f" {_text(veil.text(record.subject))} `{record.digest.hex()[:16]}`"
            for record in story.records
        )
        or "None.",
    ]
    return "\n\n".join(parts) + "\n"


def _summary(story: Story, names: list[str]) -> str:
    incident = story.incident
    who = ", ".join(names) + _more(incident.more_identities)
    return (
        f"*What happened, in three sentences.* On {who}: {counted(incident.count, 'finding')},"
        " priority"
        f" {incident.priority}, risk {incident.risk:.0f} of 100."
    )


def _found(story: Story, veil: Veil) -> str:
    best = story.case.best
    assert best is not None
    reasons = _list(f"{r.weight:+.1f} {_text(veil.text(r.text))}" for r in best.reasons)
    what = (
        f"Login {_text(best.id)}, {_text(best.what)}, {_time(best.time)}: risk"
        f" {best.risk_score:.1f}. It looks like {best.looks_like or 'nothing in particular'};"
        f" otherwise {best.otherwise or 'nothing'}."
    )
    lines = [what, reasons]
    if best.counterfactual:
        lines.append(f"What would have made it ordinary: {_text(veil.text(best.counterfactual))}")
    judged = story.verdicts
    if judged:
        said = ", ".join(sorted({VERDICTS.get(kind, kind) for kind in judged.values()}))
        lines.append(
            f"Verdicts: {said} ({len(judged)} of {counted(len(story.findings), 'finding')})."
        )
    return "\n\n".join(line for line in lines if line)


def _facts(story: Story, veil: Veil) -> str:
    before = _time(story.before.time) if story.before else "–"
    rows = "\n".join(
        f"| {label}{' **differs**' if differs else ''} | {_text(veil.text(value)) or '–'} |"
        f" {_text(veil.text(former)) or '–'} |"
        for label, value, former, differs in story.facts
    )
    return f"| | this login | the one before, {before} |\n|---|---|---|\n{rows}"


def _elsewhere(other: Elsewhere, veil: Veil) -> str:
    names = sorted({login.identity for login in other.others})
    said = ", ".join(_text(veil.identity(name)) for name in names[:20])
    return (
        f"{_text(veil.address(other.address))}: {counted(len(other.others), 'login')} of"
        f" {counted(other.identities, 'other identity', 'other identities')} within a"
        f" day{f' ({said})' if said else ''}; {other.home} are at home"
        f" there, {other.failing} failed there lately"
    )


def _timeline(story: Story, veil: Veil) -> str:
    rows = []
    for each in story.timeline[:MOST_LINES]:
        if each.login is not None:
            login = each.login
            odd = f" **finding, risk {login.risk_score:.0f}**" if login.finding else ""
            place = f", {_text(login.place)}" if login.place else ""
            said = f"{_text(login.what)}, {login.outcome}{place}{odd}"
            rows.append((each.time, _text(veil.identity(login.identity)), said))
        else:
            rows.append((each.time, _text(each.by), _text(veil.text(each.text))))
    table = "\n".join(f"| {_time(time)} | {who} | {what} |" for time, who, what in rows)
    cut = "\n\nMore was left out." if len(story.timeline) > MOST_LINES or story.cut else ""
    return f"| time | who | what |\n|---|---|---|\n{table}{cut}"


def _places(story: Story) -> str:
    rows = "\n".join(
        f"| {_text(p.name)} | {_text(p.network)} | {p.count} | {p.failed} | {p.findings} |"
        for p in story.places[:50]
    )
    return f"| place | network | logins | failed | findings |\n|---|---|---|---|---|\n{rows}"


def _done(story: Story, veil: Veil) -> str:
    rows = [
        f"{_time(act.ended or act.row.created)} {ACTIONS.get(act.intended.request.action)}:"
        f" {STATUSES.get(result.status)} by {_text(result.connection)}"
        f" {_text(veil.text(result.detail))}"
        for act in story.actions
        for result in act.results
    ]
    rows += [
        f"{_time(login.time)} {ACTIONS.get(login.decision.action)} by rule"
        f" {_text(login.decision.rule)}: shadow, so nothing was done"
        for login in story.would
    ]
    return _list(rows) or "Nothing was asked of a vendor."


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _text(given: str | None) -> str:
    """A text of a log on one line, with nothing that Markdown or HTML would act on."""
    said = " ".join(str(clean(short(given, 300))).split())
    return said.translate(_SPECIAL)


def _time(time: int | None) -> str:
    at = moment(time)
    return at.strftime("%Y-%m-%d %H:%M:%S") if at else "–"


def _more(count: int) -> str:
    return f" and {count} more" if count else ""


def _by(time: int, by: str | None) -> str:
    return f"{_time(time)} by {_text(by)}" if time else "–"
