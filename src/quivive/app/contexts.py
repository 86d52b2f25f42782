"""Contexts: made from what a person says, checked, and shown beside what was learned."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from quivive.app.errors import UsageError
from quivive.engine.state import State
from quivive.enrich.private import address_scope
from quivive.model.context import Context
from quivive.policy.actions import ACTIONS
from quivive.policy.conditions import nearest
from quivive.policy.contexts import MOST_MARGIN
from quivive.policy.environment import CONTEXT_KINDS
from quivive.policy.marks import YamlProblem, compose, pairs, place, plain

DAY_MS = 86_400_000
DEFAULT_DAYS = 30
MOST_DAYS = 366
GRACE_DAYS = 1
MOST_LISTED = 10_000
MOST_TEXT = 500
WIDEST = {4: 8, 6: 19}  # a wider block of addresses is most of the internet
SHARED_FROM = 5  # identities at home from which an address counts as shared
LISTS = ("identities", "groups", "services", "addresses", "networks", "devices", "countries")
KEYS = ("id", "kind", "reason", "owner", "from", "until", *LISTS, "margin", "action")
# What a kind has to name: one of these lists, and what it is for.
NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "safelist": (("addresses", "networks", "identities", "devices"),),
    "travel": (("identities",), ("countries",)),
    "maintenance": (("identities", "services", "groups", "addresses"),),
    "deploy": (("identities", "services", "groups", "addresses"),),
    "campaign": (("identities", "groups", "services"),),
    "grace": (("identities",),),
    "vip": (("identities", "groups"),),
    "countries": (("countries",),),
    "override": (("identities",),),
    "break_glass": (("identities",),),
}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_AHEAD = re.compile(r"(\d{1,4})\s*(h|d|hours?|days?)")


class Shared(NamedTuple):
    """An address or network that many identities are at home on, without anyone listing it."""

    place: str
    identities: int
    last_seen: int


def from_fields(given: dict[str, Any], now: int) -> Context:
    """A context from plain values (see KEYS). ``now``: ms UTC.

    Raises UsageError saying which field is wrong, and what to write.
    """
    for key in given:
        if key not in KEYS:
            hint = nearest(key, KEYS, f"the keys: {', '.join(KEYS)}")
            raise UsageError(f"a context has no {key!r}; {hint}")
    kind = str(given.get("kind", ""))
    if kind not in CONTEXT_KINDS:
        raise UsageError(
            f"no kind of context {kind!r}; {nearest(kind, CONTEXT_KINDS, ', '.join(CONTEXT_KINDS))}"
        )
    begins = when(given.get("from"), now, now)
    days = GRACE_DAYS if kind == "grace" else DEFAULT_DAYS
    ends = when(given.get("until"), now, max(begins, now) + days * DAY_MS)
    lists: dict[str, Any] = {name: tuple(_texts(name, given.get(name))) for name in LISTS}
    lists["networks"] = tuple(_number(text) for text in lists["networks"])
    lists["countries"] = tuple(text.upper() for text in lists["countries"])
    lists["addresses"] = tuple(_block(text) for text in lists["addresses"])
    margin = given.get("margin", 0.0)
    if isinstance(margin, bool) or not isinstance(margin, int | float):
        raise UsageError(f"margin {margin!r}: no number; write 10")
    context = Context(
        id=str(given.get("id") or ""),
        kind=kind,  # type: ignore[arg-type]
        reason=_said("reason", given.get("reason")),
        owner=_said("owner", given.get("owner")),
        begins=begins,
        ends=ends,
        margin=float(margin),
        action=None if given.get("action") is None else str(given["action"]),
        **lists,
    )
    return checked(context, now)


def checked(context: Context, now: int) -> Context:
    """The context itself. Raises UsageError for one that is empty, eternal, past, or too wide."""
    kind = context.kind
    if context.id and not _ID.fullmatch(context.id):
        raise UsageError(f"id {context.id[:70]!r}: letters, digits, - _ and . ; 64 at most")
    for name, text in (("reason", context.reason), ("owner", context.owner)):
        _said(name, text)
    if context.ends <= context.begins:
        raise UsageError(f"it would end ({said(context.ends)}) before it begins; mend --until")
    if context.ends <= now:
        raise UsageError(f"it would have ended already ({said(context.ends)}); mend --until")
    if context.ends - max(context.begins, now) > MOST_DAYS * DAY_MS:
        raise UsageError(
            f"it would last until {said(context.ends)}; nothing is forever: {MOST_DAYS} days are"
            " the most, renew it then"
        )
    for names in NEEDS[kind]:
        if not any(getattr(context, name) for name in names):
            raise UsageError(f"a context of the kind {kind} has to name {' or '.join(names)}")
    for name in LISTS:
        if len(getattr(context, name)) > MOST_LISTED:
            raise UsageError(f"{name}: more than {MOST_LISTED:,}; make several contexts")
    for country in context.countries:
        if not _COUNTRY.fullmatch(country):
            raise UsageError(f"country {country!r}: write its code of two letters, such as DE")
    if kind == "campaign" and not 0 < context.margin <= MOST_MARGIN:
        raise UsageError(
            f"a campaign's margin is what it takes off the risk: above 0, {MOST_MARGIN:g} at most"
        )
    if kind != "campaign" and context.margin:
        raise UsageError("only a campaign has a margin")
    if kind == "override" and context.action not in ACTIONS:
        raise UsageError(f"an override needs an action: {', '.join(ACTIONS)}")
    if kind != "override" and context.action is not None:
        raise UsageError("only an override has an action")
    return context


def read_file(path: Path, now: int) -> list[Context]:
    """The contexts of a YAML file: a list of mappings.

    Raises UsageError naming file and line for the first that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; check the path") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 ({error.reason}); save it as UTF-8") from None
    try:
        root = compose(text)
    except YamlProblem as found:
        raise UsageError(found.problem.said(str(path))) from None
    if isinstance(root, yaml.MappingNode):
        inner = [value for key, value in pairs(root) if key.value == "contexts"]
        root = inner[0] if len(inner) == 1 else root
    if not isinstance(root, yaml.SequenceNode):
        raise UsageError(f"{path}: no list of contexts; begin each with - kind: …")
    found_all = []
    for node in root.value:
        line, column = place(node)
        value = plain(node)
        try:
            if not isinstance(value, dict):
                raise UsageError("no mapping; write kind: safelist and so on")
            found_all.append(from_fields(value, now))
        except UsageError as error:
            raise UsageError(f"{path}:{line}:{column}: {error}; nothing was added") from None
    return found_all


