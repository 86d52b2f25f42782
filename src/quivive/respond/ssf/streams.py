"""Streams: who receives which events, and how (SSF 1.0, section 8).

Everything is a pure function over ``Transmitter``, which the server keeps in the store. Errors
carry the HTTP status that the specification asks for.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from quivive.respond.client import checked_url
from quivive.respond.errors import RefusedError
from quivive.respond.ssf.tokens import EVENTS, STREAM_UPDATED, VERIFICATION, Signer, claims

PUSH: Literal["urn:ietf:rfc:8935"] = "urn:ietf:rfc:8935"
POLL: Literal["urn:ietf:rfc:8936"] = "urn:ietf:rfc:8936"
MOST_STREAMS = 64
MOST_QUEUED = 10_000  # tokens of a stream; then it is paused, and says so
MOST_SUBJECTS = 10_000
MOST_POLLED = 100  # tokens of one answer
VERIFY_EVERY = 60  # seconds between verifications that a receiver may ask for


class StreamError(Exception):
    """A request that cannot be served, with its HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        """``status``: 400, 404, 409 or 429."""
        super().__init__(text)
        self.status = status


class Delivery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a stream is delivered. Where it is pushed to, with the header that proves it is us."""

    method: Literal["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"] = POLL
    endpoint_url: str | None = None
    authorization_header: str | None = None


class Wanted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a receiver may say of its stream; all else is the transmitter's."""

    stream_id: str | None = None
    events_requested: tuple[str, ...] | None = None
    delivery: Delivery | None = None
    description: str | None = None


class Stream(Struct, kw_only=True):
    """One stream. ``owner``: the receiver whose credential made it.

    removed: subjects it wants nothing about (all are delivered at first), as canonical JSON.
    queue: tokens by ``jti``, oldest first. verified: when a verification was last asked, in ms.
    """

    stream_id: str
    owner: str
    aud: str
    events_requested: tuple[str, ...]
    delivery: Delivery
    description: str | None = None
    status: Literal["enabled", "paused", "disabled"] = "enabled"
    reason: str | None = None
    removed: list[str] = field(default_factory=list)
    queue: dict[str, str] = field(default_factory=dict)
    verified: int = 0

    @property
    def delivered(self) -> tuple[str, ...]:
        """The event types it gets."""
        return tuple(e for e in EVENTS if e in self.events_requested)


class Transmitter(Struct, kw_only=True):
    """All streams of one issuer."""

    issuer: str
    streams: dict[str, Stream] = field(default_factory=dict)


def decode_wanted(body: bytes) -> Wanted:
    """A receiver's JSON. Raises StreamError(400)."""
    try:
        return msgspec.json.decode(body, type=Wanted)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise StreamError(400, f"not a stream configuration: {error}") from None


def create(state: Transmitter, owner: str, audience: str, wanted: Wanted) -> dict[str, Any]:
    """A new stream; an owner has one. The answer's status is 201."""
    if any(stream.owner == owner for stream in state.streams.values()):
        raise StreamError(409, "there is a stream already; update or replace it")
    if len(state.streams) >= MOST_STREAMS:
        raise StreamError(409, f"{MOST_STREAMS} streams are the most")
    named = f"{state.issuer}\x1f{owner}\x1f{len(state.streams)}"
    stream = Stream(
        stream_id=hashlib.sha256(named.encode()).hexdigest()[:24],
        owner=owner,
        aud=audience,
        events_requested=tuple(wanted.events_requested or EVENTS),
        delivery=_delivery(wanted.delivery or Delivery()),
        description=_short(wanted.description),
    )
    state.streams[stream.stream_id] = stream
    return configuration(state, stream)


