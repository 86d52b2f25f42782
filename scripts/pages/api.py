"""api.md: the routes of the server, from its OpenAPI description."""

from typing import Any

from quivive.app.access import SCOPES
from quivive.server.openapi import describe
from quivive.server.settings import Edge, ServerSettings
from scripts.pages.markdown import page, table


def api_page() -> str:
    """The routes of the server, their bodies, and its settings."""
    found = describe()
    components = found["components"]["schemas"]
    rows = [
        (
            f"[`{method.upper()} {path}`](#{anchor(method, path)})",
            f"`{operation['x-scope']}`" if "x-scope" in operation else need(operation),
            operation["summary"],
        )
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    ]
    parts = [
        (
            "What `quivive serve` answers. `/v1/openapi.json` is the same for machines (3.1)."
            " Errors are `application/problem+json` (RFC 9457) with the request id. Every route but"
            " `/healthz` and `/readyz` needs `Authorization: Bearer …`; times are milliseconds UTC."
        ),
        table(("route", "scope", "what"), rows),
        "## Scopes\n\n" + table(("scope", "allows to"), [(f"`{s}`", w) for s, w in SCOPES.items()]),
    ]
    used: set[str] = set()
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(path, method, operation, used))
    parts += [
        _schema(name, components[name]) for name in sorted(used) if "properties" in components[name]
    ]
    parts.append(_settings())
    return page("HTTP API", *parts)


def need(operation: dict[str, Any]) -> str:
    return "any" if operation["security"] else "no token"


def anchor(method: str, path: str) -> str:
    kept = "".join(c for c in f"{method} {path}".lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def _operation(
    path: str,
    method: str,
    operation: dict[str, Any],
    used: set[str],
) -> str:
    lines = [f"## {method.upper()} {path}", f"{operation['summary']}. {operation['description']}"]
    rows = [
        (f"`{p['name']}`", p["in"], _type(p["schema"], used))
        for p in operation.get("parameters", ())
    ]
    if rows:
        lines.append(table(("parameter", "in", "value"), rows))
    asked = operation.get("requestBody")
    if asked is not None:
        kinds = "; ".join(
            f"`{kind}`: {_type(about['schema'], used)}" for kind, about in asked["content"].items()
        )
        lines.append(f"Body: {kinds}.")
    answers = []
    for status, about in operation["responses"].items():
        body = "none"
        if "content" in about:
            body = _type(next(iter(about["content"].values()))["schema"], used)
        answers.append((status, about["description"], body))
    lines.append(table(("status", "meaning", "body"), answers))
    return "\n\n".join(lines)


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (f"`{key}`", _type(about, set()), "yes" if key in required else "")
        for key, about in schema["properties"].items()
    ]
    said = " ".join(schema.get("description", "").replace("``", "`").split())
    return f"## {name}\n\n{said}\n\n" + table(("key", "value", "always"), rows)


def _settings() -> str:
    def rows(kind: type, before: str) -> list[tuple[str, ...]]:
        made = kind()
        return [
            (f"`{before}{name}`", f"`{getattr(made, name)}`")
            for name in kind.__struct_fields__  # type: ignore[attr-defined]
            if name != "edge"
        ]

    def words(kind: type) -> str:
        return " ".join((kind.__doc__ or "").split())

    defaults = table(("setting", "default"), rows(ServerSettings, "") + rows(Edge, "edge."))
    return (
        f"## Settings\n\nThe section `server:` of the file that `--config` names."
        f" {words(ServerSettings)}\n\n{words(Edge)}\n\n{defaults}"
    )


def _type(schema: dict[str, Any], used: set[str]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        used.add(name)
        return name
    for several in ("anyOf", "oneOf"):
        if several in schema:
            kinds = [_type(one, used) for one in schema[several] if one.get("type") != "null"]
            return " or ".join(kinds)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        items = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
        return f"array of {_type(items, used)}" if items else "array"
    if isinstance(kind, list):
        return " or ".join(kind)
    limits = [
        f"{words} {schema[key]}"
        for key, words in (
            ("minimum", "from"), ("maximum", "to"), ("maxLength", "at most, in characters,"),
        )
        if key in schema
    ]  # fmt: skip
    return f"{kind}, {' '.join(limits)}" if limits else str(kind)
