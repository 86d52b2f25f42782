"""Every route in one table: method, path, scope, what comes in, what goes out."""

from typing import Any

from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from quivive.app.access import allows
from quivive.app.verdicts import Outcome
from quivive.model.incident import Incident
from quivive.server import assess, edge, events, health, metrics, reload, verdicts, views
from quivive.server.context import Context
from quivive.server.endpoint import Endpoint
from quivive.server.http import Problem, Reply, Request
from quivive.server.ssf_routes import SSF


async def openapi(context: Context, _: Request) -> Reply:
    """The description of all this."""
    return Reply(context.openapi)


_EDGE: dict[str, Any] = {
    "scope": "assess",
    "handler": edge.check,
    "errors": (403, 409, 422),
    "text": True,
}
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/assess",
        scope="assess",
        handler=assess.assess,
        title="The risk of one login, in its own path",
        query=assess.AssessQuery,
        raw=True,
        answer=(assess.Assessed, assess.Fallback),
        errors=(400, 409, 413, 414, 422),
        headers=("Idempotency-Key", "Quivive-Budget-Ms"),
    ),
    Endpoint(
        method="POST",
        path="/v1/events",
        scope="ingest",
        handler=events.events,
        title="Many events, acknowledged once they are kept",
        query=events.EventsQuery,
        raw=True,
        answer=events.Counted,
        errors=(400, 413, 414, 422),
        headers=("Idempotency-Key",),
    ),
    Endpoint(
        method="POST",
        path="/v1/verdicts",
        scope="verdict",
        handler=verdicts.verdicts,
        title="What logins were, as people found out",
        query=verdicts.VerdictsQuery,
        body=verdicts.GivenVerdict | list[verdicts.GivenVerdict],
        answer=Outcome,
        errors=(400, 413, 414, 422),
    ),
    Endpoint(
        method="GET",
        path="/v1/assessments",
        scope="read",
        handler=views.assessments,
        title="Assessments, newest first",
        query=views.AssessmentsQuery,
        answer=views.AssessmentPage,
        errors=(400, 414),
    ),
    Endpoint(
        method="GET",
        path="/v1/assessments/{id}",
        scope="read",
        handler=views.assessment,
        title="One assessment",
        answer=assess.Assessed,
        errors=(404, 409),
    ),
    Endpoint(
        method="GET",
        path="/v1/identities/{id}",
        scope="read",
        handler=views.identity,
        title="One identity",
        answer=views.Identity,
        errors=(404,),
    ),
    Endpoint(
        method="GET",
        path="/v1/incidents",
        scope="read",
        handler=views.incidents,
        title="Incidents, newest first",
        query=views.IncidentsQuery,
        answer=views.IncidentList,
        errors=(400, 414),
    ),
    Endpoint(
        method="GET",
        path="/v1/incidents/{id}",
        scope="read",
        handler=views.incident,
        title="One incident with its findings",
        answer=views.IncidentDetail,
        errors=(404,),
    ),
    Endpoint(
        method="POST",
        path="/v1/incidents/{id}/acknowledge",
        scope="verdict",
        handler=verdicts.acknowledge,
        title="Somebody looks at an incident",
        body=verdicts.Closing,
        answer=Incident,
        errors=(400, 404, 413, 422),
    ),
    Endpoint(
        method="POST",
        path="/v1/incidents/{id}/close",
        scope="verdict",
        handler=verdicts.close,
        title="An incident is over",
        body=verdicts.Closing,
        answer=Incident,
        errors=(400, 404, 413, 422),
    ),
    Endpoint(
        method="GET",
        path="/v1/contexts",
        scope="read",
        handler=views.contexts,
        title="Circumstances that people vouch for",
        answer=views.ContextList,
    ),
    Endpoint(
        method="GET",
        path="/v1/policy",
        scope="read",
        handler=views.policy,
        title="The policy in force",
        answer=views.PolicyDetail,
    ),
    Endpoint(
        method="POST",
        path="/v1/reload",
        scope="admin",
        handler=reload.reload,
        title="Changed files are taken over",
        answer=reload.Reloaded,
        errors=(409, 422),
    ),
    Endpoint(method="GET", path="/v1/edge/nginx", title="nginx auth_request", **_EDGE),
    Endpoint(method="POST", path="/v1/edge/nginx", title="nginx auth_request", **_EDGE),
    Endpoint(
        method="GET",
        path="/v1/openapi.json",
        scope="",
        handler=openapi,
        title="This description",
        answer=dict[str, Any],
    ),
    Endpoint(
        method="GET",
        path="/healthz",
        scope=None,
        handler=health.healthz,
        title="Whether the process lives",
        answer=health.Alive,
    ),
    Endpoint(
        method="GET",
        path="/readyz",
        scope=None,
        handler=health.readyz,
        title="Whether logins are judged",
        answer=health.Ready,
        statuses=(200, 503),
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        scope="metrics",
        handler=metrics.metrics,
        title="Metrics for Prometheus",
        text=True,
    ),
)
# Envoy sends the request's own method and path, after a prefix: any of them.
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
ENVOY = tuple(
    Endpoint(method=method, path="/v1/edge/envoy{path:path}", title="Envoy ext_authz", **_EDGE)
    for method in METHODS
)


class Dispatch:
    """The endpoints of one path, as an ASGI application behind the front."""

    def __init__(self, context: Context, endpoints: list[Endpoint]) -> None:
        """All of one path."""
        self.context = context
        self.path = endpoints[0].path
        self.by_method = {endpoint.method: endpoint for endpoint in endpoints}
        if "GET" in self.by_method:
            self.by_method.setdefault("HEAD", self.by_method["GET"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Checks the scope of the token, then answers."""
        del receive, send  # the front reads and writes
        request: Request = scope["quivive.request"]
        scope["quivive.route"] = self.path
        endpoint = self.by_method[scope["method"]]
        if endpoint.scope and not allows(request.caller, endpoint.scope):
            raise Problem(403, "not allowed", f"the token needs the scope {endpoint.scope}")
        request.path = scope.get("path_params", {})
        scope["quivive.reply"] = await endpoint.handler(self.context, request)


def router(context: Context) -> Router:
    """All routes."""
    paths: dict[str, list[Endpoint]] = {}
    for endpoint in (*ENDPOINTS, *SSF, *ENVOY):
        paths.setdefault(endpoint.path, []).append(endpoint)
    return Router(
        [
            Route(_matching(path), Dispatch(context, found), methods=[e.method for e in found])
            for path, found in paths.items()
        ],
        redirect_slashes=False,
    )


def _matching(path: str) -> str:
    """The path as it is matched: an id at its end may hold slashes, as a repository's does."""
    named = path.startswith(("/v1/assessments/", "/v1/identities/")) and path.endswith("/{id}")
    return path.replace("{id}", "{id:path}") if named else path
