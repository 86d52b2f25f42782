"""What can be read: assessments, identities, incidents, contexts, the policy."""

import base64
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from quivive.baseline.profile import Profile
from quivive.model.context import Context as Circumstance
from quivive.model.incident import Incident, Priority, Status
from quivive.server.assess import Assessed
from quivive.server.context import Context
from quivive.server.http import Problem, Reply, Request, json
from quivive.store import views
from quivive.store.incidents import Incidents
from quivive.store.named import AmbiguousName, find, spoken
from quivive.store.policies import Policies

NEWEST = 10
Time = Annotated[
    int, Meta(ge=0, le=253_402_300_799_999, description="milliseconds since 1970, UTC")
]
Limit = Annotated[int, Meta(ge=1, le=1_000)]
_profile = msgspec.msgpack.Decoder(Profile)


class AssessmentsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """since and until: ms UTC of the event, the first inclusive, the second exclusive. finding:
    only findings, or only others. cursor: ``next`` of the page before.
    """

    identity: Annotated[str, Meta(max_length=1_024)] | None = None
    since: Time | None = None
    until: Time | None = None
    min_risk: Annotated[float, Meta(ge=0, le=100)] | None = None
    finding: bool | None = None
    limit: Limit = 50
    cursor: Annotated[str, Meta(max_length=4_096)] | None = None


class AssessmentPage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Assessments, newest first, and where the next page begins; no ``next`` on the last."""

    assessments: list[Assessed]
    next: str | None = None


class Learned(Struct, frozen=True, kw_only=True):
    """What is known of an identity as of the last checkpoint: how many logins were learned, since
    when, the kinds of logins held back, and how many categories of each feature are known.
    """

    logins: int
    first_seen: int
    last_seen: int
    held: int
    known: dict[str, int]


class Identity(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An identity: its logins in the store, its incidents, the newest assessments."""

    identity: str
    kind: str
    logins: int
    findings: int
    first: int
    last: int
    highest_risk: float
    incidents: list[str]
    assessments: list[Assessed]
    learned: Learned | None = None


class IncidentsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which incidents, newest first."""

    status: Status | None = None
    priority: Priority | None = None
    limit: Limit = 50


class IncidentList(Struct, frozen=True, kw_only=True):
    """Incidents, newest first."""

    incidents: list[Incident]


class Member(Struct, frozen=True, kw_only=True):
    """A finding of an incident."""

    event_id: str
    time: int
    identity: str


class IncidentDetail(Struct, frozen=True, kw_only=True):
    """An incident and its findings, by time."""

    incident: Incident
    findings: list[Member]


class ContextList(Struct, frozen=True, kw_only=True):
    """Circumstances; ``active`` are the ids of those that hold now."""

    contexts: list[Circumstance]
    active: list[str]


class PolicyDetail(Struct, frozen=True, kw_only=True):
    """The policy in force: its version, the modes and actions of its rules, and flags."""

    version: str
    name: str
    mode: str
    rules: list[dict[str, str]]
    flags: dict[str, bool]


async def assessments(context: Context, request: Request) -> Reply:
    """A page of assessments."""
    query = request.query(AssessmentsQuery)
    wanted = views.Wanted(
        identity=query.identity,
        since=query.since,
        until=query.until,
        min_risk=query.min_risk,
        finding=query.finding,
        limit=query.limit + 1,
        after=_after(query.cursor) if query.cursor is not None else None,
    )
    found = await context.aside(lambda: views.page(context.store, wanted))
    lines, more = found[: query.limit], len(found) > query.limit
    body = b'{"assessments":' + _array(line.body for line in lines)
    if more:
        body += b',"next":' + msgspec.json.encode(_cursor(lines[-1]))
    return Reply(body + b"}")


async def assessment(context: Context, request: Request) -> Reply:
    """One assessment by its event id, or by its full name."""
    named = request.path["id"]
    try:
        event_id = await context.aside(lambda: find(context.store, named))
    except AmbiguousName as error:
        raise Problem(409, "several logins have this id", str(error)) from None
    line = await context.aside(lambda: context.store.assessment(event_id or ""))
    if line is None:
        raise Problem(404, "no such login")
    return Reply(line)


async def identity(context: Context, request: Request) -> Reply:
    """One identity."""
    name = request.path["id"]
    store = context.store
    found = await context.aside(lambda: views.summary(store, name))
    if found is None and name != name.lower():  # identities are in lower case, people are not
        name = name.lower()
        found = await context.aside(lambda: views.summary(store, name))
    if found is None:
        raise Problem(404, "no such identity", "names are as assessments give them")
    wanted = views.Wanted(identity=name, limit=NEWEST)
    lines = await context.aside(lambda: views.page(store, wanted))
    body = await context.aside(lambda: views.profile(store, name))
    open_ = await context.aside(lambda: Incidents(store).listed(limit=1_000))
    kind = msgspec.json.decode(lines[0].body, type=_Kind).identity_kind
    said = Identity(
        identity=name,
        kind=kind,
        logins=found.logins,
        findings=found.findings,
        first=found.first,
        last=found.last,
        highest_risk=round(found.worst, 4),
        incidents=[i.id for i in open_ if name in i.identities],
        assessments=[],
        learned=None if body is None else _learned(_profile.decode(body)),
    )
    head = msgspec.json.encode(said)
    empty = b'"assessments":[]'
    at = head.rindex(empty)
    return Reply(
        head[:at] + b'"assessments":' + _array(i.body for i in lines) + head[at + len(empty) :]
    )


class _Kind(Struct):
    identity_kind: str


def _learned(profile: Profile) -> Learned:
    return Learned(
        logins=profile.successes,
        first_seen=profile.first_seen,
        last_seen=profile.last_seen,
        held=len(profile.held),
        known={name: len(table.values) for name, table in sorted(profile.own.tables.items())},
    )


async def incidents(context: Context, request: Request) -> Reply:
    """Incidents, newest first."""
    query = request.query(IncidentsQuery)
    found = await context.aside(
        lambda: Incidents(context.store).listed(
            status=query.status, priority=query.priority, limit=query.limit
        )
    )
    return json(IncidentList(incidents=found))


async def incident(context: Context, request: Request) -> Reply:
    """One incident with its findings."""
    kept = Incidents(context.store)
    incident_id = request.path["id"]
    found = await context.aside(lambda: kept.get(incident_id))
    if found is None:
        raise Problem(404, "no such incident")
    members = await context.aside(lambda: kept.findings(incident_id))
    names = await context.aside(lambda: spoken(context.store, [i for i, _, _ in members]))
    findings = [Member(event_id=names[i], time=t, identity=who) for i, t, who in members]
    return json(IncidentDetail(incident=found, findings=findings))


async def contexts(context: Context, _: Request) -> Reply:
    """Every circumstance that was ever vouched for."""
    found = await context.aside(lambda: Policies(context.store).contexts())
    now = context.clock()
    active = [c.id for c in found if c.begins <= now < c.ends]
    return json(ContextList(contexts=found, active=active))


async def policy(context: Context, _: Request) -> Reply:
    """What decides."""
    found = context.judge.judging.policy.policy
    flags = await context.aside(lambda: Policies(context.store).flags())
    return json(
        PolicyDetail(
            version=found.label or "shipped",
            name=found.name,
            mode=found.mode,
            rules=[{"id": r.id, "action": r.action, "mode": r.mode} for r in found.rules],
            flags=flags,
        )
    )


def _array(bodies: "Sequence[bytes] | object") -> bytes:
    return b"[" + b",".join(bodies) + b"]"  # type: ignore[arg-type]


def _cursor(line: views.Line) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((line.time, line.id))).decode()


def _after(cursor: str) -> tuple[int, str]:
    try:
        body = base64.b64decode(cursor, altchars=b"-_", validate=True)
        return msgspec.json.decode(body, type=tuple[Time, str])
    except (ValueError, msgspec.DecodeError):
        said = "cursor: give what stands as next in the page before, as it is"
        raise Problem(400, "query is wrong", said) from None
