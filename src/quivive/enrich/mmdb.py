"""One .mmdb file, in MaxMind's nested schema or a flat one (DB-IP, ip-location-db, IPinfo)."""

from itertools import islice
from pathlib import Path
from typing import Any

import maxminddb

from quivive.enrich.place import (
    FileInfo,
    Place,
    PlaceDatabaseError,
    clean_asn,
    clean_country,
    clean_point,
    clean_text,
    kind_of_file,
)
from quivive.enrich.private import address_text, parse_address

PROBES = ("8.8.8.8", "1.1.1.1", "81.2.69.142", "2001:4860:4860::8888", "2a00:1450:4001::1")
SAMPLE = 500  # networks read on opening, to learn which fields the file fills
VAGUE_KM = 300  # MaxMind's accuracy radius from which a point is a country's middle, not a place

_USER_TYPES = {
    "business": "corporate",
    "cellular": "mobile",
    "college": "corporate",
    "consumer_privacy_network": "vpn",
    "content_delivery_network": "hosting",
    "government": "corporate",
    "hosting": "hosting",
    "library": "corporate",
    "military": "corporate",
    "residential": "residential",
    "school": "corporate",
}
_FLAGS = (
    ("is_tor_exit_node", "tor"),
    ("is_anonymous_vpn", "vpn"),
    ("is_public_proxy", "proxy"),
    ("is_residential_proxy", "proxy"),
    ("is_hosting_provider", "hosting"),
    ("is_anonymous", "proxy"),
)


class MmdbFile:
    """An opened .mmdb file; ``warnings`` grows when a lookup meets damaged data."""

    def __init__(self, path: Path) -> None:
        """Opens and probes the file. Raises PlaceDatabaseError."""
        self.warnings: list[str] = []
        try:
            try:
                self._reader = maxminddb.open_database(path, maxminddb.MODE_MMAP_EXT)
            except ValueError:
                self._reader = maxminddb.open_database(path, maxminddb.MODE_MMAP)
                self.warnings.append(
                    f"{path}: read by slow pure Python, because maxminddb's C extension "
                    "is not installed; reinstall it: pip install --force-reinstall maxminddb"
                )
            meta = self._reader.metadata()
            self._has_v6 = meta.ip_version == 6
            gives, versions = self._probe()
        except maxminddb.InvalidDatabaseError:
            raise PlaceDatabaseError(
                f"{path}: no MaxMind DB, or a truncated or damaged one; download it again"
            ) from None
        except OSError as error:
            raise PlaceDatabaseError(f"{path}: {error.strerror}; check the path") from None
        kind = kind_of_file(gives)
        if kind is None:
            raise PlaceDatabaseError(
                f"{path}: a {clean_text(meta.database_type) or 'nameless'} database that holds no "
                "country, city or network; give a City, Country or ASN database"
            )
        self.path = path
        self.info = FileInfo(
            path=path,
            format="mmdb",
            kind=kind,
            gives=frozenset(gives),
            versions=versions,
            built_ms=meta.build_epoch * 1000 if meta.build_epoch > 0 else None,
        )

    def find(self, version: int, number: int) -> Place | None:
        """What the file knows of an address; None if nothing. Never raises."""
        if version == 6 and not self._has_v6:
            return None
        try:
            record = self._reader.get(address_text(version, number))
        except (maxminddb.InvalidDatabaseError, UnicodeDecodeError):
            if len(self.warnings) < 2:
                self.warnings.append(f"{self.path}: damaged inside; download it again")
            return None
        return read_record(record) if type(record) is dict else None

    def _probe(self) -> tuple[set[str], tuple[int, ...]]:
        """The fields seen in a sample of the records, and the IP versions that have any."""
        gives: set[str] = set()
        versions: set[int] = set()
        for text in PROBES:
            parsed = parse_address(text)
            if parsed is None or (parsed[0] == 6 and not self._has_v6):
                continue
            record = self._reader.get(text)
            if type(record) is dict:
                versions.add(parsed[0])
                gives |= _filled(read_record(record))
        for network, record in islice(self._reader, SAMPLE):
            if type(record) is dict:
                in_v4 = network.version == 4 or int(network.network_address) >> 32 == 0
                versions.add(4 if in_v4 else 6)
                gives |= _filled(read_record(record))
        return gives, tuple(sorted(versions))


def read_record(record: dict[str, Any]) -> Place:
    """A record's fields in our words, whichever schema it is in."""
    location, traits = record.get("location"), record.get("traits")
    nested = type(location) is dict or type(traits) is dict
    if not nested:
        country = record.get("country") or record.get("registered_country")
        nested = type(country) is dict or type(record.get("city")) is dict
    return _nested(record) if nested else _flat(record)


def _nested(record: dict[str, Any]) -> Place:
    location = _map(record.get("location"))
    traits = _map(record.get("traits"))
    lat = long = None
    radius = location.get("accuracy_radius")
    if type(radius) is not int or radius < VAGUE_KM:
        lat, long = clean_point(location.get("latitude"), location.get("longitude"))
    regions = record.get("subdivisions")
    region = _map(regions[0]) if type(regions) is list and regions else {}
    country = _map(record.get("country")) or _map(record.get("registered_country"))
    return Place(
        country=clean_country(country.get("iso_code")),
        region=_name(region) or clean_text(region.get("iso_code")),
        city=_name(_map(record.get("city"))),
        lat=lat,
        long=long,
        postal_code=clean_text(_map(record.get("postal")).get("code")),
        asn=clean_asn(traits.get("autonomous_system_number")),
        as_name=clean_text(traits.get("autonomous_system_organization")),
        network_kind=_network_kind(traits),
    )


def _flat(record: dict[str, Any]) -> Place:
    get = record.get
    lat, long = clean_point(
        get("latitude", get("lat")), get("longitude", get("lng", get("lon", get("long"))))
    )
    return Place(
        country=clean_country(get("country_code")) or clean_country(get("country")),
        region=clean_text(get("state1") or get("region") or get("region_name")),
        city=clean_text(get("city")),
        lat=lat,
        long=long,
        postal_code=clean_text(get("postcode") or get("postal_code")),
        asn=clean_asn(get("autonomous_system_number") or get("asn")),
        as_name=clean_text(get("autonomous_system_organization") or get("as_name") or get("isp")),
        network_kind=_network_kind(record),
    )


def _network_kind(traits: dict[str, Any]) -> str | None:
    for flag, kind in _FLAGS:
        if traits.get(flag) is True:
            return kind
    user_type = traits.get("user_type")
    if type(user_type) is str:
        return _USER_TYPES.get(user_type)
    connection = traits.get("connection_type")
    return "mobile" if connection == "Cellular" else None


def _map(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _name(entry: dict[str, Any]) -> str | None:
    names = _map(entry.get("names"))
    return clean_text(names.get("en") or next(iter(names.values()), None))


def _filled(place: Place) -> set[str]:
    return {field for field in place.__struct_fields__ if getattr(place, field) is not None}
