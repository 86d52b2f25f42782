"""docs/reference/api.md, from the OpenAPI description of the server."""

from typing import Any

from quivive.app.access import SCOPES
from quivive.server.openapi import describe
from quivive.server.settings import Edge, ServerSettings


def sections() -> list[str]:
    """The page under its title."""
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
        _table(("route", "scope", "what"), rows),
        "## Scopes\n\n"
        + _table(("scope", "allows to"), [(f"`{s}`", w) for s, w in SCOPES.items()]),
    ]
    used: set[str] = set()
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(path, method, operation, used))
    parts += [
        _schema(name, components[name]) for name in sorted(used) if "properties" in components[name]
    ]
    parts.append(_settings())
    return parts


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
        lines.append(_table(("parameter", "in", "value"), rows))
    body = operation.get("requestBody")
    if body is not None:
        kinds = "; ".join(
            f"`{kind}`: {_type(about['schema'], used)}" for kind, about in body["content"].items()
        )
        lines.append(f"Body: {kinds}.")
    answers = []
    for status, about in operation["responses"].items():
        given = next(iter(about["content"].values()))["schema"]
        answers.append((status, about["description"], _type(given, used)))
    lines.append(_table(("status", "meaning", "body"), answers))
    return "\n\n".join(lines)


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (f"`{key}`", _type(about, set()), "yes" if key in required else "")
        for key, about in schema["properties"].items()
    ]
    said = " ".join(schema.get("description", "").replace("``", "`").split())
    return f"## {name}\n\n{said}\n\n" + _table(("key", "value", "always"), rows)


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

    table = _table(("setting", "default"), rows(ServerSettings, "") + rows(Edge, "edge."))
    return (
        f"## Settings\n\nThe section `server:` of the file that `--config` names."
        f" {words(ServerSettings)}\n\n{words(Edge)}\n\n{table}"
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


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in lines)
