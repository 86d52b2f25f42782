"""The transmitter of security events: streams that receivers set up, kept in the store.

What policy decides reaches the streams through the response ``caep``; a receiver polls, or is
pushed to (``ssf_push.py``). A token leaves the store when its receiver has acknowledged it.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from quivive.app.errors import UsageError
from quivive.app.responses import Responses
from quivive.model.audit import Entry
from quivive.respond import caep
from quivive.respond.errors import RefusedError
from quivive.respond.secret import Secret
from quivive.respond.ssf import streams
from quivive.respond.ssf.streams import Poll, Stream, StreamError, Wanted
from quivive.respond.ssf.tokens import Signer, claims, jwks, transmitter_configuration
from quivive.store import audit, ssf
from quivive.store.database import Store

_stream = msgspec.json.Decoder(Stream)


class Transmitter:
    """All streams of one issuer. ``arrived`` is called when a poll may have something to give."""

    def __init__(self, store: Store, settings: caep.Settings) -> None:
        """Raises ConfigurationError for keys that cannot be used."""
        self.store = store
        self.settings = settings
        self.issuer = settings.issuer
        self.signers = [_signer(key) for key in (settings.key, *settings.old_keys)]
        self.arrived: Callable[[], None] = lambda: None

    @property
    def signer(self) -> Signer:
        """What signs; the others are only published."""
        return self.signers[0]

    def configuration(self) -> dict[str, Any]:
        """What a receiver needs to find everything else."""
        return transmitter_configuration(self.issuer)

    def keys(self) -> dict[str, Any]:
        """The public keys."""
        return jwks(self.signers)

    # --- what a receiver asks; each raises StreamError

    def create(self, owner: str, wanted: Wanted, now: int) -> dict[str, Any]:
        """A new stream of ``owner``, who is its audience."""
        with self.store.transaction() as connection:
            known = _all(connection)
            made = streams.create(known, secrets.token_hex(12), owner, owner, wanted)
            self._keep(connection, made, "created", now)
        return streams.configuration(self.issuer, made)

    def read(self, owner: str, stream_id: str | None) -> Any:
        """One configuration, or the list of all of the owner's."""
        with self.store.reading() as connection:
            known = _all(connection)
        if stream_id is not None:
            return streams.configuration(self.issuer, streams.of(known, owner, stream_id))
        return [streams.configuration(self.issuer, s) for s in known if s.owner == owner]

    def update(self, owner: str, wanted: Wanted, now: int, *, replace: bool) -> dict[str, Any]:
        """Changes a stream, or with ``replace`` resets what is not named."""
        with self.store.transaction() as connection:
            found = _of(connection, owner, wanted.stream_id)
            streams.update(found, wanted, replace=replace)
            self._keep(connection, found, "replaced" if replace else "updated", now)
        return streams.configuration(self.issuer, found)

    def delete(self, owner: str, stream_id: str | None, now: int) -> None:
        """Removes a stream with all that waits in it."""
        with self.store.transaction() as connection:
            found = _of(connection, owner, stream_id)
            ssf.delete(connection, found.stream_id)
            audit.append(connection, [_entry(found, "deleted", now)])

    def status(self, owner: str, stream_id: str | None) -> dict[str, Any]:
        """A stream's status."""
        with self.store.reading() as connection:
            return streams.status(_of(connection, owner, stream_id))

    def set_status(
        self, owner: str, stream_id: str | None, word: str, reason: str | None, now: int
    ) -> dict[str, Any]:
        """Enables, pauses (tokens wait) or disables (tokens are dropped) a stream."""
        with self.store.transaction() as connection:
            found = _of(connection, owner, stream_id)
            said = streams.set_status(found, word, reason)
            if word == "disabled":
                ssf.empty(connection, found.stream_id)
            self._keep(connection, found, word, now)
        self.arrived()
        return said

    def set_subject(
        self, owner: str, stream_id: str | None, sub_id: object, now: int, *, wanted: bool
    ) -> None:
        """Adds a subject, or removes it: about all others a stream tells from the beginning."""
        named = streams.subject(sub_id)
        with self.store.transaction() as connection:
            found = _of(connection, owner, stream_id)
            if wanted:
                ssf.add_subject(connection, found.stream_id, named)
            elif ssf.removed(connection, found.stream_id) >= streams.MOST_SUBJECTS:
                raise StreamError(400, f"{streams.MOST_SUBJECTS} removed subjects are the most")
            else:
                ssf.remove_subject(connection, found.stream_id, named)
            what = "subject added" if wanted else "subject removed"
            audit.append(connection, [_entry(found, what, now, subject=named)])

    def verify(self, owner: str, stream_id: str | None, word: str | None, now: int) -> None:
        """Puts an event into the stream that proves it works."""
        with self.store.transaction() as connection:
            found = _of(connection, owner, stream_id)
            jti, token = streams.verification(self.issuer, found, self.signer, word, now)
            ssf.enqueue(connection, found.stream_id, jti, token)
            self._put(connection, found)
        self.arrived()

    def poll(self, owner: str, stream_id: str, asked: Poll, now: int) -> dict[str, Any]:
        """Lets go what is acknowledged or could not be used, and gives what waits, oldest first."""
        with self.store.reading() as connection:
            found = _of(connection, owner, stream_id)
        if found.delivery.method != streams.POLL:
            raise StreamError(400, "this stream is pushed; change its delivery to poll it")
        if asked.ack or asked.set_errs:
            with self.store.transaction() as connection:
                gone = ssf.leave(connection, stream_id, (*asked.ack, *asked.set_errs))
                told = streams.refused(asked.set_errs)
                entries = [
                    _entry(found, "token refused", now, jti=jti, why=why)
                    for jti, why in sorted(told.items())
                    if jti in gone
                ]
                if entries:
                    audit.append(connection, entries)
        if found.status != "enabled":
            return {"sets": {}}
        with self.store.reading() as connection:
            waiting = ssf.waiting(connection, stream_id, asked.most + 1)
        answer: dict[str, Any] = {"sets": {w.jti: w.token for w in waiting[: asked.most]}}
        if len(waiting) > asked.most:
            answer["moreAvailable"] = True
        return answer

    # --- what happens

    def publish(
        self,
        kind: str,
        said: Mapping[str, Any],
        sub_id: Mapping[str, Any],
        about: str,
        now: int,
    ) -> int:
        """Puts an event into every stream that wants it, in one transaction; gives how many."""
        count = 0
        with self.store.transaction() as connection:
            unwanted = ssf.unwanted(connection, streams.about(sub_id))
            for stream in _all(connection):
                if not stream.wants(kind) or stream.stream_id in unwanted:
                    continue
                told = claims(self.issuer, stream.aud, sub_id, {kind: said}, now=now, about=about)
                if self._add(connection, stream, told["jti"], self.signer.sign(told), now):
                    count += 1
        self.arrived()
        return count

    def _add(
        self, connection: sa.Connection, stream: Stream, jti: str, token: str, now: int
    ) -> bool:
        """Whether there was room. A full stream is paused, keeps what it has, and says so."""
        if ssf.length(connection, stream.stream_id) < streams.MOST_QUEUED:
            ssf.enqueue(connection, stream.stream_id, jti, token)
            return True
        if stream.status == "enabled":
            stream.status, stream.reason = "paused", streams.FULL
            changed = streams.stream_updated(self.issuer, stream, self.signer, now)
            ssf.enqueue(connection, stream.stream_id, *changed)
            self._keep(connection, stream, "paused", now)
        return False

    def _keep(self, connection: sa.Connection, stream: Stream, what: str, now: int) -> None:
        self._put(connection, stream)
        details = {"events": list(stream.delivered), "delivery": stream.delivery.method}
        where = {"url": stream.delivery.endpoint_url} if stream.delivery.endpoint_url else {}
        why = {"reason": stream.reason} if stream.reason else {}
        audit.append(connection, [_entry(stream, what, now, **details, **where, **why)])

    def _put(self, connection: sa.Connection, stream: Stream) -> None:
        ssf.put(connection, stream.stream_id, stream.owner, msgspec.json.encode(stream))


