"""Streams: who receives which events, and how (SSF 1.0, section 8).

Pure functions; ``app/ssf.py`` keeps what they say in the store, and the tokens that wait. Errors
carry the HTTP status that the specification asks for.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from quivive.respond.client import checked_url
from quivive.respond.errors import RefusedError
from quivive.respond.ssf.tokens import EVENTS, STREAM_UPDATED, VERIFICATION, Signer, claims

PUSH: Literal["urn:ietf:rfc:8935"] = "urn:ietf:rfc:8935"
POLL: Literal["urn:ietf:rfc:8936"] = "urn:ietf:rfc:8936"
MOST_STREAMS = 64
MOST_QUEUED = 10_000  # tokens of a stream; then it is paused, and says so
MOST_SUBJECTS = 10_000
MOST_EVENTS = 32  # event types that a receiver may name
MOST_SUBJECT = 2_000  # characters of one
MOST_HEADER = 4_096  # characters
MOST_POLLED = 100  # tokens of one answer
VERIFY_EVERY = 60  # seconds between verifications that a receiver may ask for
FULL = "too many events wait to be fetched"
Status = Literal["enabled", "paused", "disabled"]


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

    def __repr__(self) -> str:
        """Without the header."""
        return f"<{self.method} {self.endpoint_url or ''}>"


class Wanted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a receiver may say of its stream; all else is the transmitter's."""

    stream_id: str | None = None
    events_requested: tuple[str, ...] | None = None
    delivery: Delivery | None = None
    description: str | None = None


class Stream(Struct, kw_only=True):
    """One stream. ``owner``: the receiver whose credential made it. It is about all subjects but
    those that the receiver removed.

    verified: when a verification was last asked, in ms.
    """

    stream_id: str
    owner: str
    aud: str
    events_requested: tuple[str, ...]
    delivery: Delivery
    description: str | None = None
    status: Status = "enabled"
    reason: str | None = None
    verified: int = 0

    @property
    def delivered(self) -> tuple[str, ...]:
        """The event types it gets."""
        return tuple(e for e in EVENTS if e in self.events_requested)

    def wants(self, kind: str) -> bool:
        """Whether it gets events of a kind: at once, or when it is no longer paused."""
        return self.status != "disabled" and kind in self.delivered


def create(
    streams: Sequence[Stream], stream_id: str, owner: str, audience: str, wanted: Wanted
) -> Stream:
    """A new stream beside ``streams``; an owner has one. The answer's status is 201."""
    if any(stream.owner == owner for stream in streams):
        raise StreamError(409, "there is a stream already; update or replace it")
    if len(streams) >= MOST_STREAMS:
        raise StreamError(409, f"{MOST_STREAMS} streams are the most")
    return Stream(
        stream_id=stream_id,
        owner=owner,
        aud=audience,
        events_requested=_events(wanted),
        delivery=_delivery(wanted.delivery or Delivery()),
        description=_short(wanted.description),
    )


