"""Where an Entra ID sign-in came from: address, place, network and device."""

from typing import Any

from quivive.model.event import AutonomousSystem, Device, Endpoint, Location
from quivive.sources._microsoft import (
    client,
    device,
    embedded,
    embedded_items,
    field,
)
from quivive.sources.fields import address, boolean, country, integer, number, text

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
        client(row.get("ipaddress"))
        or client(row.get("calleripaddress"))
        or client(row.get("ipaddressfromresourceprovider"))
    )
    if found is None:
        return None
    asn = integer(row, "autonomoussystemnumber")
    proxy = address(row.get("globalsecureaccessipaddress"))
    return Endpoint(
        ip=found.ip,
        port=found.port,
        # Global Secure Access restores the client's address and keeps its own beside it.
        intermediate_ips=(proxy,) if proxy and proxy != found.ip else None,
        location=_location(row),
        autonomous_system=AutonomousSystem(number=asn) if asn and 0 < asn < 1 << 32 else None,
    )


def _location(row: dict[str, Any]) -> Location | None:
    value = embedded(row.get("locationdetails") or row.get("location"))
    if type(value) is str:
        code = country(value)
        return Location(country=code) if code else None
    place = value if type(value) is dict else {}
    lat = number(place, "geoCoordinates", "latitude")
    long = number(place, "geoCoordinates", "longitude")
    unlocated = lat is None or long is None or (lat == 0 and long == 0)
    found = Location(
        city=field(place, "city"),
        region=field(place, "state"),
        country=country(place.get("countryOrRegion")),
        lat=None if unlocated else lat,
        long=None if unlocated else long,
    )
    return None if found == _NOWHERE else found


def device_of(details: dict[str, Any], source: Endpoint | None) -> Device | None:
    """The device of ``deviceDetail``, trusted when it is joined to the directory."""
    trust = field(details, "trustType")
    return device(
        uid=field(details, "deviceId"),
        name=field(details, "displayName"),
        os_text=field(details, "operatingSystem"),
        ip=source.ip if source else None,
        is_managed=boolean(details, "isManaged"),
        is_compliant=boolean(details, "isCompliant"),
        is_trusted=True if trust and trust.lower() in _JOINED else None,
    )


def network_kind_of(row: dict[str, Any]) -> str | None:
    """Whether the address is on the tenant's list of trusted networks."""
    for network in embedded_items(row, "networklocationdetails"):
        if text(network, "networkType") in _CORPORATE_NETWORKS:
            return "corporate"
    return None
