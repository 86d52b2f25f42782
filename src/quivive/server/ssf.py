"""The transmitter of security events over HTTP (OpenID SSF 1.0, RFC 8936): streams that receivers
set up with a token of the scope ``ssf``. A stream belongs to the name of the token that made it.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from quivive.app.ssf import Transmitter
from quivive.respond.ssf.streams import Delivery, Poll, StreamError, Wanted
from quivive.respond.ssf.streams import Status as Word
from quivive.server.context import Context
from quivive.server.http import Problem, Reply, Request, json

MOST_BYTES = 64 << 10
LOOK_SECONDS = 1.0  # a poll that waits looks again this often, whatever it is told
T = TypeVar("T")
_Id = Annotated[str, Meta(max_length=64)]


class Metadata(Struct, frozen=True, kw_only=True):
    """The transmitter configuration metadata of SSF 1.0, section 7.1."""

    spec_version: str
    issuer: str
    jwks_uri: str
    delivery_methods_supported: tuple[str, ...]
    configuration_endpoint: str
    status_endpoint: str
    add_subject_endpoint: str
    remove_subject_endpoint: str
    verification_endpoint: str
    authorization_schemes: tuple[dict[str, str], ...]
    default_subjects: str


class Keys(Struct, frozen=True, kw_only=True):
    """A JSON Web Key set (RFC 7517)."""

    keys: tuple[dict[str, Any], ...]


class StreamQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """stream_id: which stream."""

    stream_id: _Id | None = None


class Configuration(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stream's configuration (SSF 1.0, section 8.1.1); never its authorization header."""

    stream_id: str
    iss: str
    aud: str
    events_supported: tuple[str, ...]
    events_requested: tuple[str, ...]
    events_delivered: tuple[str, ...]
    delivery: Delivery
    min_verification_interval: int
    description: str | None = None


class Status(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stream's status (SSF 1.0, section 8.1.2)."""

    stream_id: _Id
    status: Word
    reason: str | None = None


class Subject(Struct, frozen=True, kw_only=True):
    """A subject identifier (RFC 9493) that a stream is to be about, or not."""

    stream_id: _Id
    subject: dict[str, Any]
    verified: bool | None = None


class Verification(Struct, frozen=True, kw_only=True):
    """A word that comes back in the event."""

    stream_id: _Id
    state: Annotated[str, Meta(max_length=1_000)] | None = None


class Sets(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Security event tokens by their ``jti`` (RFC 8936, section 2.3)."""

    sets: dict[str, str]
    more_available: bool = False


async def metadata(context: Context, _: Request) -> Reply:
    """Where everything is. 404 while the settings name no transmitter with streams."""
    return json(_transmitter(context).configuration())


async def keys(context: Context, _: Request) -> Reply:
    """The public keys that check tokens."""
    return json(_transmitter(context).keys())


async def create(context: Context, request: Request) -> Reply:
    """Makes the caller's stream: an owner has one."""
    wanted = await _decoded(request, Wanted)
    return await _asked(context, lambda t: t.create(_owner(request), wanted, context.clock()), 201)


async def read(context: Context, request: Request) -> Reply:
    """One stream's configuration, or a list of all of the caller's."""
    asked = request.query(StreamQuery)
    return await _asked(context, lambda t: t.read(_owner(request), asked.stream_id))


async def update(context: Context, request: Request) -> Reply:
    """Changes what is named."""
    return await _update(context, request, whole=False)


async def put(context: Context, request: Request) -> Reply:
    """Replaces the configuration: what is not named is as in a new stream."""
    return await _update(context, request, whole=True)


async def _update(context: Context, request: Request, *, whole: bool) -> Reply:
    wanted = await _decoded(request, Wanted)
    owner, now = _owner(request), context.clock()
    return await _asked(context, lambda t: t.update(owner, wanted, now, replace=whole))


async def delete(context: Context, request: Request) -> Reply:
    """Removes a stream, with all that waits in it."""
    asked = request.query(StreamQuery)
    owner, now = _owner(request), context.clock()
    return await _asked(context, lambda t: t.delete(owner, asked.stream_id, now), 204)


async def status(context: Context, request: Request) -> Reply:
    """Whether a stream is enabled, paused or disabled."""
    asked = request.query(StreamQuery)
    return await _asked(context, lambda t: t.status(_owner(request), asked.stream_id))


async def set_status(context: Context, request: Request) -> Reply:
    """Enables, pauses (events wait) or disables (events are dropped) a stream."""
    given = await _decoded(request, Status)
    owner, now = _owner(request), context.clock()
    return await _asked(
        context, lambda t: t.set_status(owner, given.stream_id, given.status, given.reason, now)
    )


async def add_subject(context: Context, request: Request) -> Reply:
    """Takes back that a subject was removed: a stream is about all others from the beginning."""
    return await _subject(context, request, wanted=True)


async def remove_subject(context: Context, request: Request) -> Reply:
    """Nothing more about a subject."""
    return await _subject(context, request, wanted=False)


async def _subject(context: Context, request: Request, *, wanted: bool) -> Reply:
    given = await _decoded(request, Subject)
    owner, now = _owner(request), context.clock()
    return await _asked(
        context,
        lambda t: t.set_subject(owner, given.stream_id, given.subject, now, wanted=wanted),
        200 if wanted else 204,
    )


async def verify(context: Context, request: Request) -> Reply:
    """Asks for an event that proves the stream works; once a minute."""
    given = await _decoded(request, Verification)
    owner, now = _owner(request), context.clock()
    return await _asked(context, lambda t: t.verify(owner, given.stream_id, given.state, now), 204)


async def poll(context: Context, request: Request) -> Reply:
    """Acknowledges what came, and gives what waits; waits a while for something to come."""
    transmitter = _transmitter(context)
    asked = await _decoded(request, Poll)
    owner, stream_id = _owner(request), request.path["id"]
    loop = asyncio.get_running_loop()
    until = loop.time() + transmitter.settings.poll_seconds
    while True:
        arrived = context.arrivals.expect()  # before looking: what comes meanwhile counts
        reply = await _asked(context, partial(_polled, owner, stream_id, asked, context.clock()))
        left = until - loop.time()
        waits = not (asked.return_immediately or asked.most == 0 or context.stopping())
        if b'"sets":{}' not in reply.body or not waits or left <= 0:
            arrived.cancel()
            return reply
        await asyncio.wait([arrived], timeout=min(left, LOOK_SECONDS))
        arrived.cancel()
        asked = replace(asked, ack=(), set_errs={})


def _polled(owner: str, stream_id: str, asked: Poll, now: int, transmitter: Transmitter) -> object:
    return transmitter.poll(owner, stream_id, asked, now)


def _transmitter(context: Context) -> Transmitter:
    if context.ssf is None:
        raise Problem(
            404, "no transmitter", "the settings name no caep connection with streams: true"
        )
    return context.ssf


def _owner(request: Request) -> str:
    return request.caller.name


async def _decoded(request: Request, kind: type[T]) -> T:
    body = await request.body(MOST_BYTES)
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "body is not as it should be", str(error)) from None


async def _asked(
    context: Context, what: Callable[[Transmitter], object], status: int = 200
) -> Reply:
    transmitter = _transmitter(context)
    try:
        found = await context.aside(lambda: what(transmitter))
    except StreamError as error:
        wait = {"retry-after": "60"} if error.status == 429 else None
        raise Problem(error.status, "refused", str(error), wait) from None
    if status == 204:
        return Reply(status=204)
    return json({} if found is None else found, status)
