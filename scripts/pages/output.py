"""output.md: every key of a scored line."""

import inspect
import types
import typing
from collections.abc import Iterator
from enum import IntEnum

import msgspec

from quivive.app.policy_file import shipped
from quivive.baseline import tables
from quivive.engine import learn
from quivive.model import assessment, event
from quivive.policy import budget
from quivive.scoring import assess
from scripts.pages.markdown import keys, one_line, page, table

# Every key of a scored line: its type, when it is there, what it means.
OUTPUT = {
    "event": ("object", "always", "The login as an OCSF Authentication object, see below."),
    "risk_score": (
        "number, 0 to 100",
        "always",
        (
            "How rare so much evidence is among the logins of people, or of machines, in one "
            "product: 20 is one login in ten, 40 one in a hundred, 60 one in a thousand, before "
            "repeats, waiting prompts and failed attempts are ranked lower. Four decimals, so that "
            "a ranking has no ties."
        ),
    ),
    "risk_level": (
        "string",
        "always",
        (
            f"`low` below {assessment.FINDING:.0f}, `medium` from {assessment.FINDING:.0f}, "
            f"`high` from {assessment.HIGH:.0f}, `critical` from {assessment.CRITICAL:.0f}. "
            "Without a budget, everything but `low` is a finding."
        ),
    ),
    "confidence": (
        "number, 0 to 1",
        "always",
        (
            "How much history stood behind the score, and how many of the signals could speak. "
            "It says nothing about the risk itself."
        ),
    ),
    "reasons": (
        "array of reasons",
        "always",
        (
            f"What speaks most for an attacker, strongest first, at most {assess.STRONGEST}. "
            "Pinned rules come first. "
            f"With a risk under {assess.QUIET:.0f} (nine logins in ten) the strongest alone, if it "
            f"weighs {assess.WORTH_TELLING:.0f} or more."
        ),
    ),
    "decision": ("object", "always", "What policy says to do, see below."),
    "id": (
        "string",
        "always",
        (
            "What `quivive explain` takes: the vendor's event id, or `file:record-number` where"
            " the vendor gives none; where another product gave the same id to a login before, the"
            " full name: `product|log|id`."
        ),
    ),
    "identity": ("string", "always", "The person or machine, joined across logs."),
    "identity_kind": (
        "string",
        "always",
        "`human` or `service`. Each has its own calibration, and so has each product.",
    ),
    "finding": (
        "boolean",
        "always",
        (
            "Whether it is told: `risk_score` is at or above `threshold`, and no more than "
            f"{budget.ALERTS} findings (`--alerts`) were told of the identity within 24 hours."
        ),
    ),
    "threshold": (
        "number, 0 to 100",
        "always",
        (
            f"The risk from which a login was told when this one came: {assessment.FINDING:.0f} "
            "without a budget, otherwise what holds the budget of its class (`--budget`)."
        ),
    ),
    "score": (
        "number, in nats",
        "always",
        (
            "The attacker's stories together against the ordinary ones, before calibration; not "
            "the sum of the weights, see [stories](signals.md#stories). "
            "At 0 both explain the login equally well; every +0.7 doubles the odds."
        ),
    ),
    "reassuring": (
        "array of reasons",
        "always",
        f"What speaks most for the identity itself, at most {assess.REASSURING}. May be empty.",
    ),
    "looks_like": (
        "string",
        "findings",
        "The attacker's story that explains the login best, see [signals](signals.md#stories).",
    ),
    "otherwise": ("string", "findings", "The ordinary story that explains it best."),
    "counterfactual": (
        "string",
        "findings, where one exists",
        "The smallest change, of at most three things, that would have made it no finding.",
    ),
    "not_evaluable": (
        "array of strings",
        "where there are any",
        "Signals that could not speak, and why: `signal: what is missing`. They weigh nothing.",
    ),
    "low_history": (
        "true",
        f"under {assess.ENOUGH_LOGINS:.0f} learned logins",
        "The identity was judged mostly by its peers and the organisation.",
    ),
    "repeated": (
        "integer",
        "where above 0",
        (
            "About how many times this was told already: the findings on the identity within a "
            "day (fading), and thrice one of the same country, product and client within "
            f"{learn.TOLD_HORIZON // tables.DAY_MS} days; counted up to {round(assess.REPEATS)}. "
            "What got worse counts as none, unless the same kind or address was told within a day "
            f"at {learn.OPEN_ABOVE:.0f} or more: then as {assess.OPEN_CASE}, or, from "
            f"{assess.OPEN_AT_TOP:.0f} on, {assess.REPEATS}. "
            "It lowers `risk_score` and `risk_level`, not the decision."
        ),
    ),
    "short_road": (
        "true",
        "for the same again within the hour",
        (
            "The same login of the identity, in the same circumstances, was ordinary earlier in the"
            " hour, and nothing happened since: it keeps that score, without reasons."
        ),
    ),
    "undamped": (
        "number, 0 to 100",
        "where it differs from `risk_score`",
        "The risk before repeats, or a prompt it waits at, rank it lower: what policy decides by.",
    ),
    "shadow_model": (
        "string",
        "while a model is in shadow",
        "The version that was scored beside the active one: `quivive models list`.",
    ),
    "shadow_risk": (
        "number, 0 to 100",
        "while a model is in shadow",
        "The risk by that version. It decides nothing and teaches nothing.",
    ),
    "shadow_finding": (
        "true or false",
        "while a model is in shadow",
        "Whether that version would have told the login.",
    ),
}
REASON = {
    "signal": ("string", "always", "The signal that gives it: a name of [signals](signals.md)."),
    "text": ("string", "always", "The reason in words, with its counts."),
    "weight": ("number, in nats", "always", "Above 0 for an attacker, below 0 for the identity."),
    "attack": ("array of strings", "where there are any", "ATT&CK technique ids."),
}
DECISION = {
    "action": ("string", "always", "See [the actions](policy.md#actions)."),
    "mode": (
        "string",
        "always",
        "`shadow`: it says what it would do, and nothing is done; `canary` and `enforce` act.",
    ),
    "rule": ("string", "always", "The rule that decided: policy/rule."),
    "policy": (
        "string",
        "unless nothing was to do",
        "The version that decided: `p2` of a store, or name@version of a file.",
    ),
    "would": (
        "object",
        "where it differs",
        "What an earlier rule in shadow would have done: action, mode, rule.",
    ),
    "also": ("array of objects", "where there are any", "What is told besides: the same keys."),
    "contexts": ("array of strings", "where any applied", "The ids of the contexts."),
    "instead_of": (
        "string",
        "where it was changed",
        "The action before contexts, or the kind of identity, changed it.",
    ),
    "spent": ("string", "where one was", "The budget that was used up, so that a person is told."),
    "runbook": ("string", "where the rule names one", "What to read."),
}