def configuration(state: Transmitter, stream: Stream) -> dict[str, Any]:
    """A stream's configuration as a receiver may see it: never its authorization header."""
    delivery: dict[str, Any] = {"method": stream.delivery.method}
    if stream.delivery.method == POLL:
        delivery["endpoint_url"] = f"{state.issuer.rstrip('/')}/ssf/poll/{stream.stream_id}"
    else:
        delivery["endpoint_url"] = stream.delivery.endpoint_url
    said: dict[str, Any] = {
        "stream_id": stream.stream_id,
        "iss": state.issuer,
        "aud": stream.aud,
        "events_supported": list(EVENTS),
        "events_requested": list(stream.events_requested),
        "events_delivered": list(stream.delivered),
        "delivery": delivery,
        "min_verification_interval": VERIFY_EVERY,
    }
    if stream.description is not None:
        said["description"] = stream.description
    return said


def of(state: Transmitter, owner: str, stream_id: str | None) -> Stream:
    """The owner's stream. Raises StreamError(404) for none, and for another's."""
    for stream in state.streams.values():
        if stream.owner == owner and stream_id in (None, stream.stream_id):
            return stream
    raise StreamError(404, "no such stream")


def read(state: Transmitter, owner: str, stream_id: str | None) -> Any:
    """One configuration, or the list of all of the owner's."""
    if stream_id is not None:
        return configuration(state, of(state, owner, stream_id))
    return [configuration(state, s) for s in state.streams.values() if s.owner == owner]


def update(state: Transmitter, owner: str, wanted: Wanted, *, replace: bool) -> dict[str, Any]:
    """PATCH, or with ``replace`` PUT, which resets what is not named."""
    if wanted.stream_id is None:
        raise StreamError(400, "stream_id is missing")
    stream = of(state, owner, wanted.stream_id)
    delivery = _delivery(wanted.delivery) if wanted.delivery is not None else None
    if wanted.events_requested is not None or replace:
        stream.events_requested = tuple(wanted.events_requested or EVENTS)
    if wanted.description is not None or replace:
        stream.description = _short(wanted.description)
    if delivery is not None or replace:
        stream.delivery = delivery or Delivery()
    return configuration(state, stream)


def delete(state: Transmitter, owner: str, stream_id: str | None) -> None:
    """Removes a stream with all that waits in it; the answer's status is 204."""
    if stream_id is None:
        raise StreamError(400, "stream_id is missing")
    del state.streams[of(state, owner, stream_id).stream_id]


def status(stream: Stream) -> dict[str, Any]:
    """A stream's status."""
    said = {"stream_id": stream.stream_id, "status": stream.status}
    return said | ({"reason": stream.reason} if stream.reason else {})


def set_status(stream: Stream, word: str, reason: str | None) -> dict[str, Any]:
    """Enables, pauses (tokens wait) or disables (tokens are dropped) a stream."""
    if word not in ("enabled", "paused", "disabled"):
        raise StreamError(400, f"no status {word!r}: enabled, paused or disabled")
    stream.status = word  # type: ignore[assignment]
    stream.reason = _short(reason)
    if word == "disabled":
        stream.queue.clear()
    return status(stream)


def set_subject(stream: Stream, sub_id: object, *, wanted: bool) -> None:
    """Adds a subject (200) or removes it (204). Raises StreamError for what is none."""
    if not isinstance(sub_id, dict) or not isinstance(sub_id.get("format"), str):
        raise StreamError(400, "subject: not a subject identifier with a format")
    named = _canonical(sub_id)
    if wanted and named in stream.removed:
        stream.removed.remove(named)
    elif not wanted and named not in stream.removed:
        if len(stream.removed) >= MOST_SUBJECTS:
            raise StreamError(400, f"{MOST_SUBJECTS} removed subjects are the most")
        stream.removed.append(named)


def wants(stream: Stream, kind: str, sub_id: dict[str, Any]) -> bool:
    """Whether a stream gets an event about a subject."""
    if stream.status == "disabled" or kind not in stream.delivered:
        return False
    about = (sub_id, sub_id.get("user")) if sub_id.get("format") == "complex" else (sub_id,)
    return not any(_canonical(one) in stream.removed for one in about)