def when(given: object, now: int, otherwise: int) -> int:
    """A time in ms UTC from a date, a date and time, or "3d" and "12h" from now."""
    if given is None or given == "":
        return otherwise
    text = str(given).strip()
    ahead = _AHEAD.fullmatch(text)
    if ahead is not None:
        hours = int(ahead[1]) * (24 if ahead[2].startswith("d") else 1)
        return now + int(timedelta(hours=hours).total_seconds()) * 1000
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return int(found.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text[:40]!r}: no time; write 2026-12-31, 2026-12-31T18:00 or 14d"
        ) from None


def said(time: int) -> str:
    """A time in ms UTC for people."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def as_fields(context: Context) -> dict[str, Any]:
    """A context as it is written in a file."""
    fields: dict[str, Any] = msgspec.to_builtins(context)
    fields["from"], fields["until"] = said(fields.pop("begins")), said(fields.pop("ends"))
    return fields


def shared_egress(state: State, at_least: int = SHARED_FROM) -> list[Shared]:
    """Addresses and networks that many identities are at home on, the most shared first.

    They were learned, and have lost their power to surprise; a safelist is mostly not needed.
    """
    found = [
        Shared(key, len(known.good), known.last_seen)
        for table in (state.addresses, state.networks)
        for key, known in table.entries()
        if len(known.good) >= at_least and address_scope(key.partition("/")[0]) == "public"
    ]
    return sorted(found, key=lambda s: (-s.identities, s.place))


def safelisted(place_: str, contexts: Iterable[Context]) -> Iterator[str]:
    """The ids of the safelists that cover an address or a network."""
    net = ip_network(place_, strict=False)
    for context in contexts:
        if context.kind == "safelist":
            for block in context.addresses:
                other = ip_network(block, strict=False)
                if net.version == other.version and net.subnet_of(other):  # type: ignore[arg-type]
                    yield context.id
                    break


def _texts(name: str, given: object) -> Sequence[str]:
    if given is None:
        return ()
    values = list(given) if isinstance(given, list | tuple) else [given]
    texts = [str(v).strip() for v in values]
    for text in texts:
        if not text or len(text) > MOST_TEXT or not text.isprintable():
            raise UsageError(f"{name}: {text[:40]!r} is empty, too long, or not printable")
    return list(dict.fromkeys(texts))


def _said(name: str, given: object) -> str:
    text = " ".join(str(given or "").split())
    if not text or len(text) > MOST_TEXT or not text.isprintable():
        raise UsageError(f"{name} is missing, too long, or not printable; say it in a sentence")
    return text


def _number(text: str) -> int:
    digits = text.upper().removeprefix("AS")
    if not digits.isdecimal() or not 0 < int(digits) < 2**32:
        raise UsageError(f"network {text!r}: no AS number; write 64500 or AS64500")
    return int(digits)


def _block(text: str) -> str:
    """An address or CIDR block as canonical text; an IPv4-mapped IPv6 address as IPv4."""
    try:
        if "/" not in text:
            address = ip_address(text)
            return str(getattr(address, "ipv4_mapped", None) or address)
        net = ip_network(text, strict=False)
    except ValueError:
        raise UsageError(f"address {text!r}: no address and no CIDR block") from None
    if net.prefixlen < WIDEST[net.version]:
        raise UsageError(f"address {text!r}: that is most of the internet; name smaller blocks")
    return str(net)
