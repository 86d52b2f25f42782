"""Values as people read them: filters of the templates."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context as Rendering
from markupsafe import Markup

from quivive.model.words import counted, shortened

MOST_TEXT = 2_000  # characters of any one text from a log
NAME_SHOWN = 80
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SAID = {
    "acknowledged": "Acknowledged. It is not told again unless it gets worse.",
    "closed": "Closed.",
    "verdict": "Your verdict is kept, and what it teaches is learned.",
    "undone": "Taken back. What the vendor answered stands below.",
    "not-undone": "It could not be taken back; what the vendor answered stands below.",
    "signed-out": "You are signed out.",
    "ended": "Your session has ended. Sign in again to go on.",
    "password": "Your password is changed; other sessions have ended.",
    "budget": "It holds from the next login on; the threshold moves there by itself.",
    "policy": "The policy is in force as you said; the audit trail has it.",
    "context": "Kept. It holds from now on, or from when you said.",
    "ended-context": "Ended.",
    "model": "The model that scores is the one you chose; the audit trail has it.",
    "drawn": "These are the ones to look into next.",
    "asked": "It is asked for. What the vendor answers stands under Actions.",
}
ACTIONS = {
    "allow": "let in", "notify": "tell", "step_up": "ask for another factor", "block": "block",
    "revoke": "end all sessions", "disable": "disable the account", "rotate": "rotate the key",
    "isolate": "isolate", "ticket": "open a ticket", "page": "page a person",
}  # fmt: skip
VERDICTS = {
    "true_positive": "not theirs",
    "benign_true_positive": "odd, but in order",
    "false_positive": "theirs, as ever",
}
STATUSES = {
    "done": "done", "dry_run": "dry run", "nothing_to_do": "nothing to do", "refused": "refused",
    "failed": "failed", "undone": "taken back", "due": "under way", "dead": "given up",
}  # fmt: skip


def clean(value: Any) -> Any:
    """A text without what would act instead of being read: control characters, and those that turn
    the direction of writing, are written out. Markup and other values stay as they are.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return "" if value is None else value
    if len(value) > MOST_TEXT:
        value = f"{value[:MOST_TEXT]}… ({len(value):,} characters)"
    if value.isprintable():
        return value
    return "".join(c if _harmless(c) else f"\\u{ord(c):04x}" for c in value)


def _harmless(character: str) -> bool:
    if character in "\n\t":
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def short(value: object, most: int = NAME_SHOWN) -> str:
    """A text cut in the middle, where names differ least."""
    return shortened(str(value or ""), most)


def moment(time: int | None) -> datetime | None:
    """A time in ms UTC; None for none, or one that is out of this world."""
    if not time:
        return None
    try:
        return datetime.fromtimestamp(time / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def iso(time: int | None) -> str:
    """A time as ISO 8601 in UTC."""
    at = moment(time)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


@pass_context
def when(
    rendering: Rendering, time: int | None, *, seconds: bool = False, dated: bool = False
) -> Markup:
    """A time in UTC: with the date unless it is today (``dated``: always), with the year unless it
    is this one.
    """
    at, now = moment(time), moment(rendering["visit"].now)
    if at is None or now is None:
        return Markup("–")
    clock = at.strftime("%H:%M:%S" if seconds else "%H:%M")
    if at.date() == now.date() and not dated:
        text = clock
    else:
        year = f" {at.year}" if at.year != now.year else ""
        text = f"{at.day} {at:%b}{year} {clock}"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        iso(time), at.strftime("%Y-%m-%d %H:%M:%S"), text
    )


def span(ms: float | None) -> str:
    """A length of time in its largest sensible unit."""
    if ms is None:
        return "–"
    size = abs(ms)
    for unit, length in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if size >= 2 * length:
            return f"{size / length:.0f} {unit}"
    return f"{size / 1000:.0f} s" if size >= 1000 or not size else f"{size:.0f} ms"


@pass_context
def ago(rendering: Rendering, time: int | None) -> Markup:
    """How long before now, with the time itself to look up."""
    visit = rendering["visit"]
    if moment(time) is None or time is None:
        return Markup("–")
    past = visit.now - time
    text = "just now" if 0 <= past < MINUTE else f"{span(past)} {'ago' if past >= 0 else 'ahead'}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        iso(time), iso(time).replace("T", " ").replace("Z", " UTC"), text
    )


def risk(value: float | None) -> Markup:
    """A risk as a number in the colour of its level."""
    from quivive.model.assessment import level_of

    if value is None:
        return Markup("–")
    level = level_of(value)
    return Markup('<span class="risk {}" title="risk {} of 100, {}">{}</span>').format(
        level, f"{value:.1f}", level, f"{value:.0f}"
    )


def broken(text: object) -> Markup:
    """A name that is broken after its signs, where it has to be, and not within a word."""
    parts = re.split(r"(?<=[@/:])", str(clean(text)))
    return Markup("<wbr>").join(parts)


def percent(value: float | None, digits: int = 0) -> str:
    """A share (0-1) in percent."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def decided(said: str) -> str:
    """A decision as reports write it, "step_up (shadow)", in the words of the console."""
    action, space, mode = said.partition(" ")
    return f"{ACTIONS.get(action, action.replace('_', ' '))}{space}{mode}"


@pass_context
def who(rendering: Rendering, name: str | None, most: int = NAME_SHOWN) -> str:
    """An identity, or what stands for it."""
    return short(rendering["visit"].veil.identity(name), most)


@pass_context
def ip(rendering: Rendering, address: str | None) -> str:
    """An address, or the network it is cut to."""
    return short(rendering["visit"].veil.address(address), 60)


@pass_context
def said(rendering: Rendering, text: str | None, most: int = 400) -> str:
    """Free text, without names where they may not be seen."""
    return short(rendering["visit"].veil.text(text), most)


@pass_context
def handle(rendering: Rendering, identity: str) -> str:
    """What names an identity in a URL."""
    found: str = rendering["visit"].veil.names.handle(identity)
    return found


def install(environment: Environment) -> None:
    """Gives an environment all of these."""
    environment.finalize = clean
    environment.filters |= {
        "counted": counted, "short": short, "when": when, "ago": ago, "span": span, "risk": risk,
        "percent": percent, "who": who, "broken": broken, "ip": ip, "said": said, "handle": handle,
        "iso": iso,
        "action": lambda name: ACTIONS.get(name, str(name).replace("_", " ")),
        "decided": decided,
        "verdict": lambda name: VERDICTS.get(name, str(name).replace("_", " ")),
        "status": lambda name: STATUSES.get(name, str(name).replace("_", " ")),
    }  # fmt: skip