def enqueue(stream: Stream, jti: str, token: str) -> None:
    """Puts a token at the end of a stream. A full stream is paused, and keeps what it has."""
    if jti in stream.queue:
        return
    if len(stream.queue) >= MOST_QUEUED:
        stream.status, stream.reason = "paused", "too many events wait to be fetched"
        return
    stream.queue[jti] = token


def verification(
    state: Transmitter, stream: Stream, signer: Signer, word: str | None, now: int
) -> tuple[str, str]:
    """The ``jti`` and token that prove a stream works. Raises StreamError(429) too early."""
    if stream.verified and now - stream.verified < VERIFY_EVERY * 1000:
        raise StreamError(429, f"once in {VERIFY_EVERY} seconds")
    stream.verified = now
    return _of_stream(state, stream, signer, VERIFICATION, {"state": word} if word else {}, now)


def stream_updated(state: Transmitter, stream: Stream, signer: Signer, now: int) -> tuple[str, str]:
    """The ``jti`` and token that tell a receiver of a status which it did not set."""
    said = {k: v for k, v in status(stream).items() if k != "stream_id"}
    return _of_stream(state, stream, signer, STREAM_UPDATED, said, now)


def _of_stream(
    state: Transmitter, stream: Stream, signer: Signer, kind: str, said: Any, now: int
) -> tuple[str, str]:
    sub_id = {"format": "opaque", "id": stream.stream_id}
    about = f"{stream.stream_id}:{now}"
    told = claims(state.issuer, stream.aud, sub_id, {kind: said}, now=now, about=about)
    del told["txn"]
    return told["jti"], signer.sign(told)


class Poll(Struct, frozen=True, kw_only=True, rename="camel"):
    """A poll request (RFC 8936, section 2.2)."""

    max_events: int | None = None
    return_immediately: bool = False
    ack: tuple[str, ...] = ()
    set_errs: dict[str, dict[str, Any]] = {}


def poll(stream: Stream, body: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    """The answer to a poll, and by ``jti`` what the receiver could not use, in words.

    What is acknowledged or refused leaves the queue; the rest is given again until it is.
    """
    try:
        asked = msgspec.json.decode(body or b"{}", type=Poll)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise StreamError(400, f"not a poll request: {error}") from None
    if asked.max_events is not None and asked.max_events < 0:
        raise StreamError(400, "maxEvents is below 0")
    refused = {
        jti: str(said.get("err", ""))[:100] + ": " + str(said.get("description", ""))[:200]
        for jti, said in asked.set_errs.items()
        if jti in stream.queue
    }
    for jti in (*asked.ack, *refused):
        stream.queue.pop(jti, None)
    most = MOST_POLLED if asked.max_events is None else min(asked.max_events, MOST_POLLED)
    given = _first(stream.queue, most if stream.status == "enabled" else 0)
    answer: dict[str, Any] = {"sets": given}
    if stream.status == "enabled" and len(stream.queue) > len(given):
        answer["moreAvailable"] = True
    return answer, refused


def _first(queue: dict[str, str], most: int) -> dict[str, str]:
    names: Iterable[str] = list(queue)[:most]
    return {jti: queue[jti] for jti in names}


def _delivery(delivery: Delivery) -> Delivery:
    if delivery.method == POLL:
        return Delivery()  # where it is polled is the transmitter's to say
    if delivery.endpoint_url is None:
        raise StreamError(400, "delivery.endpoint_url is missing")
    try:
        url = checked_url(delivery.endpoint_url)
    except RefusedError as error:
        raise StreamError(400, f"delivery.endpoint_url: {error}") from None
    if not url.startswith("https://"):
        raise StreamError(400, "delivery.endpoint_url must begin with https://")
    return delivery


def _short(text: str | None) -> str | None:
    return None if text is None else "".join(c for c in text if c.isprintable())[:200]


def _canonical(sub_id: object) -> str:
    return msgspec.json.encode(sub_id, order="sorted").decode()
