"""Fields of an ECS document: nested or dotted, one value or several, points in many forms."""

from typing import Any

from quivive.model.record import RawRecord
from quivive.sources import fields

# The field sets read here; a document may write them as one dotted key.
_SETS = frozenset(
    {
        *("client", "cloud", "data_stream", "destination", "device", "ecs", "error", "event"),
        *("host", "network", "observer", "organization", "process", "related", "server"),
        *("service", "source", "tls", "trace", "transaction", "user", "user_agent"),
    }
)
_DEPTH = 8


def document_of(record: RawRecord) -> dict[str, Any]:
    """The document itself, or the one inside an Elasticsearch hit."""
    outer = record.fields
    if outer is None:
        return {}
    for key in ("_source", "fields"):
        inner = outer.get(key)
        if type(inner) is dict and "_index" in outer:
            return inner
    return outer


def get(document: dict[str, Any], *path: str) -> Any:
    """A field written nested or as one dotted key."""
    value = fields.dig(document, *path)
    return document.get(".".join(path)) if value is None else value


def has_dots(document: dict[str, Any]) -> bool:
    """Whether any field read here may be written as a dotted key."""
    for key, value in document.items():
        if "." in key:
            return True
        if type(value) is dict and key in _SETS and any("." in inner for inner in value):
            return True
    return False


def nested(document: dict[str, Any], depth: int = _DEPTH) -> dict[str, Any]:
    """The document with dotted keys as nested objects."""
    result: dict[str, Any] = {}
    for key, value in document.items():
        if depth == _DEPTH and key.partition(".")[0] not in _SETS:
            result[key] = value
            continue
        inner = nested(value, depth - 1) if type(value) is dict and depth else value
        *outer, last = key.split(".", _DEPTH)
        target = result
        for name in outer:
            held = target.get(name)
            if type(held) is not dict:
                held = target[name] = {}
            target = held
        held = target.get(last)
        if type(held) is dict and type(inner) is dict:
            held.update(inner)
        else:
            target[last] = inner
    return result


def one(value: Any) -> Any:
    """Any ECS field may hold an array; its first value stands for it."""
    if type(value) is list:
        return value[0] if value else None
    return value


def text(part: dict[str, Any], name: str) -> str | None:
    """A field's words; a number counts as its digits."""
    value = one(part.get(name))
    return str(value) if type(value) is int else fields.clean(value)


def words(value: Any) -> list[str]:
    """The strings of a field that may hold several, in lower case."""
    values = value if type(value) is list else [value]
    return [word.lower() for word in values if type(word) is str]


def address(end: dict[str, Any]) -> str | None:
    """The IP address of one end of a connection."""
    return fields.address(one(end.get("ip"))) or fields.address(one(end.get("address")))


def point(value: Any) -> tuple[float | None, float | None]:
    """Latitude and longitude of a geo_point: object, "lat,lon", [lon, lat], GeoJSON or WKT."""
    if type(value) is list and len(value) == 1:
        value = value[0]
    pair: list[Any] = []
    if type(value) is dict:
        if "lat" in value:
            pair = [value.get("lon"), value.get("lat")]
        elif type(value.get("coordinates")) is list:
            pair = value["coordinates"]
    elif type(value) is list:
        pair = value
    elif type(value) is str and value[:5].upper() == "POINT":
        pair = value[5:].strip(" ()").split()
    elif type(value) is str:
        pair = value.split(",")[::-1]
    if len(pair) != 2:
        return None, None
    long, lat = (_degrees(part) for part in pair)
    if lat is None or long is None or abs(lat) > 90:
        return None, None
    return lat, long


def _degrees(value: Any) -> float | None:
    found = None if type(value) is int and abs(value) > 180 else fields.number({"": value}, "")
    return None if found is None or abs(found) > 180 else found
