"""Erasing one identity, or putting a pseudonym in its place.

Both take its baseline, its sessions and places, its names and its lessons, wherever they are. What
is append-only keeps what accountability needs; docs/adr/0021-erasing-an-identity.md lists it.

Erasing takes back, exactly, what the identity taught its peers and the organisation, and deletes
its logins. A pseudonym leaves the logins without name, address, device and session, so that what is
counted stays true; what was learned by everyone together stays, too: it names nobody.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from quivive.app import sigma
from quivive.app.audit import sign
from quivive.app.erasing_telemetry import erase_rows
from quivive.app.errors import UsageError
from quivive.app.keeping import changed_entries, changing, load_state, settled
from quivive.app.kept import decode_kept, forget_lessons
from quivive.app.keys import random_key
from quivive.app.snapshot import encode_parts
from quivive.app.verdicts import done_of
from quivive.baseline.directory import id_of
from quivive.baseline.lesson import Lesson
from quivive.baseline.profile import AddressState
from quivive.engine.observe import forget_observed
from quivive.engine.publish import publish_all
from quivive.engine.resident import Resident
from quivive.engine.state import State
from quivive.engine.teaching import take
from quivive.model.audit import Entry
from quivive.model.verdict import TRUE_POSITIVE
from quivive.model.words import counted
from quivive.store import erasing
from quivive.store.database import Store
from quivive.store.models import Author
from quivive.store.policies import Policies

KEY = "pseudonyms"
SHORTEST_NAME = 3  # a shorter one would be found inside other words
KEPT_OF_EVENT = ("category_uid", "class_uid", "type_uid", "severity_id", "time", "activity_id",
                 "status_id", "is_mfa", "service", "auth_protocol", "auth_protocol_id")  # fmt: skip
KEPT_OF_LINE = ("risk_score", "risk_level", "confidence", "decision", "id", "identity_kind",
                "finding", "threshold", "score", "looks_like", "otherwise", "low_history",
                "short_road", "repeated", "undamped")  # fmt: skip
NAMES = ("name", "email_addr", "full_name", "uid", "uid_alt", "credential_uid")


class Erased(Struct, kw_only=True):
    """What came of it. stand_in: what stands where the name stood; logins: deleted, or left
    without a name; taken_back: lessons; addresses: that knew it; telemetry: rows deleted; contexts:
    that still name it, and in_trail: records of the audit trail that do, both of which stay.
    """

    stand_in: str
    logins: int
    taken_back: int
    addresses: int
    incidents: int
    messages: int
    dead_letters: int
    telemetry: int
    contexts: list[str]
    in_trail: int


def erase(store: Store, identity: str, author: Author, telemetry: str | None = None) -> Erased:
    """Takes an identity out of a store. telemetry: its folder, where that is not the store's own.

    Raises UsageError for an unknown one, while something is under way against it, and for
    telemetry that is not to be found.
    """
    with changing(store, "identity erase"):
        return _remove(store, identity, author, telemetry, keep=False)


def pseudonymise(
    store: Store, identity: str, author: Author, telemetry: str | None = None
) -> Erased:
    """Puts a pseudonym in the place of an identity. Raises what ``erase`` raises."""
    with changing(store, "identity pseudonymise"):
        return _remove(store, identity, author, telemetry, keep=True)


def stand_in(store: Store, identity: str) -> str:
    """What stands for an erased identity: the same for the same name, by the store's own key."""
    given = identity.encode("utf-8", "surrogatepass")
    return f"erased-{hmac.digest(random_key(store, KEY), given, hashlib.sha256).hex()[:16]}"


