"""The OpenAPI 3.1 description, from the table of routes and the structs themselves."""

import re
from functools import cache
from typing import Any

import msgspec

from quivive import __version__
from quivive.app.access import SCOPES
from quivive.server.endpoint import Endpoint
from quivive.server.http import ProblemBody
from quivive.server.routes import ENDPOINTS
from quivive.server.ssf_routes import SSF

REF = "#/components/schemas/{name}"
ERRORS = {
    400: "The request cannot be read",
    401: "No valid token",
    403: "The token lacks the scope, or the edge check refuses",
    404: "There is no such thing",
    408: "The request came too slowly",
    409: "Judged before, and the assessment is not kept, or the id was another login's",
    413: "The body is too long",
    414: "The query is too long",
    422: "Understood, and not acceptable",
    429: "Too many requests, or too many events wait: Retry-After says when",
    500: "A fault of the server",
    503: "The store cannot be used now: Retry-After says when",
}
HEADERS = {
    "Idempotency-Key": {"type": "string", "maxLength": 200, "pattern": "^[ -~]*$"},
    "Quivive-Budget-Ms": {"type": "integer", "minimum": 1, "maximum": 60_000},
}


def describe() -> dict[str, Any]:
    """The whole document."""
    kinds: list[Any] = [ProblemBody]
    for endpoint in (*ENDPOINTS, *SSF):
        kinds += [k for k in (endpoint.query, endpoint.body) if k is not None]
        kinds += _answers(endpoint)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    found = dict(zip(map(str, kinds), schemas, strict=True))
    paths: dict[str, Any] = {}
    for endpoint in (*ENDPOINTS, *SSF):
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(
            endpoint, found, components
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Quivive",
            "version": __version__,
            "description": "Which login is not its identity's own, with reasons.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Scopes: "
                    + "; ".join(f"{name}: {what}" for name, what in SCOPES.items())
                    + ".",
                }
            },
        },
    }


def _answers(endpoint: Endpoint) -> list[Any]:
    """What may come back."""
    answer = endpoint.answer
    if isinstance(answer, tuple):
        return list(answer)
    return [] if answer is None else [answer]


def _operation(
    endpoint: Endpoint, found: dict[str, Any], components: dict[str, Any]
) -> dict[str, Any]:
    name = re.sub(r"[^a-z0-9]+", "_", f"{endpoint.method} {endpoint.path}".lower()).strip("_")
    parameters = [
        {"name": p, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for p in re.findall(r"\{(\w+)", endpoint.path)
    ]
    if endpoint.query is not None:
        schema = components[found[str(endpoint.query)]["$ref"].rpartition("/")[2]]
        parameters += [
            {"name": p, "in": "query", "required": False, "schema": _plain(about)}
            for p, about in schema["properties"].items()
        ]
    parameters += [
        {"name": header, "in": "header", "required": False, "schema": HEADERS[header]}
        for header in endpoint.headers
    ]
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": endpoint.title,
        "description": " ".join((endpoint.handler.__doc__ or "").split()),
        "security": [] if endpoint.scope is None else [{"token": []}],
        "responses": _responses(endpoint, found),
    }
    if endpoint.scope:
        operation["x-scope"] = endpoint.scope
    if parameters:
        operation["parameters"] = parameters
    if endpoint.raw:
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": ["object", "array"]}},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        }
    elif endpoint.body is not None:
        content = {"application/json": {"schema": found[str(endpoint.body)]}}
        optional = "incidents" in endpoint.path
        operation["requestBody"] = {"required": not optional, "content": content}
    return operation


def _responses(endpoint: Endpoint, found: dict[str, Any]) -> dict[str, Any]:
    kind = "text/plain" if endpoint.text else "application/json"
    given = [found[str(answer)] for answer in _answers(endpoint)]
    schema: dict[str, Any] = (
        {"type": "string"} if endpoint.text else given[0] if len(given) == 1 else {"oneOf": given}
    )
    responses: dict[str, Any] = {}
    for status in endpoint.statuses:
        words = "Done" if status < 300 else ERRORS[status]
        responses[str(status)] = {"description": words}
        if status != 204:
            responses[str(status)]["content"] = {kind: {"schema": schema}}
    problem = {"application/problem+json": {"schema": found[str(ProblemBody)]}}
    always = (429, 500, 503) if endpoint.scope is None else (401, 403, 408, 429, 500, 503)
    for status in sorted({*always, *endpoint.errors}):
        if str(status) not in responses:
            content = dict(problem)
            if endpoint.text and status in (401, 403):
                content["text/plain"] = {"schema": {"type": "string"}}
            responses[str(status)] = {"description": ERRORS[status], "content": content}
    return dict(sorted(responses.items()))


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter's schema: absent instead of null."""
    kept = {k: v for k, v in schema.items() if k not in ("anyOf", "default")}
    inner = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    merged = {**kept, **(inner[0] if len(inner) == 1 else {})}
    if "enum" in merged:
        merged["enum"] = [value for value in merged["enum"] if value is not None]
    if schema.get("default") is not None:
        merged["default"] = schema["default"]
    return merged


@cache
def encoded() -> bytes:
    """The document as JSON."""
    return msgspec.json.encode(describe(), order="deterministic")
