"""One login taken apart: every category it showed, beside how usual that was for the identity then.

What a login counted in the tables is kept with it, so that the identity's own counts as of any
login can be worked out: today's, less what was learned since. Of peers and everyone today's stand
for those of then.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from quivive.app.errors import UsageError
from quivive.app.kept import decode_kept
from quivive.app.registry import signals
from quivive.baseline.lesson import Lesson
from quivive.baseline.profile import Organisation, Profile
from quivive.baseline.tables import Level
from quivive.engine.probation import PROBATION
from quivive.learn.drift import TITLES
from quivive.model.assessment import Reason
from quivive.scoring.stories import GROUPS
from quivive.server.console.login import Login
from quivive.server.console.person import DRAWN, profile_of
from quivive.store import identities
from quivive.store.database import Store

ORGANISATION = "engine/organisation"
SIGNALS = {"weekend": "weekday", "operator": "network", "asn": "network", "subnet": "address"}
QUIET = frozenset(("log", "operator_city", "role given"))  # what others are conditional on
# Whose category begins with what it is conditional on; those with "?" are, too.
GIVEN = frozenset(("city", "asn", "os", "client", "application", "auth_method"))
NAMES = {
    "asn": "operator in the country",
    "operator": "operator (AS)",
    "subnet": "block of addresses",
    "auth_method": "how it signed in",
    "absence": "time since the last",
    "weekend": "weekday",
}
_organisation = msgspec.msgpack.Decoder(Organisation)
Learned = Mapping[tuple[str, str], float]


class Share(Struct, frozen=True):
    """How often a category was seen, decayed: of how many."""

    count: float
    of: float

    @property
    def share(self) -> float:
        """The share (0-1)."""
        return min(1.0, self.count / self.of) if self.of > 0 else 0.0


class Row(Struct, kw_only=True):
    """A signal with what the login showed of it. weight: in the score, in nats against the owner,
    where the line tells it; text: the reason as it was told; own: as of the login; peers, everyone:
    as of today.
    """

    signal: str
    title: str
    group: str
    category: str = ""
    weight: float | None = None
    text: str = ""
    about: str = ""
    own: Share | None = None
    peers: Share | None = None
    everyone: Share | None = None


class Breakdown(Struct, kw_only=True):
    """All of it. groups: name, told weight, rows. trust: what it counted for where it was learned;
    held, waits: why it was not, or not at once; alike: its kind, which verdicts speak of.
    """

    groups: list[tuple[str, float, list[Row]]]
    kept: bool
    trust: float | None
    held: bool
    waits: bool
    alike: str
    most: float
    since: int


def of(store: Store, login: Login) -> Breakdown:
    """Takes a login apart. It blocks. Raises UsageError for what is damaged."""
    body = identities.lesson(store, login.id)
    lesson = decode_kept(body, f"login {login.id}").lesson if body is not None else None
    said = {r.signal: r for r in (*login.reasons, *login.reassuring)}
    rows: list[Row] = []
    since = 0
    if lesson is not None:
        profile = profile_of(store, login.identity)
        later = list(_later(store, lesson, profile)) if profile is not None else []
        since = len(later)
        rows = _rows(lesson, said, profile, _everyone(store), _learned(profile, later))
    told = {row.signal for row in rows if row.weight is not None}
    about = _about()
    for reason in said.values():
        if reason.signal not in told:
            group, sentence = about.get(reason.signal, ("", ""))
            title = reason.signal.replace("_", " ")
            rows.append(Row(signal=reason.signal, title=title, group=group, about=sentence,
                            weight=reason.weight, text=reason.text))  # fmt: skip
    return Breakdown(
        groups=_grouped(rows),
        kept=lesson is not None,
        trust=lesson.trust if lesson is not None else None,
        held=lesson is not None and lesson.held,
        waits=lesson is not None and lesson.waits,
        alike=lesson.alike if lesson is not None else "",
        most=max((abs(row.weight or 0.0) for row in rows), default=1.0) or 1.0,
        since=since,
    )


def _rows(
    lesson: Lesson,
    said: Mapping[str, Reason],
    profile: Profile | None,
    organisation: Organisation | None,
    learned: Learned,
) -> list[Row]:
    found, about, told = [], _about(), set()
    for factor, category, _ in lesson.features:
        if factor in QUIET:
            continue
        signal = factor.removesuffix("?")
        signal = signal if signal in about else SIGNALS.get(signal, signal)
        group, sentence = about.get(signal, ("", ""))
        title = NAMES.get(factor) or TITLES.get(factor, factor.replace("_", " "))
        row = Row(signal=signal, title=title, group=group, category=category, about=sentence)
        reason = said.get(signal)
        if reason is not None and signal not in told:
            told.add(signal)
            row.weight, row.text = reason.weight, reason.text
        if profile is not None:
            row.own = _share(profile.own, factor, category, lesson.time, learned)
        if organisation is not None:
            row.peers = _share(organisation.groups.get(lesson.group), factor, category, lesson.time)
            row.everyone = _share(organisation.everyone, factor, category, lesson.time)
        found.append(row)
    return found


def _about() -> dict[str, tuple[str, str]]:
    """The group and the sentence of each signal."""
    return {name: (s.group, text) for s in signals() for name, text in s.tells.items()}


def _later(store: Store, lesson: Lesson, profile: Profile) -> Iterable[Lesson]:
    """What the identity's baseline has counted since: of this login and those after it."""
    waiting = {(one.time, one.constellation) for one in profile.waiting}
    for body in identities.lessons(store, lesson.identity, lesson.time - PROBATION, DRAWN):
        found = decode_kept(body, f"a login of {lesson.time}").lesson
        if found is None or not found.counted or not found.trust:
            continue
        counted_at = found.time + PROBATION if found.waits else found.time
        if counted_at >= lesson.time and (found.time, found.constellation) not in waiting:
            yield found


