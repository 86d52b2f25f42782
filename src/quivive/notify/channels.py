"""The channels of the settings: which notification goes where, how often, and what is folded."""

from typing import Any

from msgspec import Struct

from quivive.model.incident import PRIORITIES
from quivive.model.notification import Notification
from quivive.model.words import counted

HOUR = 3_600_000
DIGEST_SHOWN = 10
ABOUT = ("incident", "slo", "containment", "delivery", "canary", "budget")


class Channel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One channel of the settings file.

    name: how it is called here; kind: which notifier; settings: that notifier's own.
    least: the lowest priority it is told of; routes: page, ticket or both; about: which kinds of
    alerts, all when empty. after: from how many unanswered tellings on it takes part (0: from the
    first, 1: the second in line…). per_hour: single messages; what is more is folded into one.
    closings: whether it is told that an incident was closed; None for what the kind is made for.
    digest: priorities that are gathered, and told every ``digest_hours``. buttons: whether verdict
    links are on its messages. allow_private: whether its server may have a private address.
    """

    name: str
    kind: str
    settings: dict[str, Any]
    least: str = "P4"
    routes: tuple[str, ...] = ("page", "ticket")
    about: tuple[str, ...] = ()
    after: int = 0
    per_hour: int = 30
    digest: tuple[str, ...] = ("P4",)
    digest_hours: int = 24
    closings: bool | None = None
    buttons: bool = True
    allow_private: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError, in words, for what cannot be meant."""
        for value in (self.least, *self.digest):
            if value not in PRIORITIES:
                raise ValueError(f"{value!r} is no priority: P1, P2, P3 or P4")
        for value in self.routes:
            if value not in ("page", "ticket"):
                raise ValueError(f"{value!r} is no route: page or ticket")
        for value in self.about:
            if value not in ABOUT:
                raise ValueError(f"about {value!r}: one of {', '.join(ABOUT)}")
        if not 1 <= self.per_hour <= 10_000:
            raise ValueError("per_hour: 1 to 10,000")
        if not 1 <= self.digest_hours <= 168:
            raise ValueError("digest_hours: 1 to 168")
        if not self.name.strip() or len(self.name) > 64:
            raise ValueError("name: 1 to 64 characters")

    def wants(self, note: Notification) -> bool:
        """Whether a notification goes here. That a channel fails is told by the others."""
        if note.about == "delivery" and note.thread == f"delivery:{self.name}":
            return False
        if self.about and note.about not in self.about:
            return False
        if note.route not in self.routes or note.told < self.after:
            return False
        return PRIORITIES.index(note.priority) <= PRIORITIES.index(self.least)

    def due(self, note: Notification, now: int) -> int:
        """When it is to be sent: now, or at the end of the hours of its digest (ms UTC)."""
        if note.route == "page" or note.priority not in self.digest:
            return now
        every = self.digest_hours * HOUR
        return (now // every + 1) * every


def folded(notes: list[Notification], channel: str) -> Notification:
    """Several notifications as one: the most urgent by name, and how many more there are.

    Its key is made of theirs, so that it is the same when it is sent again.
    """
    order = sorted(notes, key=lambda n: (n.priority, n.time, n.key))
    first = order[0]
    shown = order[:DIGEST_SHOWN]
    urgent = sum(n.priority in ("P1", "P2") for n in order)
    lines = tuple(f"{n.priority} {n.title}" for n in shown)
    return Notification(
        key=f"digest:{channel}:{first.key}:{len(order)}",
        about="digest",
        what="gathered",
        thread=f"digest:{channel}",
        priority=first.priority,
        route=first.route,
        time=max(n.time for n in order),
        title=f"{counted(len(order), 'alert')}, {urgent} of them urgent",
        text=lines,
        more=len(order) - len(shown),
        findings=sum(n.findings for n in order),
        repeated=any(n.repeated for n in order),
    )


def undelivered(channel: Channel, note: Notification, why: str) -> Notification:
    """What the other channels tell of one that gave up: once an hour for each of them."""
    return Notification(
        key=f"delivery:{channel.name}:{note.time // HOUR}",
        about="delivery",
        what="failed",
        thread=f"delivery:{channel.name}",
        priority=note.priority if note.route == "page" else "P3",
        route=note.route,
        time=note.time,
        title=f"{channel.name} could not be told: {note.title}",
        text=(why, "It is kept; quivive incidents resend sends it again."),
        runbook="docs/runbooks/notification-failed.md",
    )


class Pace:
    """How many messages a channel has had within the last hour."""

    def __init__(self, per_hour: int) -> None:
        """``per_hour`` messages at most."""
        self.per_hour = per_hour
        self._sent: list[int] = []

    def goes_on(self, former: "Pace") -> None:
        """Counts what another one has counted."""
        self._sent = list(former._sent)

    def left(self, now: int) -> int:
        """How many may be sent at ``now`` (ms UTC)."""
        self._sent = [at for at in self._sent if now - at < HOUR]
        return max(0, self.per_hour - len(self._sent))

    def free_at(self, now: int) -> int:
        """From when on one may be sent."""
        return now if self.left(now) else self._sent[0] + HOUR

    def sent(self, now: int) -> None:
        """Counts one."""
        self._sent.append(now)
