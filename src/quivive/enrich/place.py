"""What is known of where an address is, and how two accounts of it are put together."""

from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

MAX_TEXT = 200
_NO_TEXT = frozenset({"", "-", "--", "zz", "n/a", "none", "unknown", "not available"})


class PlaceDatabaseError(Exception):
    """A database that cannot be used: "<path>: what is wrong, what to do"."""


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where an address is and whose it is; None is "not known".

    ``country`` is ISO 3166-1 alpha-2, ``region`` a name, ``lat`` and ``long`` are degrees and
    come together, ``network_kind`` is one of ``KINDS`` (lists.py).
    """

    country: str | None = None
    region: str | None = None
    city: str | None = None
    lat: float | None = None
    long: float | None = None
    postal_code: str | None = None
    asn: int | None = None
    as_name: str | None = None
    network_kind: str | None = None


NOWHERE = Place()


class FileInfo(Struct, frozen=True, kw_only=True):
    """One opened database file.

    kind: "city", "country", "network" (autonomous systems) or "network kind".
    gives: the fields of Place it was seen to fill; versions: the IP versions it knows.
    built_ms: build time in ms UTC, None where the file does not say; ranges: None if unknown.
    """

    path: Path
    format: Literal["mmdb", "csv"]
    kind: str
    gives: frozenset[str]
    versions: tuple[int, ...]
    built_ms: int | None = None
    ranges: int | None = None


class PlaceFile(Protocol):
    """An opened database file."""

    info: FileInfo
    warnings: list[str]

    def find(self, version: int, number: int) -> Place | None:
        """What the file knows of an address; None if nothing. Never raises."""


def fill(first: Place, second: Place) -> Place:
    """``first`` with its gaps filled from ``second``, never mixing two different places.

    Where they name different countries, only the network is taken from ``second``; where they
    name different networks, only the place; coordinates only where the city does not differ.
    """
    country, region, city = first.country, first.region, first.city
    lat, long, postal_code = first.lat, first.long, first.postal_code
    if country is None or second.country is None or country == second.country:
        same_city = city is None or second.city is None or city == second.city
        country = country or second.country
        region = region or second.region
        city = city or second.city
        if same_city:
            postal_code = postal_code or second.postal_code
            if lat is None or long is None:
                lat, long = second.lat, second.long
    asn, as_name = first.asn, first.as_name
    if asn is None or second.asn is None or asn == second.asn:
        asn = second.asn if asn is None else asn
        as_name = as_name or second.as_name
    return Place(
        country=country,
        region=region,
        city=city,
        lat=lat,
        long=long,
        postal_code=postal_code,
        asn=asn,
        as_name=as_name,
        network_kind=first.network_kind or second.network_kind,
    )


def kind_of_file(gives: frozenset[str] | set[str]) -> str | None:
    """What a file filling these fields is called in messages; None if it fills none."""
    if "city" in gives or "lat" in gives:
        return "city"
    if "country" in gives:
        return "country"
    if "asn" in gives or "as_name" in gives:
        return "network"
    return "network kind" if "network_kind" in gives else None


def clean_text(value: object) -> str | None:
    """A non-empty text of at most 200 characters; None for placeholders and other types."""
    if type(value) is not str:
        return None
    word = value.strip()
    return None if len(word) < 16 and word.lower() in _NO_TEXT else word[:MAX_TEXT]


def clean_country(value: object) -> str | None:
    """An ISO 3166-1 alpha-2 code in capitals; None for names and placeholders."""
    word = clean_text(value)
    if word is None or len(word) != 2 or not word.isascii() or not word.isalpha():
        return None
    return word.upper()


def clean_point(lat: object, long: object) -> tuple[float, float] | tuple[None, None]:
    """Coordinates in degrees; two Nones if out of range, not numbers, or the unset (0, 0)."""
    try:
        north, east = float(lat), float(long)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None, None
    if not (-90 <= north <= 90 and -180 <= east <= 180) or north == east == 0:
        return None, None
    return round(north, 4), round(east, 4)


def clean_asn(value: object) -> int | None:
    """An AS number from a number or "AS64500"; None for 0, which stands for "not routed"."""
    if type(value) is str:
        digits = value[2:] if value[:2] in ("AS", "as") else value
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 10):
            return None
        value = int(digits)
    return value if type(value) is int and 0 < value < 1 << 32 else None