def output_page() -> str:
    """The scored line, key by key, and the event inside it."""
    ruled = [
        (f"`{r.action}`", f"`{shipped().name}/{r.id}`", r.description) for r in shipped().rules
    ]
    known = [
        (name, described)
        for name, described in vars(event).items()
        if isinstance(described, type)
        and issubclass(described, IntEnum)
        and described is not IntEnum
    ]
    numbers = [
        (
            f"`{_quoted(described.__doc__ or '')}`",
            ", ".join(f"{m.value} {_words(m)}" for m in described),
        )
        for _, described in known
    ]
    return page(
        "Output",
        "`quivive score` writes one JSON object a line for every login, in order of event time."
        " `quivive normalize` writes only what is under `event`, in input order. Keys that are"
        " absent are unknown; new keys may be added, so ignore those you do not know.",
        f"## A scored line\n\n{keys(OUTPUT)}",
        f"## A reason\n\n{keys(REASON)}",
        f"## A decision\n\n{keys(DECISION)}\n\n"
        "By the policy that Quivive comes with, all in shadow; where none of it can hold, the"
        " answer is `allow`:\n\n" + table(("action", "rule", "when"), ruled),
        "## The event\n\nAn [OCSF"
        f" {event.OCSF_VERSION}](https://schema.ocsf.io/{event.OCSF_VERSION}/classes/authentication)"
        " Authentication object. `category_uid` (3), `class_uid` (3002), `type_uid` and"
        " `severity_id` (1) are always there, and so are `time`, `activity_id`, `status_id`, `user`"
        " and `metadata`.\n\n"
        + table(("path", "type"), [(f"`{p}`", t) for p, t in paths(event.AuthEvent)]),
        "## What the parts of an event mean\n\n" + "\n".join(_parts(event.AuthEvent)),
        f"## Numbers\n\n{table(('field', 'values'), numbers)}",
    )


def _quoted(text: str) -> str:
    """The first name between double backticks."""
    return text.split("``")[1]


def _words(member: IntEnum) -> str:
    return member.name.lower().replace("_", " ")


def paths(struct: type, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every path of a struct with its JSON type."""
    for field in msgspec.structs.fields(struct):
        inner, several = _inner(field.type)
        path = f"{prefix}{field.encode_name}" + ("[]" if several else "")
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            if prefix != "actor.":  # a user again
                yield from paths(inner, f"{path}.")
            else:
                yield path, "object, as `user`"
        else:
            yield path, {int: "integer", str: "string", bool: "boolean", float: "number"}[inner]


def _inner(hint: object) -> tuple[type, bool]:
    """The type inside an optional or a tuple, and whether there may be several."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        hint = next(a for a in typing.get_args(hint) if a is not type(None))
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[0], True
    return hint, False  # type: ignore[return-value]


def _parts(struct: type, seen: set[type] | None = None, path: str = "") -> Iterator[str]:
    """The docstring of every struct in an event, once."""
    seen = set() if seen is None else seen
    for field in msgspec.structs.fields(struct):
        inner, several = _inner(field.type)
        if not (isinstance(inner, type) and issubclass(inner, msgspec.Struct)) or inner in seen:
            continue
        seen.add(inner)
        here = f"{path}{field.encode_name}" + ("[]" if several else "")
        head, _, rest = inspect.cleandoc(inner.__doc__ or "").partition("\n\n")
        lines = [f"* `{here}`: {one_line(head)}"]
        if inner is event.Unmapped:
            lines += [f"  * `{here}.{name}`: {text}" for name, text in _named(rest)]
        elif rest:
            lines[0] += " " + one_line(rest)
        yield from lines
        yield from _parts(inner, seen, f"{here}.")


def _named(text: str) -> Iterator[tuple[str, str]]:
    """``name: sentence`` paragraphs, whose further lines are indented."""
    entries: list[str] = []
    for line in text.rstrip().splitlines():
        if line.startswith(" ") and entries:
            entries[-1] += " " + line.strip()
        elif line.strip():
            entries.append(line.strip())
    for entry in entries:
        name, _, sentence = entry.partition(": ")
        yield name, sentence
