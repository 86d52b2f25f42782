"""Which addresses a request may go to, so that a host name cannot lead inside the network."""

import ipaddress
import socket
from collections.abc import Callable

Resolve = Callable[[str, int], list[str]]

# The clouds' metadata services, among link-local and unique local addresses.
_METADATA = frozenset({"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"})


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, in the resolver's order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def why_not(address: str) -> str | None:
    """Why no request may go to this address, or None for a public one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "not an address"
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return why_not(str(inner))
    if str(ip) in _METADATA:
        return "a cloud's metadata service"
    if ip.is_loopback:
        return "this machine itself"
    if ip.is_link_local:
        return "a link-local address"
    if ip.is_multicast or not ip.is_global:
        return "a private or reserved address"
    return None
