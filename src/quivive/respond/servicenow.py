"""ServiceNow: open one incident a response, found again by its correlation id."""

import base64
from collections.abc import Mapping

from msgspec import Struct

from quivive.model.response import ResponseRequest
from quivive.respond._ticket import text, title
from quivive.respond.response import Action, Outcome, Talk, entries, member
from quivive.respond.secret import Secret

_URGENCY = {"critical": "1", "high": "2"}


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: of the instance. user, password: of an integration account. group: who gets it."""

    url: str
    user: str
    password: Secret
    group: str | None = None


def authorise(settings: Settings, talk: Talk) -> Mapping[str, str]:
    """Basic authentication."""
    pair = f"{settings.user}:{settings.password.value()}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Opens the incident unless it is there."""
    found = talk.look(
        "look whether the incident is there already",
        "/api/now/table/incident",
        params={
            "sysparm_query": f"correlation_id={request.key}",
            "sysparm_fields": "number,sys_id",
            "sysparm_limit": "1",
        },
        stand_in={"result": []},
    )
    if known := entries(member(found, "result", list)):
        return Outcome("nothing_to_do", f"it is {known[0].get('number')}")
    urgency = _URGENCY.get(request.risk_level, "3")
    incident = {
        "short_description": title(request),
        "description": text(request),
        "correlation_id": request.key,
        "correlation_display": "Quivive",
        "category": "security",
        "urgency": urgency,
        "impact": urgency,
    }
    if settings.group is not None:
        incident["assignment_group"] = settings.group
    answer = talk.change(
        "open an incident",
        "POST",
        "/api/now/table/incident",
        incident,
        expect=(201,),
        repeatable=False,
    )
    if talk.dry:
        return Outcome("done")
    return Outcome("done", f"opened {member(member(answer.json(), 'result', dict), 'number')}")


ACTION = Action(
    name="servicenow",
    title="Opens an incident",
    vendor="ServiceNow",
    does={"ticket": "Opens an incident, once."},
    undoes=(),
    products=("*",),
    settings=Settings,
    privileges=("an account with `itil` or a role of its own that may read and create incidents",),
    documentation="https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html",
    hosts=lambda settings: (settings.url,),
    authorise=authorise,
    perform=perform,
)
