"""Any OCSF Authentication object as an event, whoever wrote it and in whichever 1.x version.

Shared by the source ``ocsf`` and by every field map, which writes such an object first.
"""

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from msgspec.structs import replace

from quivive.model.event import (
    OCSF_VERSION,
    Activity,
    Actor,
    AuthEvent,
    Device,
    Endpoint,
    HttpRequest,
    Metadata,
    Product,
    Service,
    Session,
    Status,
    User,
)
from quivive.model.record import RawRecord, RejectError
from quivive.sources import fields as read
from quivive.sources.ocsf_values import identity, moment, values

UNNAMED_PRODUCT = Product(name="Unknown")

STATUS_WORDS = {
    **dict.fromkeys(
        ("success", "successful", "succeeded", "ok", "pass", "passed", "accepted", "allow",
         "allowed", "granted", "true"),
        Status.SUCCESS,
    ),
    **dict.fromkeys(
        ("failure", "fail", "failed", "unsuccessful", "error", "invalid", "deny", "denied",
         "reject", "rejected", "block", "blocked", "locked", "false"),
        Status.FAILURE,
    ),
    **dict.fromkeys(
        ("other", "interrupt", "interrupted", "challenge", "challenged", "pending"),
        Status.OTHER,
    ),
}  # fmt: skip
ACTIVITY_WORDS = {
    "logon": Activity.LOGON,
    "login": Activity.LOGON,
    "logoff": Activity.LOGOFF,
    "logout": Activity.LOGOFF,
    "authentication ticket": Activity.AUTHENTICATION_TICKET,
    "service ticket": Activity.SERVICE_TICKET,
    "service ticket request": Activity.SERVICE_TICKET,
    "service ticket renew": Activity.SERVICE_TICKET_RENEW,
    "preauth": Activity.PREAUTH,
    "account switch": Activity.ACCOUNT_SWITCH,
    "other": Activity.OTHER,
}
_TIMES = ("time", "time_dt", "start_time")
_INTERNAL = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8",
         "169.254.0.0/16", "fc00::/7", "fe80::/10"),
    )
)  # fmt: skip


def event_from_ocsf(fields: dict[str, Any], record: RawRecord) -> AuthEvent:
    """The event of an Authentication object. RejectError where its time or user is unusable."""
    found = values(AuthEvent, fields)
    # OCSF before 1.0 called the actor "identity".
    actor = read.mapping(fields, "actor") or read.mapping(fields, "identity")
    found["time"] = _time(fields, record.reference_time)
    found["user"] = user = _user(fields, actor)
    found["actor"] = _actor(actor, user)
    found["activity_id"] = _activity(found.get("activity_id"), fields)
    found["status_id"] = _status(found.get("status_id"), fields)
    found["metadata"] = metadata = _metadata(fields, record)
    found["src_endpoint"] = _source(found)
    if "session" not in found:
        found["session"] = values(AuthEvent, actor).get("session")
    if "is_mfa" not in found:
        found["is_mfa"] = _is_mfa(fields, found)
    if "service" not in found and "dst_endpoint" not in found:
        found["service"] = _service(fields, metadata)
    return AuthEvent(**found)


def _time(fields: dict[str, Any], reference_time: int | None) -> int:
    written = [value for name in _TIMES if (value := fields.get(name)) not in (None, "")]
    for value in written:
        if (found := moment(value)) is not None:
            return found
    return read.timestamp(written[0] if written else None, "time", default=reference_time)


def _user(fields: dict[str, Any], actor: dict[str, Any]) -> User:
    user = identity(fields.get("user")) or identity(actor.get("user"))
    if user is None:
        given = fields.get("user")
        if given is not None and type(given) not in (dict, str):
            raise RejectError('user: not an object with a name or uid, as {"name": "ada"}')
        raise RejectError("user: neither a name nor an id")
    return user


def _actor(actor: dict[str, Any], user: User) -> Actor | None:
    """Who acted; many producers repeat the user there, which says nothing."""
    found = values(Actor, actor)
    other = found.get("user")
    if other is not None and (other.name, other.uid) == (user.name, user.uid):
        del found["user"]
    return Actor(**found) if found else None


