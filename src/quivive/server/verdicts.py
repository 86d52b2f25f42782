"""What people say: ``POST /v1/verdicts``, and who looks at an incident."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from quivive.app import verdicts as app
from quivive.app.audit import sign
from quivive.app.verdicts import Line, Outcome
from quivive.model.audit import Entry
from quivive.model.errors import ConfigurationError
from quivive.model.incident import Incident
from quivive.model.naming import MOST_PREFIX
from quivive.model.verdict import MOST_BY, MOST_ID, MOST_WHY, Verdict, VerdictError, VerdictKind
from quivive.server.context import Context
from quivive.server.http import Problem, Reply, Request, json
from quivive.server.judging import Judging
from quivive.server.waiting import act
from quivive.store import audit
from quivive.store.database import StoreUnavailable
from quivive.store.named import find
from quivive.store.verdicts import Verdicts

MOST_VERDICTS = 1_000
MOST_BYTES = 4 << 20
_Id = Annotated[str, Meta(min_length=1, max_length=MOST_ID + MOST_PREFIX)]
_By = Annotated[str, Meta(min_length=1, max_length=MOST_BY)]
_Why = Annotated[str, Meta(min_length=1, max_length=MOST_WHY)]


class GivenVerdict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verdict on a login. by: who says so, the token's name where nobody is named; when: ms UTC,
    the time of the newest login where none is given.
    """

    event_id: _Id
    verdict: VerdictKind
    why: _Why
    by: _By | None = None
    when: int | None = None


class VerdictsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """amend: let a verdict take the place of one that stands."""

    amend: bool = False


class Closing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who acknowledges or closes an incident, and why."""

    why: Annotated[str, Meta(max_length=MOST_WHY)] = ""
    by: _By | None = None


async def verdicts(context: Context, request: Request) -> Reply:
    """Takes one verdict or an array of them, all or none."""
    query = request.query(VerdictsQuery)
    given = await request.decoded(GivenVerdict | list[GivenVerdict], MOST_BYTES)  # type: ignore[arg-type]
    batch: Sequence[GivenVerdict] = given if isinstance(given, list) else [given]
    if not 0 < len(batch) <= MOST_VERDICTS:
        raise Problem(422, "body is not as it should be", f"1 to {MOST_VERDICTS} verdicts")
    name = request.caller.name

    try:
        outcome = await give(context, batch, name, amend=query.amend)
    except VerdictError as error:
        raise Problem(422, "no verdict was taken", str(error)) from None
    return json(outcome)


async def give(
    context: Context, batch: Sequence[GivenVerdict], name: str, *, amend: bool = False
) -> Outcome:
    """Takes verdicts of ``name``, all or none. Raises VerdictError, StoreUnavailable."""

    def take(judging: Judging) -> Outcome:
        outcome = judging.changing(
            lambda store: app.take(store, _lines(judging, batch, name), amend=amend)
        )
        desk, now = judging.desk, context.clock()
        for one in batch:
            kept = find(judging.store, one.event_id) or one.event_id
            desk.judged(kept, one.verdict, one.by or name, now)
        return outcome

    return await act(context.judge, take)


def _lines(judging: Judging, batch: Sequence[GivenVerdict], name: str) -> list[Line]:
    horizon = Verdicts(judging.store).horizon()
    newest = horizon[1] if horizon is not None else judging.clock()
    return [
        Line(
            f"verdict {number}" if len(batch) > 1 else "",
            Verdict(
                event_id=one.event_id,
                kind=one.verdict,
                by=one.by or name,
                why=one.why,
                when=newest if one.when is None else one.when,
            ),
        )
        for number, one in enumerate(batch, 1)
    ]


async def acknowledge(context: Context, request: Request) -> Reply:
    """Somebody looks at an incident: it is not told again unless it gets worse."""
    return await _incident(context, request, close=False)


async def close(context: Context, request: Request) -> Reply:
    """An incident is over."""
    return await _incident(context, request, close=True)


async def _incident(context: Context, request: Request, *, close: bool) -> Reply:
    body = await request.body(MOST_BYTES)
    try:
        said = msgspec.json.decode(body or b"{}", type=Closing)
    except msgspec.ValidationError as error:
        raise Problem(422, "body is not as it should be", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "body is not JSON", str(error)) from None
    incident_id, by = request.path["id"], said.by or request.caller.name

    details: dict[str, object] = {"token": request.caller.id}
    try:
        return json(await settle(context, incident_id, by, said.why, details, close=close))
    except StoreUnavailable:
        raise
    except ConfigurationError as error:
        raise Problem(404, "no open incident", str(error)) from None


async def settle(
    context: Context,
    incident_id: str,
    by: str,
    why: str,
    details: dict[str, object],
    *,
    close: bool,
) -> Incident:
    """Acknowledges or closes an incident, with its record in the audit trail.

    Raises ConfigurationError for one that is not open.
    """

    def change(judging: Judging) -> Incident:
        desk, now = judging.desk, context.clock()
        found = (desk.close if close else desk.acknowledge)(incident_id, by, now, why)
        entry = Entry(
            time=now,
            actor=by,
            action="incident:closed" if close else "incident:acknowledged",
            subject=incident_id,
            details={"why": why, **details},
        )
        judging.note(lambda connection: _record(connection, entry))
        judging.keep()
        sign(judging.store)
        return found

    return await act(context.judge, change)


def _record(connection: "object", entry: Entry) -> None:
    audit.append(connection, [entry])  # type: ignore[arg-type]
