"""Where an Entra ID sign-in came from: address, place, network and device."""

from functools import lru_cache
from typing import Any

from quivive.model.event import AutonomousSystem, Device, Endpoint, Location
from quivive.sources._microsoft import (
    client,
    device,
    embedded,
    embedded_items,
)
from quivive.sources.fields import address, boolean, country, field, number, text, whole

_JOINED = frozenset(
    {
        "azure ad joined",
        "hybrid azure ad joined",
        "microsoft entra joined",
        "microsoft entra hybrid joined",
    }
)
_CORPORATE_NETWORKS = frozenset({"trustedNamedLocation", "intranet"})
_NOWHERE = Location()


def source_of(row: dict[str, Any]) -> Endpoint | None:
    """Where the sign-in came from; its own address goes before the envelope's."""
    found = (
        client(row.get("ipAddress"))
        or client(row.get("callerIpAddress"))
        or client(row.get("ipAddressFromResourceProvider"))
    )
    if found is None:
        return None
    proxy = address(row.get("globalSecureAccessIpAddress"))
    return Endpoint(
        ip=found.ip,
        port=found.port,
        # Global Secure Access restores the client's address and keeps its own beside it.
        intermediate_ips=(proxy,) if proxy and proxy != found.ip else None,
        location=_location(row),
        autonomous_system=_system(whole(row.get("autonomousSystemNumber"))),
    )


@lru_cache(maxsize=4096)
def _system(asn: int | None) -> AutonomousSystem | None:
    return AutonomousSystem(number=asn) if asn and 0 < asn < 1 << 32 else None


def _location(row: dict[str, Any]) -> Location | None:
    value = embedded(row.get("locationDetails") or row.get("location"))
    if type(value) is str:
        return _place(None, None, country(value), None, None)
    if type(value) is not dict:
        return None
    point = value.get("geoCoordinates")
    return _place(
        field(value, "city"),
        field(value, "state"),
        country(value.get("countryOrRegion")),
        number(point, "latitude"),
        number(point, "longitude"),
    )


@lru_cache(maxsize=16384)
def _place(
    city: str | None, region: str | None, code: str | None, lat: float | None, long: float | None
) -> Location | None:
    if lat is None or long is None or (lat == 0 and long == 0):
        lat = long = None
    found = Location(city=city, region=region, country=code, lat=lat, long=long)
    return None if found == _NOWHERE else found


def device_of(details: dict[str, Any], source: Endpoint | None) -> Device | None:
    """The device of ``deviceDetail``, trusted when it is joined to the directory."""
    trust = field(details, "trustType")
    return device(
        field(details, "deviceId"),
        field(details, "displayName"),
        field(details, "operatingSystem"),
        source.ip if source else None,
        boolean(details, "isManaged"),
        boolean(details, "isCompliant"),
        True if trust and trust.lower() in _JOINED else None,
    )


def network_kind_of(row: dict[str, Any]) -> str | None:
    """Whether the address is on the tenant's list of trusted networks."""
    for network in embedded_items(row, "networkLocationDetails"):
        if text(network, "networkType") in _CORPORATE_NETWORKS:
            return "corporate"
    return None
