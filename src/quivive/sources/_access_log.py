"""What access logs of proxies share: requests, outcomes, clients behind proxies, certificates."""

import re
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

import msgspec

from quivive.model.event import (
    AuthFactor,
    Endpoint,
    FactorType,
    HttpRequest,
    Service,
    Status,
    UserType,
)
from quivive.sources.fields import MAX_TEXT, address, port

CERTIFICATE = (AuthFactor(factor_type_id=FactorType.OTHER, factor_type="client certificate"),)
TLS = ("TLS client certificate", 99)
SPIFFE = "spiffe://"

_MOST_TARGET = 1024
_MOST_SEGMENTS = 4
_MOST_PROXIES = 50
_METHOD = re.compile(r"[A-Z]{3,16}")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)
_UUID = r"\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?"
_NUMBER = re.compile(rf"[\d.,:_-]*\d[\d.,:_-]*|{_UUID}|(?=[a-f]*\d)[0-9a-f]{{8,}}", re.IGNORECASE)
_STATIC = re.compile(r"\.(css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf)$", re.I)
_LONGEST = 40
_RANDOM = 20  # characters of a segment with digits in it that is taken for an id
_WORD = r"(?:[A-Za-z_]{1,48}|[A-Za-z_]\w{0,15})"  # long ones have no digits, unlike secrets
_DOTTED = re.compile(rf"{_WORD}(?:\.{_WORD})+")  # a gRPC service, a file
_INTERNAL = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
            *("127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128"),
        ),
    )
)
_SUBJECT = re.compile(r"(?:^|[,+]\s*|/)([A-Za-z]+)\s*=\s*((?:\\.|[^,+\\])*)")
_LEGACY_SUBJECT = re.compile(r"/([A-Za-z]+)=((?:\\.|[^/\\])*)")
_WRAPPERS = ("log", "message")


def wrapped(fields: dict[str, Any]) -> str | None:
    """The line that a log shipper carries as text; None where a schema (ECS) has taken it apart."""
    for key in _WRAPPERS:
        value = fields.get(key)
        if type(value) is str and value[:1] and "ecs" not in fields and "event" not in fields:
            return value.strip()
    return None


def decoded(line: str) -> dict[str, Any] | None:
    """The object of a JSON text, if it is one."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value if type(value) is dict else None


def outcome(code: int | None, proven: bool) -> tuple[Status, bool | None]:
    """Status and ``credential_accepted`` of an HTTP answer; 0 is none.

    ``proven``: whoever answered knew by then that the credential was right. Without that, an
    error other than 401 and 403 says nothing of the login, neither for nor against it.
    """
    if code is not None and 100 <= code < 400:
        return Status.SUCCESS, None
    if code in (401, 407):
        return Status.FAILURE, None
    if code == 403:
        return Status.FAILURE, proven or None
    if code is None or code < 100 or not proven:
        return Status.OTHER, proven or None
    return Status.FAILURE, True


def operation_of(method: str | None, target: str | None) -> str | None:
    """What was asked for, alike for all objects of a kind: "GET /v1/orders/{id}".

    The query is left out, and whatever in the path looks like an id or a secret; a path goes four
    segments deep.
    """
    if method is None:
        return None
    if not _METHOD.fullmatch(method):
        return "HTTP"
    path = (target or "")[:_MOST_TARGET].partition("?")[0].partition("#")[0]
    return _operation(method, path)


@lru_cache(maxsize=16384)
def _operation(method: str, path: str) -> str:
    if "://" in path[:32]:
        path = _ORIGIN.sub("", path, count=1) or "/"
    if not path.startswith("/"):
        return method
    segments = [segment.partition(";")[0] for segment in path.split("/") if segment]
    shown = [_segment(segment) for segment in segments[:_MOST_SEGMENTS]]
    if len(segments) > _MOST_SEGMENTS:
        shown.append("*")
    return f"{method} /{'/'.join(shown)}"


def _segment(segment: str) -> str:
    if found := _STATIC.search(segment):
        return f"*{found[0].lower()}"
    if _DOTTED.fullmatch(segment):
        return segment
    if _NUMBER.fullmatch(segment) or len(segment) > _LONGEST or "@" in segment or "%" in segment:
        return "{id}"
    if len(segment) >= _RANDOM and any(map(str.isdigit, segment)):
        return "{id}"
    return segment


def client_of(remote: str | None, forwarded: str | None) -> Endpoint | None:
    """The client, by the address that a proxy saw and the chain that it was told.

    A public address that the proxy saw is the client's. An internal one is another proxy's: then
    the client is the nearest public one of the chain, which its own proxies wrote; what stands
    before it anybody could have written.
    """
    ip = address(remote)
    chain = _chain(forwarded) if forwarded else ()
    if not chain or (ip is not None and not _internal(ip)):
        if ip is None:
            return None
        return Endpoint(ip=ip, port=_port(remote))
    at = next((at for at in reversed(range(len(chain))) if not _internal(chain[at])), 0)
    proxies = chain[at + 1 :]
    if ip is not None and ip not in chain:
        proxies += (ip,)
    return Endpoint(
        ip=chain[at],
        port=_port(remote) if chain[at] == ip else None,
        intermediate_ips=tuple(proxy for proxy in proxies if proxy != chain[at]) or None,
    )


@lru_cache(maxsize=16384)
def _chain(forwarded: str) -> tuple[str, ...]:
    written = forwarded[:MAX_TEXT].split(",")[-_MOST_PROXIES:]
    return tuple(ip for ip in map(address, map(str.strip, written)) if ip)


@lru_cache(maxsize=65536)
def _internal(ip: str) -> bool:
    parsed = ip_address(ip)
    return any(parsed in network for network in _INTERNAL if network.version == parsed.version)


def _port(remote: str | None) -> int | None:
    """The port of "192.0.2.1:443" and "[2001:db8::1]:443"."""
    host, colon, number = (remote or "").rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        return None
    return port(number)


@lru_cache(maxsize=4096)
def service_of(authority: str | None, fallback: str) -> Service:
    """The host that was asked, without its port."""
    if authority is None:
        return Service(name=fallback)
    host, colon, number = authority.rpartition(":")
    bare = host if colon and number.isdecimal() and not host.endswith(":") else authority
    return Service(name=bare.lower()[:255])


@lru_cache(maxsize=16384)
def request_of(agent: str | None) -> HttpRequest | None:
    """What the client says it is."""
    return HttpRequest(user_agent=agent) if agent else None


@lru_cache(maxsize=4096)
def names_of(subject: str) -> dict[str, str]:
    """The attributes of a distinguished name, "CN=a,O=b" or "/O=b/CN=a"; the first of each."""
    pattern = _LEGACY_SUBJECT if subject.startswith("/") else _SUBJECT
    found: dict[str, str] = {}
    for key, value in pattern.findall(subject):
        found.setdefault(key.lower(), re.sub(r"\\(.)", r"\1", value).strip())
    return found


def machine_of(name: str) -> UserType | None:
    """SERVICE for a workload's SPIFFE id or a Kubernetes service account."""
    workload = name.startswith((SPIFFE, "system:serviceaccount:"))
    return UserType.SERVICE if workload else None
