"""Where an Entra ID sign-in came from: address, place, network and device."""

from typing import Any

from quivive.model.event import AutonomousSystem, Device, Endpoint, Location
from quivive.sources._microsoft import (
    client,
    device,
    embedded,
    embedded_items,
)
from quivive.sources.fields import address, boolean, country, number, remembered, text, whole

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
_NO_POINT: dict[str, Any] = {}


def source_of(row: dict[str, Any]) -> Endpoint | None:
    """Where the sign-in came from; its own address goes before the envelope's."""
    found = (
        client(row.get("ipAddress"))
        or client(row.get("callerIpAddress"))
        or client(row.get("ipAddressFromResourceProvider"))
    )
    if found is None:
        return None
    return _endpoint(
        found.ip,
        found.port,
        row.get("globalSecureAccessIpAddress"),
        _location(row),
        row.get("autonomousSystemNumber"),
    )


@remembered(65536)
def _endpoint(
    ip: str | None, port: int | None, secure_access: Any, location: Location | None, system: Any
) -> Endpoint:
    proxy, asn = address(secure_access), whole(system)
    return Endpoint(
        ip=ip,
        port=port,
        # Global Secure Access restores the client's address and keeps its own beside it.
        intermediate_ips=(proxy,) if proxy and proxy != ip else None,
        location=location,
        autonomous_system=AutonomousSystem(number=asn) if asn and 0 < asn < 1 << 32 else None,
    )


def _location(row: dict[str, Any]) -> Location | None:
    value = embedded(row.get("locationDetails") or row.get("location"))
    if type(value) is str:
        return _place(None, None, value, None, None)
    if type(value) is not dict:
        return None
    point = value.get("geoCoordinates")
    if type(point) is not dict:
        point = _NO_POINT
    return _place(
        value.get("city"),
        value.get("state"),
        value.get("countryOrRegion"),
        point.get("latitude"),
        point.get("longitude"),
    )


@remembered(16384)
def _place(city: Any, region: Any, stated: Any, latitude: Any, longitude: Any) -> Location | None:
    city, region, code = text(city), text(region), country(stated)
    lat, long = number(latitude), number(longitude)
    if lat is None or long is None or (lat == 0 and long == 0):
        lat = long = None
    found = Location(city=city, region=region, country=code, lat=lat, long=long)
    return None if found == _NOWHERE else found


def device_of(details: dict[str, Any], source: Endpoint | None) -> Device | None:
    """The device of ``deviceDetail``, trusted when it is joined to the directory."""
    return _device(
        details.get("deviceId"),
        details.get("displayName"),
        details.get("operatingSystem"),
        source.ip if source else None,
        details.get("isManaged"),
        details.get("isCompliant"),
        details.get("trustType"),
    )


@remembered(16384)
def _device(
    uid: Any, name: Any, system: Any, ip: str | None, managed: Any, compliant: Any, joined: Any
) -> Device | None:
    trust = text(joined)
    return device(
        text(uid),
        text(name),
        text(system),
        ip,
        boolean(managed),
        boolean(compliant),
        True if trust and trust.lower() in _JOINED else None,
    )


def network_kind_of(row: dict[str, Any]) -> str | None:
    """Whether the address is on the tenant's list of trusted networks."""
    if not row.get("networkLocationDetails"):
        return None
    for network in embedded_items(row, "networkLocationDetails"):
        if text(network, "networkType") in _CORPORATE_NETWORKS:
            return "corporate"
    return None
