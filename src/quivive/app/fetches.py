"""The ``fetch:`` section of a settings file: whose logs are fetched, and how often."""

from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.structs import replace

from quivive.app.errors import UsageError
from quivive.app.located import located
from quivive.app.registry import fetchers
from quivive.app.responses import Word, convert, sections_of
from quivive.fetch.fetcher import HOUR_MS, MINUTE_MS, Fetcher
from quivive.fetch.pulling import client_for
from quivive.respond.client import HttpSettings
from quivive.respond.errors import RefusedError


class _Connection(Struct, kw_only=True, forbid_unknown_fields=True):
    vendor: str
    name: Word | None = None
    every_seconds: Annotated[float, Meta(ge=10, le=86_400)] = 60.0
    overlap_minutes: Annotated[float, Meta(gt=0, le=1440)] | None = None
    first_hours: Annotated[float, Meta(ge=0, le=24 * 365)] = 24.0
    settings: dict[str, Any] = {}
    http: HttpSettings = HttpSettings()


class _Section(Struct, kw_only=True, forbid_unknown_fields=True):
    connections: tuple[_Connection, ...] = ()


class Connection(Struct, frozen=True, kw_only=True):
    """One vendor as it is connected.

    every: seconds between two rounds of the server. first: ms before now at which the very first
    round begins.
    """

    name: str
    fetcher: Fetcher
    settings: Any
    http: HttpSettings
    every: float
    first: int


@located(_Section, _Connection, HttpSettings)
def load_fetches(path: Path) -> tuple[Connection, ...]:
    """The section of a settings file; none of it is an empty one.

    Raises UsageError naming the file and the setting, and never what a setting holds.
    """
    section = convert(sections_of(path).get("fetch") or {}, _Section, f"{path}: fetch")
    found: list[Connection] = []
    for number, wanted in enumerate(section.connections):
        where = f"{path}: fetch.connections[{number}]"
        made = _connect(wanted, where)
        if any(made.name == known.name for known in found):
            raise UsageError(
                f"{where}.name: {made.name} is there twice; give each a name of its own"
            )
        found.append(made)
    return tuple(found)


def named(path: Path, name: str) -> Connection:
    """The connection of a name. Raises UsageError where the file has none."""
    found = load_fetches(path)
    for connection in found:
        if connection.name == name:
            return connection
    known = ", ".join(c.name for c in found) or "none; docs/howto/server.md shows how to add one"
    raise UsageError(f"{path}: fetch: no connection {name!r}; it has {known}")


def _connect(wanted: _Connection, where: str) -> Connection:
    known = fetchers()
    if wanted.vendor not in known:
        raise UsageError(
            f"{where}.vendor: no vendor {wanted.vendor!r}; one of {', '.join(sorted(known))}"
        )
    fetcher = known[wanted.vendor]
    settings = convert(wanted.settings, fetcher.settings, f"{where}.settings")
    try:
        client_for(fetcher, settings, wanted.http)
    except RefusedError as error:
        raise UsageError(f"{where}.settings: {error}") from None
    except ValueError:
        raise UsageError(f"{where}.settings: a URL that cannot be read") from None
    if not fetcher.streams(settings):
        raise UsageError(f"{where}.settings: names no log to fetch")
    if wanted.overlap_minutes is not None:
        overlap = round(wanted.overlap_minutes * MINUTE_MS)
        if fetcher.window is not None and overlap >= fetcher.window:
            most = fetcher.window // MINUTE_MS
            raise UsageError(f"{where}.overlap_minutes: of {fetcher.vendor} less than {most}")
        fetcher = replace(fetcher, overlap=overlap, late={})
    return Connection(
        name=wanted.name or fetcher.name,
        fetcher=fetcher,
        settings=settings,
        http=wanted.http,
        every=wanted.every_seconds,
        first=round(wanted.first_hours * HOUR_MS),
    )