def _activity(known: int | None, fields: dict[str, Any]) -> int:
    if known is not None:
        return known
    type_uid = read.integer(fields, "type_uid") or 0
    if type_uid // 100 == 3002 and type_uid % 100 in set(Activity):
        return type_uid % 100
    return ACTIVITY_WORDS.get((read.text(fields, "activity_name") or "").lower(), Activity.UNKNOWN)


def _status(known: int | None, fields: dict[str, Any]) -> int:
    if known:
        return known
    for name in ("status_id", "status"):
        word = read.text(fields, name)
        if word is not None and (found := STATUS_WORDS.get(word.lower())):
            return found
    return Status.UNKNOWN


def _is_mfa(fields: dict[str, Any], found: dict[str, Any]) -> bool | None:
    """``mfa`` is the name in OCSF before 1.0; else what the session or the factors say."""
    stated = read.boolean(fields, "mfa")
    if stated is not None:
        return stated
    session: Session | None = found.get("session")
    if session is not None and session.is_mfa is not None:
        return session.is_mfa
    factors = {factor.factor_type_id for factor in found.get("auth_factors", ())}
    # Of a login that did not get in they were perhaps asked for, and not shown.
    shown = found.get("status_id") != Status.FAILURE
    return True if len(factors) > 1 and shown else None


def _metadata(fields: dict[str, Any], record: RawRecord) -> Metadata:
    found = values(Metadata, fields.get("metadata"))
    found.setdefault("product", UNNAMED_PRODUCT)
    if "original_time" not in found and type(fields.get("time")) is str:
        found["original_time"] = fields["time"][:64] or None
    if "event_code" not in found and (operation := read.text(fields, "api", "operation")):
        found["event_code"] = operation
    return Metadata(**(found | {"version": OCSF_VERSION, "sequence": record.sequence}))


def _service(fields: dict[str, Any], metadata: Metadata) -> Service:
    """What was logged in to, for objects that name neither service nor destination."""
    name = read.text(fields, "api", "service", "name") or read.text(fields, "app", "name")
    return Service(name=name or metadata.product.name)


def _source(found: dict[str, Any]) -> Endpoint | None:
    """The client's end of the login.

    A public ``src_endpoint.ip`` is believed: its producer chose it, while a forwarded header is
    whatever the client sent. Where it is absent or a load balancer's private address, the first
    public forwarded address is the client, and the balancer one of its proxies.
    """
    endpoint: Endpoint = found.get("src_endpoint") or Endpoint()
    if endpoint.ip is not None and not _is_internal(endpoint.ip):
        return endpoint
    request: HttpRequest | None = found.get("http_request")
    chain = request.x_forwarded_for if request is not None else None
    if chain is None and endpoint.ip is None:
        chain = endpoint.intermediate_ips
    if chain is None:
        return _device_address(endpoint, found) if endpoint.ip is None else endpoint
    client = next((ip for ip in chain if not _is_internal(ip)), endpoint.ip or chain[0])
    if client == endpoint.ip:
        return endpoint
    proxies = list(chain[chain.index(client) + 1 :])
    if endpoint.ip is not None and endpoint.ip not in proxies:
        proxies.append(endpoint.ip)
    if endpoint.ip is not None:
        endpoint = replace(endpoint, port=None, hostname=None)  # the balancer's
    return replace(endpoint, ip=client, intermediate_ips=tuple(proxies) or None)


def _device_address(endpoint: Endpoint, found: dict[str, Any]) -> Endpoint | None:
    """Some producers describe the client as ``device`` alone; in others that is the host."""
    device: Device | None = found.get("device")
    target: Endpoint | None = found.get("dst_endpoint")
    if device is not None and device.ip is not None:
        if target is None or target.ip != device.ip:
            return replace(endpoint, ip=device.ip)
    return found.get("src_endpoint")


@lru_cache(maxsize=65536)
def _is_internal(address: str) -> bool:
    found = ip_address(address)
    return any(found in network for network in _INTERNAL)
