"""One CSV file of address ranges: country, city or autonomous system, as ip-location-db writes it.

Rows are ``start,end,number,organisation`` (ASN), ``start,end,country`` (country),
``start,end,country,state1,state2,city,postcode,latitude,longitude,timezone`` (city) or db-ip.com's
``start,end,continent,country,region,city,latitude,longitude``. Addresses are text or integers.
"""

import csv
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from quivive.enrich.place import (
    NOWHERE,
    FileInfo,
    Place,
    PlaceDatabaseError,
    clean_asn,
    clean_country,
    clean_point,
    clean_text,
    kind_of_file,
)
from quivive.enrich.private import parse_address
from quivive.enrich.ranges import Ranges

_WHAT = (
    "give start,end,number,organisation (networks), start,end,country, or "
    "start,end,country,state1,state2,city,postcode,latitude,longitude,timezone"
)


class CsvFile:
    """A CSV file of ranges, held in memory as sorted arrays."""

    def __init__(self, path: Path) -> None:
        """Reads the file. Raises PlaceDatabaseError."""
        self.path = path
        self.warnings: list[str] = []
        self._ranges = Ranges()
        self._places: list[Place] = []
        try:
            with _open(path) as stream:
                self._load(stream)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise PlaceDatabaseError(
                f"{path}: truncated or damaged gzip; download it again"
            ) from None
        except UnicodeDecodeError:
            raise PlaceDatabaseError(f"{path}: no CSV text; {_WHAT}") from None
        except OSError as error:
            raise PlaceDatabaseError(f"{path}: {error.strerror}; check the path") from None
        self._ranges.close()
        gives = {
            field
            for field in Place.__struct_fields__
            if any(getattr(place, field) is not None for place in self._places)
        }
        kind = kind_of_file(gives)
        if kind is None:
            raise PlaceDatabaseError(f"{path}: holds no range with a place or network; {_WHAT}")
        self.info = FileInfo(
            path=path,
            format="csv",
            kind=kind,
            gives=frozenset(gives),
            versions=tuple(v for v in (4, 6) if self._ranges.count(v)),
            ranges=len(self._ranges),
        )

    def find(self, version: int, number: int) -> Place | None:
        """What the file knows of an address; None if nothing. Never raises."""
        at = self._ranges.find(version, number)
        return None if at is None else self._places[at]

    def _load(self, stream: IO[str]) -> None:
        """Reads every row; rows that tell the same share one Place."""
        add = self._ranges.add
        seen: dict[tuple[str, ...], int] = {}
        shape: Callable[[list[str]], Place | None] | None = None
        width = 0
        rows = csv.reader(stream)
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                raise self._wrong(rows.line_num, str(error)) from None
            if row is None:
                return
            if not row:
                continue
            if shape is None:
                if width == 0 and rows.line_num == 1 and _bounds(row) is None:
                    continue  # a header
                width = len(row)
                shape = _shape(row)
                if shape is None:
                    raise PlaceDatabaseError(f"{self.path}: an unknown kind of CSV; {_WHAT}")
            bounds = _bounds(row)
            if bounds is None or len(row) != width:
                raise self._wrong(rows.line_num, "no such row; truncated or damaged")
            tail = tuple(row[2:])
            at = seen.get(tail)
            if at is None:
                place = shape(row)
                if place is None:
                    raise self._wrong(rows.line_num, "values that do not fit their columns")
                at = seen[tail] = len(self._places)
                self._places.append(place)
            add(bounds[0], bounds[1], bounds[2], at)

    def _wrong(self, line: int, what: str) -> PlaceDatabaseError:
        return PlaceDatabaseError(f"{self.path}:{line}: {what}; download the file again")


def _open(path: Path) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _bounds(row: list[str]) -> tuple[int, int, int] | None:
    """Version, first and last address of a row; None if they are no range."""
    if len(row) < 3:
        return None
    start, end = row[0], row[1]
    if start.isdecimal() and end.isdecimal() and start.isascii() and end.isascii():
        if len(start) > 39 or len(end) > 39:
            return None
        first, last = int(start), int(end)
        version = 6 if last >> 32 else 4
        return (version, first, last) if first <= last < 1 << 128 else None
    low, high = parse_address(start), parse_address(end)
    if low is None or high is None or low[0] != high[0] or low[1] > high[1]:
        return None
    return low[0], low[1], high[1]


def _shape(row: list[str]) -> Callable[[list[str]], Place | None] | None:
    """How rows like this first one are read; None for an unknown layout."""
    if len(row) == 3:
        return _country if clean_country(row[2]) or not row[2] else None
    if len(row) == 4:
        return _network if row[2].isdecimal() or clean_asn(row[2]) else None
    if len(row) == 8:
        return _db_ip_city if len(row[2]) == 2 and len(row[3]) == 2 else None
    if len(row) == 10:
        return _city if len(row[2]) in (0, 2) else None
    return None


def _country(row: list[str]) -> Place | None:
    return Place(country=clean_country(row[2]))


def _network(row: list[str]) -> Place | None:
    if clean_asn(row[2]) is None and row[2] not in ("", "0"):
        return None
    return Place(asn=clean_asn(row[2]), as_name=clean_text(row[3]))


def _city(row: list[str]) -> Place | None:
    _, _, country, region, _, city, postcode, lat, long, _ = row
    return _point(country, region, city, postcode, lat, long)


def _db_ip_city(row: list[str]) -> Place | None:
    _, _, _, country, region, city, lat, long = row
    return _point(country, region, city, "", lat, long)


def _point(
    country: str, region: str, city: str, postcode: str, lat: str, long: str
) -> Place | None:
    if len(country) > 2:
        return None
    if clean_country(country) is None:
        return NOWHERE
    north, east = clean_point(lat, long)
    return Place(
        country=clean_country(country),
        region=clean_text(region),
        city=clean_text(city),
        lat=north,
        long=east,
        postal_code=clean_text(postcode),
    )
