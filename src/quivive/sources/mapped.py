"""Any JSON or CSV log through a small field map: the YAML a user writes instead of a parser.

A map names the record's field behind each OCSF path; docs/reference/mapped.md teaches it. The
record is rewritten as an OCSF object, which ``event_from_ocsf`` reads as it reads all others.
"""

from difflib import get_close_matches
from typing import Annotated, Any

import msgspec
import yaml
from msgspec import Meta, Struct

from quivive.model.event import Activity, AuthEvent
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.map_rules import (
    MapError,
    Rule,
    Scalar,
    TimeRule,
    matcher,
    present,
    time_reader,
    writer,
)
from quivive.sources.ocsf_object import event_from_ocsf
from quivive.sources.ocsf_values import target_paths
from quivive.sources.source import Source

__all__ = ["FieldMap", "MapError", "Recognition", "read_map", "source_from_map"]

DOCUMENTATION = "https://schema.ocsf.io/1.8.0/classes/authentication"
NAMING = ("user.name", "user.uid", "user.email_addr")


class Recognition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a record of this log has: fields (whatever their value) and fixed values."""

    fields: Annotated[tuple[str, ...], Meta(min_length=1)]
    constants: dict[str, Scalar] = {}


class FieldMap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A log's field map.

    fields: an OCSF path each, with the record's field or a Rule.
    only: fields with the values that make a record a login; one with others is skipped.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
    title: str
    recognise: Recognition
    time: str | TimeRule
    fields: dict[str, str | Rule]
    only: dict[str, tuple[Scalar, ...]] = {}
    reads: tuple[str, ...] = ()
    documentation: str = DOCUMENTATION


def read_map(text: str, where: str) -> FieldMap:
    """The map in a YAML text, checked. MapError, beginning with ``where``, if it has a fault."""
    try:
        loaded = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise MapError(f"{where}: broken YAML: {' '.join(str(error).split())}") from None
    try:
        found = msgspec.convert(loaded, FieldMap)
        source_from_map(found)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        place = path.strip("`.")
        raise MapError(f"{where}: {place}: {problem}" if place else f"{where}: {problem}") from None
    except MapError as error:
        raise MapError(f"{where}: {error}") from None
    return found


def source_from_map(field_map: FieldMap) -> Source:
    """The log source that a map describes. MapError if the map asks for what events lack."""
    _check(field_map)
    writers = tuple(writer(path, rule) for path, rule in field_map.fields.items())
    time = time_reader(field_map.time)
    has_fields = present(field_map.recognise.fields)
    has_constants = matcher({path: (v,) for path, v in field_map.recognise.constants.items()})
    is_login = matcher(field_map.only)
    title = field_map.title
    service = field_map.fields.get("service.name")
    constant = service.constant if isinstance(service, Rule) else None

    def recognise(record: RawRecord) -> bool:
        fields = record.fields
        return fields is not None and has_fields(fields) and has_constants(fields)

    def parse(record: RawRecord) -> AuthEvent | Skip:
        fields = record.fields
        if fields is None:
            raise RejectError("record: neither a JSON object nor a CSV row")
        if not is_login(fields):
            return Skip("no login, as the map's `only` says")
        written, ms = time(fields, record.reference_time)
        ocsf: dict[str, Any] = {
            "time": ms,
            "activity_id": int(Activity.LOGON),
            "metadata": {"original_time": written, "product": {"name": title}},
        }
        for write in writers:
            write(fields, ocsf)
        _tell_apart(ocsf, constant)
        return event_from_ocsf(ocsf, record)

    return Source(
        name=field_map.name,
        title=title,
        reads=field_map.reads or (f"{title}, as JSON or CSV",),
        gives=tuple(field_map.fields),
        documentation=field_map.documentation,
        recognise=recognise,
        parse=parse,
    )


def _tell_apart(ocsf: dict[str, Any], constant: Scalar | None) -> None:
    """A mere number as an id is one application's own count: its name goes before it, where the
    record has one. Else the logins of another one would pass for those, known already.
    """
    uid, name = ocsf["metadata"].get("uid"), ocsf.get("service", {}).get("name")
    if name and name != constant and uid is not None and str(uid).strip().isdecimal():
        ocsf["metadata"]["uid"] = f"{name}:{str(uid).strip()}"


def _check(field_map: FieldMap) -> None:
    known = target_paths()
    for path in field_map.fields:
        if path not in known:
            close = get_close_matches(path, sorted(known), 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise MapError(f"fields.{path}: events have no such field{hint}")
    if not any(path in field_map.fields for path in NAMING):
        raise MapError(f"fields: name the user: {', '.join(NAMING[:-1])} or {NAMING[-1]}")
    if "status_id" not in field_map.fields:
        raise MapError("fields.status_id: say what success is, or write {constant: success}")
