"""Text out of logs made harmless: an attacker chooses user names, user agents and error texts.

``clean`` is for every channel; ``shown`` also for those that people read, where a program might
turn a text into a link, a mention or markup; each channel adds the escapes of its own syntax.
"""

import unicodedata
from datetime import UTC, datetime

from quivive.model.notification import Notification, Side

MOST = 300  # characters of a field
MOST_REASONS = 5
# Controls, formats (bidi overrides, zero width), surrogates, private use, line separators.
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SPACES = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029")


def clean(text: str, most: int = MOST) -> str:
    """One line of visible text of at most ``most`` characters; what was cut shows as "…".

    Control and formatting characters go, so that nothing can hide, reverse or break a line; a pile
    of combining marks is cut to two on a letter.
    """
    kept: list[str] = []
    marks = 0
    for c in text[: 4 * most]:
        if c in _SPACES:
            c = " "
        kind = unicodedata.category(c)
        if kind in _DROPPED:
            continue
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks <= 2:
            kept.append(c)
    found = " ".join("".join(kept).split())
    if len(found) > most or len(text) > 4 * most:
        return found[: most - 1].rstrip() + "…"
    return found


def shown(text: str, most: int = MOST) -> str:
    """``clean`` text that no chat program or mail reader turns into a link or a mention.

    "://" and "www." are taken apart as analysts write them; "@" before a word stays only inside an
    address such as a@example.com, which no program takes for the mention of a group.
    """
    found = clean(text, most).replace("://", "[:]//").replace("www.", "www[.]")
    return _quiet(found)[: most + 8]


def _quiet(text: str) -> str:
    made = []
    for number, c in enumerate(text):
        before = text[number - 1] if number else " "
        if c == "@" and not before.isalnum():
            made.append("(at)")
        else:
            made.append(c)
    return "".join(made)


def moment(time: int) -> str:
    """A time in ms UTC for people."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(time: int) -> str:
    """A time in ms UTC as RFC 3339, with milliseconds."""
    stamp = datetime.fromtimestamp(time / 1000, UTC)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time % 1000:03}Z"


def headline(note: Notification, most: int = 200) -> str:
    """Priority and title in one line."""
    again = "(perhaps sent before) " if note.repeated else ""
    return shown(f"{note.priority} {again}{note.title}", most)


def facts(note: Notification) -> list[tuple[str, str]]:
    """Label and text of what is known in general, in the order in which people ask for it."""
    found: list[tuple[str, str | None]] = [
        ("Identity", note.identity),
        ("Kind", note.identity_kind),
        ("Risk", _risk(note)),
        ("Time", moment(note.time)),
        ("Decision", note.decision),
        ("Looks like", note.looks_like),
        ("Best excuse", note.otherwise),
        ("Services", ", ".join(note.services[:5]) or None),
        ("Identities", str(note.identities) if note.identities > 1 else None),
        ("Findings", str(note.findings) if note.findings > 1 else None),
        ("Counterfactual", note.counterfactual),
        ("ATT&CK", ", ".join(note.attack) or None),
        ("Incident", note.thread if note.thread.startswith("INC-") else None),
        ("Runbook", note.runbook if note.runbook and "://" not in note.runbook else None),
    ]
    return [(label, shown(text)) for label, text in found if text]


def reasons(note: Notification) -> list[str]:
    """The strongest reasons, safe to show."""
    return [shown(reason) for reason in note.reasons[:MOST_REASONS]]


def sides(note: Notification) -> list[tuple[str, str, str]]:
    """This login beside the previous one: label, this, the one before ("" where unknown)."""
    if note.login is None:
        return []
    rows = []
    for label, of in _ROWS:
        this = of(note.login)
        before = of(note.previous) if note.previous is not None else None
        if this or before:
            rows.append((label, shown(this or "not known"), shown(before or "not known")))
    return rows


def plain(note: Notification) -> str:
    """The whole notification as plain text of some lines."""
    lines = [headline(note), ""]
    lines += [shown(text, 1000) for text in note.text]
    lines += [f"{label}: {text}" for label, text in facts(note)]
    if note.reasons:
        lines += ["", "Why:"]
        lines += [f"  {reason}" for reason in reasons(note)]
    compared = sides(note)
    if compared:
        before = note.previous is not None
        lines += ["", "This login, and the previous one:" if before else "This login:"]
        lines += [f"  {n}: {this}" + (f" | {old}" if before else "") for n, this, old in compared]
    if note.more:
        lines += ["", f"and {note.more} more"]
    lines += [""] + [f"{label}: {url}" for label, url in links(note)]
    return "\n".join(lines).rstrip() + "\n"


def links(note: Notification) -> list[tuple[str, str]]:
    """Label and URL of what can be opened: incident, runbook, verdicts."""
    found = [("Open the incident", note.link), ("Runbook", note.runbook)]
    found += [(f"Verdict: {button.label}", button.url) for button in note.buttons]
    return [(label, url) for label, url in found if url and "://" in url]


def _risk(note: Notification) -> str | None:
    if note.risk_score is None:
        return None
    sure = f", confidence {note.confidence:.0%}" if note.confidence is not None else ""
    return f"{note.risk_score:.0f} of 100, {note.risk_level or 'unknown'}{sure}"


def _when(side: Side) -> str:
    return moment(side.time)


_ROWS = (
    ("Time", _when),
    ("Place", lambda side: side.place),
    ("Network", lambda side: side.network),
    ("Address", lambda side: side.ip),
    ("Device", lambda side: side.device),
    ("Client", lambda side: side.client),
    ("Service", lambda side: side.service),
    ("Outcome", lambda side: side.outcome),
)