def _remove(
    store: Store, identity: str, author: Author, telemetry: str | None, *, keep: bool
) -> Erased:
    settled(store)
    state = load_state(store) or State()
    publish_all(state)
    lines = list(erasing.lines(store, identity))
    if not lines and identity not in state.profiles and identity != identity.lower():
        identity = identity.lower()  # as identities are, however a request spells them
        lines = list(erasing.lines(store, identity))
    if not lines and identity not in state.profiles:
        raise UsageError(f"{identity}: no such identity; names are as assessments give them")
    name = stand_in(store, identity)
    rewrite = _Rewriter(_names(state, identity, (line.body for line in lines)), name)
    waiting = erasing.under_way(store, rewrite)
    if waiting:
        raise UsageError(
            f"{counted(waiting, 'message or action', 'messages or actions')} about it under way:"
            " wait until that is done (quivive respond list), then run this again; nothing was"
            " changed"
        )
    taken = 0 if keep else _take_back(store, state, lines)
    rows = erase_rows(store, identity, rewrite, telemetry)
    addresses = _forget(state, identity, name, rewrite)
    fresh = {line.id: _anonymous(line.body, name) for line in lines} if keep else None
    action = "pseudonymised" if keep else "erased"
    record = Entry(
        time=author.at, actor=author.by, action=f"identity:{action}", subject=name,
        details={"why": author.why, "logins": len(lines), "taken_back": taken},
    )  # fmt: skip
    removal = erasing.Removal(
        identity, name, [line.id for line in lines], fresh, rewrite, encode_parts(state),
        changed_entries(state), record, sorted(rewrite.names),
    )  # fmt: skip
    counts = erasing.remove(store, removal)
    forget_observed()
    sigma.forget()
    forget_lessons()
    sign(store)
    contexts = Policies(store).contexts()
    return Erased(
        stand_in=name,
        logins=counts.logins,
        taken_back=taken,
        addresses=addresses,
        incidents=counts.incidents,
        messages=counts.outbox,
        dead_letters=counts.dead_letters,
        telemetry=rows,
        contexts=[c.id for c in contexts if rewrite(msgspec.json.encode(c)) is not None],
        in_trail=erasing.in_trail(store, identity),
    )


# --- what was learned


def _take_back(store: Store, state: State, lines: Iterable[erasing.Line]) -> int:
    """Takes back every lesson that counts, newest first."""
    done = done_of(store)
    profiles, taken = state.profiles, 0
    for line in lines:
        judged = done.get(line.id)
        lesson: Lesson | None = None
        if judged is not None and judged.effect.taught is not None:
            lesson = judged.effect.taught
        elif (judged is None or judged.kind != TRUE_POSITIVE) and line.lesson is not None:
            lesson = decode_kept(line.lesson, f"{store.given}: login {line.id}").lesson
        profile = profiles.get(lesson.identity) if lesson is not None else None
        if lesson is not None and profile is not None and lesson.trust:
            take(state, profile, lesson, {})
            taken += 1
    return taken


def _forget(state: State, identity: str, name: str, rewrite: "_Rewriter") -> int:
    """Takes an identity out of everything the engine remembers; how many addresses knew it."""
    if identity in state.profiles:
        del state.profiles[identity]
    for other in rewrite.names:  # what it was called before its e-mail was seen
        if other in state.profiles and state.directory.by_local_part.get(other) == [identity]:
            del state.profiles[other]
    known = _addresses(state.addresses, identity) + _addresses(state.networks, identity)
    state.organisation.stray_identities.last_seen.pop(identity, None)
    state.thresholds.alerted.pop(identity, None)
    _directory(state, identity, rewrite.names)
    novelty = state.novelty
    for candidate in novelty.candidates.values():
        candidate.members.pop(identity, None)
        candidate.anchored.pop(identity, None)
    for window in novelty.failing.values():
        window.last_seen.pop(identity, None)
    for event in novelty.events:
        event.examples = [name if one == identity else one for one in event.examples]
        if identity in event.members:
            event.members = {name if k == identity else k: v for k, v in event.members.items()}
    for series in state.monitor.series.values():
        series.seen.pop(identity, None)
    return known


