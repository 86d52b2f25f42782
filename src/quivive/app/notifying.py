"""Telling people: the channels of the settings, the worker over the outbox.

Nothing is lost: a row leaves the outbox only when its channel took it, and what is given up stays
to be seen and is told by the other channels. Nothing is told twice where the channel can fold
repeats by a key (PagerDuty, Opsgenie, e-mail, webhook, OCSF); elsewhere a message that may have
arrived before says so.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from quivive.app.channels import Settings, notifier_of
from quivive.app.registry import notifiers
from quivive.model.errors import ConfigurationError
from quivive.model.notification import RUNBOOKS, Button, Notification
from quivive.notify.buttons import buttons
from quivive.notify.channels import Channel, Pace, folded, undelivered
from quivive.notify.notifier import (
    NotDeliveredError,
    Post,
    Publish,
    Read,
    Wire,
    deliver,
)
from quivive.store.batch import Outgoing
from quivive.store.outbox import Row, StoredOutbox

KIND = "notification"
VERDICT_KEY = "verdict-links.key"  # the name of the key that signs verdict links
CLAIMED = 200
LEASE = 120_000  # ms that a worker has for what it claimed
FIRST_WAIT, LONGEST_WAIT = 10_000, 3_600_000  # ms
MOST_ERROR = 500  # characters
ATTEMPTS = 24  # about sixteen hours
_encoder = msgspec.json.Encoder()


class Queued(Struct, frozen=True, kw_only=True):
    """A row's body once it is routed: which channel is to tell what.

    known: claims of the row whose outcome is known; failures: those that failed.
    """

    channel: str
    note: Notification
    known: int = 0
    failures: int = 0


_routed = msgspec.json.Decoder(Queued)
_plain = msgspec.json.Decoder(Notification)


class Waiting(NamedTuple):
    """A claimed row with what it says."""

    row: Row
    queued: Queued

    @property
    def note(self) -> Notification:
        """What is to be told, marked where nobody knows what came of an earlier claim."""
        unknown = self.row.attempts - 1 > self.queued.known
        return replace(self.queued.note, repeated=True) if unknown else self.queued.note


class Round(Struct):
    """What one round of the worker came to, in rows."""

    routed: int = 0
    delivered: int = 0
    folded: int = 0
    put_off: int = 0
    failed: int = 0
    given_up: int = 0


def outgoing(note: Notification, now: int) -> Outgoing:
    """A notification as a row of the outbox, not yet routed. ``now``: wall time, ms UTC."""
    return Outgoing(note.key, KIND, now, now, _encoder.encode(note))


def routed(note: Notification, settings: Settings, now: int) -> list[Outgoing]:
    """The rows of a notification: one for each channel that wants it."""
    return [
        Outgoing(
            f"{note.key}@{channel.name}",
            KIND,
            now,
            channel.due(note, now),
            _encoder.encode(Queued(channel=channel.name, note=note)),
        )
        for channel in settings.channels
        if channel.wants(note) and (note.what != "closed" or _told_of_ends(channel))
    ]


def _told_of_ends(channel: Channel) -> bool:
    if channel.closings is not None:
        return channel.closings
    return channel.kind in notifiers() and notifiers()[channel.kind].closes


class Worker:
    """Empties the outbox, one round at a time."""

    def __init__(
        self,
        rows: StoredOutbox,
        settings: Settings,
        wire: Callable[[Channel], Wire],
        read: Read,
        key: bytes,
    ) -> None:
        """wire: what sends for a channel; read: gives a secret; key: signs verdict links."""
        self.rows = rows
        self.settings = settings
        self.wire = wire
        self.read = read
        self.key = key
        self.channels = {channel.name: channel for channel in settings.channels}
        self._pace = {c.name: Pace(c.per_hour) for c in settings.channels}

    def goes_on(self, former: "Worker") -> None:
        """Takes over how often the channels of the same names were told within the hour."""
        for name, pace in self._pace.items():
            if name in former._pace:
                pace.goes_on(former._pace[name])

    def run(self, now: int) -> Round:
        """Routes and sends what is due at ``now`` (ms UTC, wall time)."""
        came = Round()
        self._round(now, came)
        if came.routed:  # what was routed is due now, most of it
            self._round(now, came)
        return came

    def _round(self, now: int, came: Round) -> None:
        by_channel: dict[str, list[Waiting]] = {}
        for row in self.rows.claim(now, CLAIMED, LEASE):
            try:
                queued = _routed.decode(row.body)
            except msgspec.ValidationError:
                self._route(row, now, came)
                continue
            except msgspec.DecodeError as error:
                self._end(row, "dead", f"damaged: {error}", now)
                came.given_up += 1
                continue
            by_channel.setdefault(queued.channel, []).append(Waiting(row, queued))
        for name, waiting in sorted(by_channel.items()):
            channel = self.channels.get(name)
            if channel is None:
                for one in waiting:
                    self._end(one.row, "dead", f"no channel {name} in the settings any more", now)
                came.given_up += len(waiting)
                continue
            self._channel(channel, waiting, now, came)

    def _route(self, row: Row, now: int, came: Round) -> None:
        """A row a channel; each has a key of its own, so that doing it twice adds nothing."""
        try:
            note = _plain.decode(row.body)
        except msgspec.DecodeError as error:
            self._end(row, "dead", f"damaged: {error}", now)
            came.given_up += 1
            return
        self.rows.put(routed(note, self.settings, now))
        self._end(row, "done", "", now)
        came.routed += 1

    def _channel(self, channel: Channel, waiting: list[Waiting], now: int, came: Round) -> None:
        """The most urgent one by one; digests, and what is too much for the hour, as one."""
        pace = self._pace[channel.name]

        def rank(one: Waiting) -> tuple[bool, str, int, str]:
            note = one.queued.note
            return note.route != "page", note.priority, note.time, note.key

        waiting.sort(key=rank)
        single = [w for w in waiting if channel.due(w.queued.note, now) == now]
        together = [w for w in waiting if channel.due(w.queued.note, now) != now]
        if len(single) + bool(together) > pace.left(now):
            most = max(0, pace.left(now) - 1)
            together, single = together + single[most:], single[:most]
        for one in single:
            self._send(channel, [one], one.note, now, came)
        if not together:
            return
        if pace.left(now) == 0:
            for one in together:
                self._again(one, pace.free_at(now), "too many within an hour", now)
            came.put_off += len(together)
            return
        notes = [one.note for one in together]
        note = notes[0] if len(notes) == 1 else folded(notes, channel.name)
        self._send(channel, together, note, now, came)

    def _send(
        self, channel: Channel, waiting: list[Waiting], note: Notification, now: int, came: Round
    ) -> None:
        self._pace[channel.name].sent(now)
        failures = max(one.queued.failures for one in waiting) + 1
        try:
            notifier, settings = notifier_of(channel)
            message = notifier.compose(self._linked(channel, note, now), settings, self.read, now)
            if note.origin is not None and isinstance(message, Post | Publish):
                carried = note.origin.headers(f"{note.key}@{channel.name}")
                message = replace(message, headers={**carried, **message.headers})
            deliver(notifier, message, self.wire(channel))
        except NotDeliveredError as error:
            wait = FIRST_WAIT * 2.0 ** min(failures - 1, 20)
            wait = min(max(wait, (error.after or 0.0) * 1000), LONGEST_WAIT)
            self._failed(
                channel, waiting, now, came, str(error), int(wait), give_up=not error.again
            )
        except ConfigurationError as error:
            # A secret that is missing, say: somebody mends it, and then it goes out.
            self._failed(channel, waiting, now, came, str(error), LONGEST_WAIT)
        else:
            for one in waiting:
                self._end(one.row, "done", "", now)
            came.delivered += len(waiting)
            came.folded += len(waiting) - 1

    def _linked(self, channel: Channel, note: Notification, now: int) -> Notification:
        """The notification with its links; those for verdicts are only made when it is sent."""
        console = self.settings.console
        base = self.settings.runbooks or (f"{console.rstrip('/')}/runbooks" if console else None)
        runbook = note.runbook
        if base is not None and runbook is not None and "://" not in runbook:
            runbook = f"{base.rstrip('/')}/{runbook.removeprefix(f'{RUNBOOKS}/')}"
        if console is None:
            return replace(note, runbook=runbook)
        incident = note.thread.startswith("INC-")
        link = f"{console.rstrip('/')}/incidents/{note.thread if incident else ''}"
        made: tuple[Button, ...] = ()
        if channel.buttons and note.event_id is not None and note.what != "closed":
            made = buttons(self.key, console, note.event_id, channel.name, note.key, now)
        return replace(note, runbook=runbook, link=note.link or link.rstrip("/"), buttons=made)

    def _failed(
        self,
        channel: Channel,
        waiting: list[Waiting],
        now: int,
        came: Round,
        why: str,
        wait: int,
        *,
        give_up: bool = False,
    ) -> None:
        for one in waiting:
            if give_up or one.queued.failures + 1 >= ATTEMPTS:
                note = one.queued.note
                told = [] if note.about == "delivery" else [undelivered(channel, note, why)]
                self._end(one.row, "dead", why, now, told)
                came.given_up += 1
            else:
                self._again(one, now + wait, why, now, failures=1)
                came.failed += 1

    def _end(
        self,
        row: Row,
        state: str,
        error: str,
        now: int,
        told: "list[Notification] | None" = None,
    ) -> None:
        self.rows.finish(row.key, state, row.body, error[:MOST_ERROR], told or [], [], now)

    def _again(self, one: Waiting, due: int, error: str, now: int, failures: int = 0) -> None:
        queued = replace(
            one.queued, known=one.row.attempts, failures=one.queued.failures + failures
        )
        body = _encoder.encode(queued)
        self.rows.again(one.row.key, due, body, error[:MOST_ERROR], [], [], now)
