"""What an address alone tells: its number, its scope and the network it stands for."""

from functools import lru_cache
from ipaddress import ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Literal

Scope = Literal[
    "public",
    "private",
    "shared",
    "loopback",
    "link-local",
    "multicast",
    "reserved",
    "unspecified",
    "invalid",
]

V4_MAPPED = 0xFFFF

# First match wins. The documentation ranges (RFC 5737, RFC 3849) are left out on purpose: they
# are ordinary addresses here that no database happens to know.
_SCOPES: tuple[tuple[str, Scope], ...] = (
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "private"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "private"),
    ("ff00::/8", "multicast"),
)


def _rows(version: int) -> tuple[tuple[int, int, Scope], ...]:
    nets = ((ip_network(text), scope) for text, scope in _SCOPES)
    return tuple(
        (int(net.network_address), int(net.broadcast_address), scope)
        for net, scope in nets
        if net.version == version
    )


_SCOPE_ROWS = {4: _rows(4), 6: _rows(6)}


def parse_address(ip: str) -> tuple[int, int] | None:
    """``(version, number)`` of an address, an IPv4-mapped one as IPv4; None for anything else."""
    try:
        if ":" not in ip:
            return 4, int.from_bytes(inet_pton(AF_INET, ip), "big")
        number = int.from_bytes(inet_pton(AF_INET6, ip), "big")
    except (OSError, ValueError):
        return None
    if number >> 32 == V4_MAPPED:
        return 4, number & 0xFFFFFFFF
    return 6, number


def address_text(version: int, number: int) -> str:
    """The canonical text of an address given as number."""
    if version == 4:
        return inet_ntop(AF_INET, number.to_bytes(4, "big"))
    return inet_ntop(AF_INET6, number.to_bytes(16, "big"))


@lru_cache(maxsize=65536)
def address_scope(ip: str) -> Scope:
    """Where an address is valid. Only "public" ones can have a place.

    "private" is RFC 1918, RFC 4193, site-local and the benchmark range, "shared" is carrier-grade
    NAT (RFC 6598); documentation addresses are "public"; text that is no address is "invalid".
    """
    parsed = parse_address(ip)
    if parsed is None:
        return "invalid"
    version, number = parsed
    for first, last, scope in _SCOPE_ROWS[version]:
        if first <= number <= last:
            return scope
    return "public"


@lru_cache(maxsize=65536)
def network_of(ip: str) -> str | None:
    """The network an address stands for: its /24 ("192.0.2.0/24") or, for IPv6, its /48.

    None for text that is no address.
    """
    parsed = parse_address(ip)
    if parsed is None:
        return None
    version, number = parsed
    if version == 4:
        return address_text(4, number & 0xFFFFFF00) + "/24"
    return address_text(6, number >> 80 << 80) + "/48"