def configuration(issuer: str, stream: Stream) -> dict[str, Any]:
    """A stream's configuration as a receiver may see it: never its authorization header."""
    delivery: dict[str, Any] = {"method": stream.delivery.method}
    if stream.delivery.method == POLL:
        delivery["endpoint_url"] = f"{issuer.rstrip('/')}/ssf/poll/{stream.stream_id}"
    else:
        delivery["endpoint_url"] = stream.delivery.endpoint_url
    said: dict[str, Any] = {
        "stream_id": stream.stream_id,
        "iss": issuer,
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


def of(streams: Sequence[Stream], owner: str, stream_id: str | None) -> Stream:
    """The owner's stream. Raises StreamError(404) for none, and for another's."""
    for stream in streams:
        if stream.owner == owner and stream_id in (None, stream.stream_id):
            return stream
    raise StreamError(404, "no such stream")


def update(stream: Stream, wanted: Wanted, *, replace: bool) -> None:
    """PATCH, or with ``replace`` PUT, which resets what is not named."""
    delivery = _delivery(wanted.delivery) if wanted.delivery is not None else None
    if wanted.events_requested is not None or replace:
        stream.events_requested = _events(wanted)
    if wanted.description is not None or replace:
        stream.description = _short(wanted.description)
    if delivery is not None or replace:
        stream.delivery = delivery or Delivery()


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
    return status(stream)


def subject(sub_id: object) -> str:
    """A subject identifier (RFC 9493) in the one form it is kept in. Raises StreamError."""
    if not isinstance(sub_id, Mapping) or not isinstance(sub_id.get("format"), str):
        raise StreamError(400, "subject: not a subject identifier with a format")
    named = _canonical(sub_id)
    if len(named) > MOST_SUBJECT:
        raise StreamError(400, f"subject: over {MOST_SUBJECT} characters")
    return named


def about(sub_id: Mapping[str, Any]) -> tuple[str, ...]:
    """The subjects an event is about: of a complex one also its user. A stream from which any of
    them was removed does not get it.
    """
    user = sub_id.get("user") if sub_id.get("format") == "complex" else None
    return tuple(_canonical(one) for one in (sub_id, user) if one is not None)


def verification(
    issuer: str, stream: Stream, signer: Signer, word: str | None, now: int
) -> tuple[str, str]:
    """The ``jti`` and token that prove a stream works. Raises StreamError(429) too early."""
    if stream.verified and now - stream.verified < VERIFY_EVERY * 1000:
        raise StreamError(429, f"once in {VERIFY_EVERY} seconds")
    stream.verified = now
    return _of_stream(issuer, stream, signer, VERIFICATION, {"state": word} if word else {}, now)


def stream_updated(issuer: str, stream: Stream, signer: Signer, now: int) -> tuple[str, str]:
    """The ``jti`` and token that tell a receiver of a status which it did not set."""
    said = {k: v for k, v in status(stream).items() if k != "stream_id"}
    return _of_stream(issuer, stream, signer, STREAM_UPDATED, said, now)


def _of_stream(
    issuer: str, stream: Stream, signer: Signer, kind: str, said: Any, now: int
) -> tuple[str, str]:
    sub_id = {"format": "opaque", "id": stream.stream_id}
    about = f"{stream.stream_id}:{now}"
    told = claims(issuer, stream.aud, sub_id, {kind: said}, now=now, about=about)
    del told["txn"]
    return told["jti"], signer.sign(told)


class SetError(Struct, frozen=True, kw_only=True):
    """What a receiver could not use of a token (RFC 8936, section 2.6)."""

    err: str = ""
    description: str = ""


class Poll(Struct, frozen=True, kw_only=True, rename="camel"):
    """A poll request (RFC 8936, section 2.2): how many tokens at most, whether to wait for one,
    which ones are acknowledged, and which could not be used.
    """

    max_events: Annotated[int, Meta(ge=0)] | None = None
    return_immediately: bool = False
    ack: tuple[str, ...] = ()
    set_errs: dict[str, SetError] = {}

    @property
    def most(self) -> int:
        """How many tokens the answer holds at most."""
        return MOST_POLLED if self.max_events is None else min(self.max_events, MOST_POLLED)


def refused(errors: Mapping[str, SetError]) -> dict[str, str]:
    """What a receiver could not use, by ``jti``, in words that can be shown."""
    return {
        jti: f"{_short(error.err)}: {_short(error.description)}" for jti, error in errors.items()
    }


def _events(wanted: Wanted) -> tuple[str, ...]:
    """The known ones of those that are wanted, all where none is named."""
    if not wanted.events_requested:
        return EVENTS
    return tuple(dict.fromkeys(e[:200] for e in wanted.events_requested[:MOST_EVENTS]))


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
    header = delivery.authorization_header or ""
    if len(header) > MOST_HEADER or not (header.isascii() and header.isprintable()):
        raise StreamError(400, "delivery.authorization_header: one line of ASCII")
    return delivery


def _short(text: str | None) -> str | None:
    return None if text is None else "".join(c for c in text if c.isprintable())[:200]


def _canonical(sub_id: object) -> str:
    return msgspec.json.encode(sub_id, order="sorted").decode()