def transmitter_of(store: Store, responses: Responses) -> Transmitter | None:
    """The transmitter that the settings ask for: of the first connection ``caep`` with streams.

    Raises ConfigurationError for keys that cannot be used.
    """
    for connection in responses.connections:
        settings = connection.settings
        if isinstance(settings, caep.Settings) and settings.streams:
            return Transmitter(store, settings)
    return None


def _signer(key: Secret) -> Signer:
    try:
        return Signer(key.value())
    except RefusedError as error:
        raise UsageError(f"{key.place}: {error}") from None


def _all(connection: sa.Connection) -> list[Stream]:
    return [_stream.decode(body) for body in ssf.streams(connection)]


def _of(connection: sa.Connection, owner: str, stream_id: str | None) -> Stream:
    if stream_id is None:
        raise StreamError(400, "stream_id is missing")
    return streams.of(_all(connection), owner, stream_id)


def _entry(stream: Stream, what: str, now: int, **details: object) -> Entry:
    return Entry(
        time=now,
        actor=f"receiver {stream.owner}",
        action=f"stream:{what}",
        subject=f"stream {stream.stream_id}",
        details=dict(details),
    )


def all_streams(store: Store) -> Sequence[Stream]:
    """Every stream that is kept."""
    with store.reading() as connection:
        return _all(connection)
