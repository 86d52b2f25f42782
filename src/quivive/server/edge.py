"""Edge checks that need no code: nginx ``auth_request`` and the ext_authz HTTP service of Envoy.

A proxy asks on every request; a login is what is new: the same client of an identity is answered
from memory for some minutes. 200 lets the request in, 401 asks for another sign-in, 403 refuses.
"""

import hashlib
from ipaddress import ip_address

import msgspec
from msgspec import Struct

from quivive.model.event import (
    OCSF_VERSION,
    Activity,
    AuthEvent,
    Endpoint,
    HttpRequest,
    Metadata,
    Product,
    Service,
    Status,
    User,
)
from quivive.server.assess import judged
from quivive.server.context import Context
from quivive.server.http import Problem, Reply, Request
from quivive.server.reading import clean, traced
from quivive.server.settings import Edge

MOST_TEXT = 1_024
ASK_AGAIN = "step_up"  # the action that another sign-in answers
TELLING = frozenset({"allow", "notify", "ticket", "page"})


class _Said(Struct):
    action: str
    mode: str
    rule: str


class _Line(Struct):
    """What is read of an answer, a scored line or a fallback."""

    decision: _Said
    risk_score: float = 0.0
    risk_level: str = "unknown"
    id: str = ""
    decided: bool = True


async def check(context: Context, request: Request) -> Reply:
    """Whether a request may pass."""
    settings = context.settings.edge
    identity = _text(request, settings.identity)
    if not identity:
        if settings.anonymous == "allow":
            return Reply(headers={"x-quivive-action": "allow", "x-quivive-rule": "edge/anonymous"})
        raise Problem(401, "nobody is signed in", f"the header {settings.identity} is missing")
    event = event_of(context, request, settings, identity)
    said = event.src_endpoint.ip if event.src_endpoint else None
    agent = event.http_request.user_agent if event.http_request else None
    service = event.service.name if event.service else None
    client = msgspec.json.encode((request.caller.id, identity, said, agent, service))
    key, now = hashlib.sha256(client).digest(), context.clock()
    known = context.edges.get(key, now)
    if known is not None:
        return known
    given = await judged(
        context, request, traced(event, request.trace), context.settings.answer_seconds
    )
    reply = reply_of(given.body)
    if b'"decided":false' not in given.body:
        context.edges.put(key, now + round(settings.remember * 1000), reply)
    return reply


def event_of(context: Context, request: Request, settings: Edge, identity: str) -> AuthEvent:
    """The login that a proxy tells of."""
    agent = _text(request, settings.agent)
    service = _text(request, settings.service)
    address = _address(_text(request, settings.address))
    return clean(
        AuthEvent(
            time=context.clock(),
            activity_id=int(Activity.LOGON),
            status_id=int(Status.SUCCESS),
            user=User(name=identity, email_addr=identity if "@" in identity else None),
            metadata=Metadata(
                version=OCSF_VERSION,
                product=Product(name=settings.product),
                log_name="edge",
                uid=f"e-{request.caller.id}-{request.id}",
            ),
            src_endpoint=Endpoint(ip=address) if address else None,
            http_request=HttpRequest(user_agent=agent) if agent else None,
            service=Service(name=service) if service else None,
        )
    )


def reply_of(body: bytes) -> Reply:
    """The proxy's answer to a scored line, or to a fallback: the decision is in its headers."""
    line = msgspec.json.decode(body, type=_Line)
    decision = line.decision
    acts = decision.mode != "shadow" and decision.action not in TELLING
    status = 200
    if acts:
        status = 401 if decision.action == ASK_AGAIN else 403
    headers = {
        "x-quivive-action": decision.action,
        "x-quivive-mode": decision.mode,
        "x-quivive-rule": decision.rule,
        "x-quivive-risk": f"{line.risk_score:.1f}",
        "x-quivive-level": line.risk_level,
        "x-quivive-id": line.id,
    }
    if not line.decided:
        headers["quivive-fallback"] = "true"
    return Reply(b"", status, headers, b"text/plain")


def _text(request: Request, header: str) -> str:
    """A header's text as UTF-8, where it is."""
    raw = request.header(header.lower()).encode("latin-1")
    return raw.decode("utf-8", "replace").strip()[:MOST_TEXT]


def _address(text: str) -> str | None:
    """The first address of a list; None for what is none."""
    first = text.split(",", 1)[0].strip()
    if first.startswith("["):
        first = first[1:].partition("]")[0]
    elif first.count(":") == 1:
        first = first.partition(":")[0]
    try:
        found = ip_address(first)
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)