def _learned(profile: Profile | None, later: Iterable[Lesson]) -> Learned:
    """What lessons put into the tables of a profile, in the units of its level; a factor's own sum
    stands under the category "".
    """
    found: Counter[tuple[str, str]] = Counter()
    if profile is not None:
        for lesson in later:
            amount = profile.own.scale(lesson.time) * lesson.trust
            for factor, category, _ in lesson.features:
                found[factor, category] += amount  # type: ignore[assignment]
                found[factor, ""] += amount  # type: ignore[assignment]
    return found


def _share(
    level: Level | None, factor: str, key: str, time: int, without: Learned | None = None
) -> Share | None:
    """How often a level had seen a category, of all that it is conditional on, by a time."""
    table = level.tables.get(factor) if level is not None else None
    if level is None or table is None or not table.total:
        return None
    less, scale = without or {}, level.scale(time)
    count = table.values.get(key, 0.0) - less.get((factor, key), 0.0)
    given = key.rpartition("/")[0] + "/" if factor in GIVEN or factor.endswith("?") else "/"
    if given == "/":
        whole = table.total - less.get((factor, ""), 0.0)
    else:
        whole = sum(n for name, n in table.values.items() if name.startswith(given))
        whole -= sum(n for (f, name), n in less.items() if f == factor and name.startswith(given))
    return Share(_whole(count / scale), _whole(whole / scale))


def _whole(count: float) -> float:
    """Without what rounding has left."""
    return count if count > 1e-6 else 0.0


def _everyone(store: Store) -> Organisation | None:
    body = identities.state(store, ORGANISATION)
    try:
        return None if body is None else _organisation.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise UsageError(f"{store.given}: damaged state; restore it or start anew") from None


def _grouped(rows: list[Row]) -> list[tuple[str, float, list[Row]]]:
    """Rows by group, the group with most evidence against the owner first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.group, []).append(row)
    order = {group: number for number, group in enumerate((*GROUPS, ""))}
    groups = [
        (
            group or "beside these",
            sum(r.weight or 0.0 for r in mine),
            sorted(mine, key=lambda r: (-(r.weight or 0.0), r.own.share if r.own else 1.0)),
        )
        for group, mine in found.items()
    ]
    return sorted(groups, key=lambda g: (-g[1], order.get(g[0], 99)))