def _addresses(table: Resident[AddressState], identity: str) -> int:
    keys = [
        key
        for key, entry in table.entries()
        if identity in entry.good
        or identity in entry.findings
        or identity in entry.hostile
        or identity in entry.failing.last_seen
    ]
    for key in keys:
        entry = table.get(key)
        if entry is not None:
            for known in (entry.good, entry.findings, entry.hostile, entry.failing.last_seen):
                known.pop(identity, None)
    return len(keys)


def _directory(state: State, identity: str, names: set[str]) -> None:
    known = state.directory
    known.ids = {uid: who for uid, who in known.ids.items() if who != identity}
    called = {each.lower() for each in names}
    known.names = {
        uid: who
        for uid, who in known.names.items()
        if who not in called and id_of(uid) not in names
    }
    local, at, domain = identity.partition("@")
    emails = known.by_local_part.get(local)
    if at and emails is not None and identity in emails:
        emails.remove(identity)
        known.domains[domain] = max(0, known.domains.get(domain, 0) - 1)
        if not emails:
            del known.by_local_part[local]
    known.bare.pop(local if at else identity, None)


# --- names


def _names(state: State, identity: str, lines: Iterable[bytes]) -> set[str]:
    """Everything that the identity is called by: in the directory and in its own logins."""
    found = {identity}
    known = state.directory
    found |= {id_of(uid) for uid, who in known.ids.items() if who == identity}
    found |= {id_of(uid) for uid, who in known.names.items() if who == identity}
    for line in lines:
        event = msgspec.json.decode(line).get("event", {})
        user = event.get("user") or {}
        found |= {str(user[name]) for name in NAMES if user.get(name)}
    shared = {name for name in found if name in _SHARED}
    return {name for name in found - shared if len(name) >= SHORTEST_NAME} | {identity}


_SHARED = frozenset(("root", "admin", "administrator", "ubuntu", "ec2-user", "user", "guest"))


class _Rewriter:
    """Puts a stand-in where one of the names stands as a word of its own in some JSON."""

    def __init__(self, names: set[str], name: str) -> None:
        self.names = names
        spelled = {msgspec.json.encode(one)[1:-1] for one in names} | {
            one.encode() for one in names
        }
        longest = sorted(spelled, key=lambda one: (-len(one), one))
        words = b"|".join(re.escape(one) for one in longest)
        self._found = re.compile(rb"(?<![\w.@-])(?:" + words + rb")(?![\w@-])")
        self._name = name.encode()

    def __call__(self, body: bytes) -> bytes | None:
        """The body without the names; None where there was none."""
        if not any(one.encode() in body for one in self.names) and b"\\" not in body:
            return None
        fresh, count = self._found.subn(lambda _: self._name, body)
        return fresh if count else None


def _anonymous(line: bytes, name: str) -> bytes:
    """A login as it may stay: when, what, how it ended, how odd it was and by which signals."""
    given: dict[str, Any] = msgspec.json.decode(line)
    was = given["event"]
    event = {key: was[key] for key in KEPT_OF_EVENT if key in was}
    event["user"] = {"name": name, "type_id": (was.get("user") or {}).get("type_id", 0)}
    metadata = was.get("metadata") or {}
    kept = ("version", "product", "uid", "log_name", "sequence")
    event["metadata"] = {key: metadata[key] for key in kept if key in metadata}
    country = ((was.get("src_endpoint") or {}).get("location") or {}).get("country")
    if country:
        event["src_endpoint"] = {"location": {"country": country}}
    fresh: dict[str, Any] = {"event": event}
    fresh |= {key: given[key] for key in KEPT_OF_LINE if key in given}
    for told in ("reasons", "reassuring"):
        fresh[told] = [
            {**reason, "text": f"{reason['signal'].replace('_', ' ')}: erased on request"}
            for reason in given.get(told, ())
        ]
    fresh["identity"] = name
    return msgspec.json.encode(fresh)
