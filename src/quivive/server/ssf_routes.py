"""The routes for receivers of security events: OpenID SSF 1.0 names their methods and answers."""

from typing import Any

from quivive.respond.ssf.streams import Poll, Wanted
from quivive.server import ssf
from quivive.server.endpoint import Endpoint, Handler


def _public(path: str, handler: Handler, title: str, answer: type) -> Endpoint:
    return Endpoint(
        method="GET",
        path=path,
        scope=None,
        handler=handler,
        title=title,
        answer=answer,
        errors=(404,),
    )


def _of_streams(method: str, path: str, handler: Handler, title: str, **given: Any) -> Endpoint:
    """A route for tokens of receivers. query or body: what comes in; answer: None for no body."""
    errors = (400, 404, 414) if "query" in given else (400, 404, 413)
    return Endpoint(
        method=method,
        path=path,
        scope="ssf",
        handler=handler,
        title=title,
        **{"errors": errors, "statuses": (200,) if "answer" in given else (204,), **given},
    )


SSF: tuple[Endpoint, ...] = (
    _public(
        "/.well-known/ssf-configuration",
        ssf.metadata,
        "The transmitter of security events",
        ssf.Metadata,
    ),
    _public("/ssf/jwks.json", ssf.keys, "The keys that check security events", ssf.Keys),
    _of_streams(
        "POST",
        "/ssf/streams",
        ssf.create,
        "A stream is set up",
        body=Wanted,
        answer=ssf.Configuration,
        statuses=(201,),
        errors=(400, 404, 409, 413),
    ),
    _of_streams(
        "GET",
        "/ssf/streams",
        ssf.read,
        "Streams and their configuration",
        query=ssf.StreamQuery,
        answer=(ssf.Configuration, list[ssf.Configuration]),
    ),
    _of_streams(
        "PATCH",
        "/ssf/streams",
        ssf.update,
        "A stream is changed",
        body=Wanted,
        answer=ssf.Configuration,
    ),
    _of_streams(
        "PUT",
        "/ssf/streams",
        ssf.put,
        "A stream is replaced",
        body=Wanted,
        answer=ssf.Configuration,
    ),
    _of_streams("DELETE", "/ssf/streams", ssf.delete, "A stream ends", query=ssf.StreamQuery),
    _of_streams(
        "GET",
        "/ssf/status",
        ssf.status,
        "How a stream stands",
        query=ssf.StreamQuery,
        answer=ssf.Status,
    ),
    _of_streams(
        "POST",
        "/ssf/status",
        ssf.set_status,
        "A stream is enabled, paused or disabled",
        body=ssf.Status,
        answer=ssf.Status,
    ),
    _of_streams(
        "POST",
        "/ssf/subjects:add",
        ssf.add_subject,
        "A stream is about a subject",
        body=ssf.Subject,
        answer=dict[str, Any],
    ),
    _of_streams(
        "POST",
        "/ssf/subjects:remove",
        ssf.remove_subject,
        "A stream is not about a subject",
        body=ssf.Subject,
    ),
    _of_streams(
        "POST",
        "/ssf/verify",
        ssf.verify,
        "An event that proves a stream works",
        body=ssf.Verification,
    ),
    _of_streams(
        "POST",
        "/ssf/poll/{id}",
        ssf.poll,
        "Events are acknowledged and fetched",
        body=Poll,
        answer=ssf.Sets,
    ),
)
