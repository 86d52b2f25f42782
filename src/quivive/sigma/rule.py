"""One Sigma rule: from its document to what is matched, and what a match says."""

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from quivive.model.rule import LEVELS, RuleMatch
from quivive.sigma import condition
from quivive.sigma.flaw import SigmaFlaw
from quivive.sigma.selection import Needs, Selection, Test, both, compiled, either, neither

UNKNOWN_LEVEL = "low"  # of a rule that names none
RETIRED = ("deprecated", "unsupported")
MOST_TITLE = 256
MOST_SELECTIONS = 200
MOST_SAID = 8  # false positives, and techniques, that are carried with a match
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)
_NOT_SELECTIONS = ("condition", "timeframe")

Line = Callable[..., int]


class LogSource(Struct, frozen=True):
    """Which log a rule is about, in lower case."""

    category: str | None
    product: str | None
    service: str | None


class Rule(Struct, frozen=True):
    """A rule that can be used. match: what a match says. line: where it begins in its file.

    needs: fields of which each must have one of some values for it to match. fields: all it looks
    at, by the rule's names; "" for all values of a record. file, digest: where it was read, and of
    what text.
    """

    match: RuleMatch
    logsource: LogSource
    test: Test
    needs: Needs
    fields: frozenset[str]
    line: int
    file: str = ""
    digest: str = ""


def read_rule(document: Any, line: Line, otherwise: str, shadow: frozenset[str]) -> Rule:
    """The rule of a document. ``line`` gives the line of a place in it; ``otherwise`` is the id of
    one without; ``shadow`` are ids that are in shadow whatever the rule says. Raises SigmaFlaw.
    """
    if not isinstance(document, dict):
        raise SigmaFlaw("no rule", "a rule begins with title:", line())
    _refuse_others(document, line)
    title = document.get("title")
    if not isinstance(title, str) or not title.strip() or len(title) > MOST_TITLE:
        raise SigmaFlaw(
            "title: missing or too long", f"write one of up to {MOST_TITLE} letters", line("title")
        )
    status = document.get("status")
    if isinstance(status, str) and status.lower() in RETIRED:
        raise SigmaFlaw(f"status: {status}", "use the rule that replaces it", line("status"))
    number = str(document["id"]) if document.get("id") is not None else otherwise
    if not _ID.fullmatch(number):
        raise SigmaFlaw(f"id: {number[:40]!r}", "write a UUID", line("id"))
    level = str(document.get("level") or UNKNOWN_LEVEL).lower()
    if level not in LEVELS:
        raise SigmaFlaw(f"level: {level[:40]!r}", f"one of {', '.join(LEVELS)}", line("level"))
    found = _detection(document.get("detection"), line)
    return Rule(
        match=RuleMatch(
            id=number,
            title=" ".join(title.split()),
            level=level,
            attack=_techniques(document.get("tags")),
            falsepositives=_said(document.get("falsepositives")),
            shadow=number in shadow or _in_shadow(document, line),
        ),
        logsource=_logsource(document.get("logsource"), line),
        test=found.test,
        needs=found.needs,
        fields=found.fields,
        line=line(),
    )


def _refuse_others(document: dict[str, Any], line: Line) -> None:
    if "correlation" in document:
        raise SigmaFlaw(
            "a correlation of several records",
            "Quivive relates logins by itself; keep its rules, and leave the correlation out",
            line("correlation"),
        )
    if "filter" in document:
        raise SigmaFlaw(
            "a filter for other rules",
            "write it into them as: and not filter; or say it in a context",
            line("filter"),
        )
    if document.get("action") is not None:
        raise SigmaFlaw(
            "a collection of rules (action)", "make a file of each rule", line("action")
        )


def _logsource(given: Any, line: Line) -> LogSource:
    if not isinstance(given, dict):
        raise SigmaFlaw("logsource: missing", "write product: and service:", line("logsource"))
    words: dict[str, str | None] = {}
    for key in ("category", "product", "service"):
        value = given.get(key)
        if value is not None and not isinstance(value, str):
            raise SigmaFlaw(f"logsource.{key}: no word", "write a word", line("logsource", key))
        words[key] = value.strip().lower() if value else None
    return LogSource(**words)


def _detection(given: Any, line: Line) -> Selection:
    if not isinstance(given, dict):
        raise SigmaFlaw("detection: missing", "write selections and a condition", line("detection"))
    names = [name for name in given if name not in _NOT_SELECTIONS]
    if not names or len(names) > MOST_SELECTIONS:
        raise SigmaFlaw(
            f"detection: {len(names)} selections", f"1 to {MOST_SELECTIONS}", line("detection")
        )
    selections: dict[str, Selection] = {}
    for name in names:
        try:
            selections[name] = compiled(given[name])
        except SigmaFlaw as flaw:
            raise SigmaFlaw(
                f"detection.{name}: {flaw.text}", flaw.remedy, line("detection", name)
            ) from None
    wanted = given.get("condition")
    given_texts = wanted if isinstance(wanted, list) else [wanted]
    texts = [text for text in given_texts if isinstance(text, str)]
    if not texts or len(texts) < len(given_texts):
        raise SigmaFlaw(
            "detection: no condition", "write condition: selection", line("detection", "condition")
        )
    try:
        trees = [condition.parse(text, list(selections)) for text in texts]
    except SigmaFlaw as flaw:
        raise SigmaFlaw(flaw.text, flaw.remedy, line("detection", "condition")) from None
    return either([_of(tree, selections) for tree in trees])


def _of(tree: condition.Tree, selections: dict[str, Selection]) -> Selection:
    match tree:
        case condition.Name(name=name):
            return selections[name]
        case condition.Not(of=inner):
            return neither(_of(inner, selections))
        case condition.And(of=parts):
            return both([_of(part, selections) for part in parts])
        case condition.Or(of=parts):
            return either([_of(part, selections) for part in parts])


def _techniques(tags: Any) -> tuple[str, ...]:
    words = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    found = [match[1].upper() for tag in words if (match := _TECHNIQUE.fullmatch(tag.strip()))]
    return tuple(dict.fromkeys(found))[:MOST_SAID]


def _said(given: Any) -> tuple[str, ...]:
    texts = given if isinstance(given, list) else [given]
    words = [" ".join(text.split())[:MOST_TITLE] for text in texts if isinstance(text, str)]
    return tuple([text for text in words if text])[:MOST_SAID]


def _in_shadow(document: dict[str, Any], line: Line) -> bool:
    own = document.get("quivive")
    mode = own.get("mode") if isinstance(own, dict) else document.get("quivive.mode")
    if mode not in (None, "shadow", "enforce"):
        raise SigmaFlaw(f"quivive.mode: {mode!r}", "shadow or enforce", line("quivive"))
    return mode == "shadow"
