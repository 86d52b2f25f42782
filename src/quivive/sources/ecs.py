"""Elastic Common Schema: authentication documents of any product, as Elasticsearch keeps them."""

from functools import lru_cache
from typing import Any

from quivive.model.event import (
    Activity,
    AuthEvent,
    AutonomousSystem,
    Device,
    DeviceType,
    Endpoint,
    Group,
    HttpRequest,
    Location,
    Product,
    Service,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._ecs_fields import (
    address,
    document_of,
    get,
    has_dots,
    nested,
    one,
    point,
    text,
    words,
)
from quivive.sources.countries import country_code
from quivive.sources.source import Source

_STATUS = {"success": Status.SUCCESS, "failure": Status.FAILURE, "unknown": Status.UNKNOWN}
_KINDS = frozenset(
    {"alert", "asset", "enrichment", "event", "metric", "pipeline_error", "signal", "state"}
)
# A signal is a copy of the events a detection rule matched; the other kinds record no action.
_NO_EVENT = frozenset({"alert", "asset", "metric", "pipeline_error", "signal", "state"})
_CATEGORIES = frozenset(
    {
        *("api", "authentication", "configuration", "database", "driver", "email", "file", "host"),
        *("iam", "intrusion_detection", "library", "malware", "network", "package", "process"),
        *("registry", "session", "threat", "vulnerability", "web"),
    }
)
_LOGIN_TYPES = frozenset({"start", "end", "info", "allowed", "denied"})
_LOGOFF_ACTIONS = frozenset(
    {"logout", "logoff", "log_out", "log-out", "logged-out", "logged_out", "user_logout", "signout"}
)
_LAST_ASN = 2**32 - 1


def recognise(record: RawRecord) -> bool:
    """A time and either the schema's version or its categorisation; Winlogbeat's is not ours."""
    document = document_of(record)
    if "@timestamp" not in document or "winlog" in document:
        return False
    if any(key.startswith("winlog.") for key in document):
        return False
    if get(document, "ecs", "version") is not None:
        return True
    kind = one(get(document, "event", "kind"))
    if type(kind) is str and kind in _KINDS:
        return True
    return not _CATEGORIES.isdisjoint(words(get(document, "event", "category")))


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The event of one document of the category authentication or session."""
    document = document_of(record)
    if has_dots(document):
        document = nested(document)
    event = fields.mapping(document, "event")
    if text(event, "kind") in _NO_EVENT:
        return Skip("no event: an alert, metric or state")
    categories = words(event.get("category"))
    types = words(event.get("type"))
    if "authentication" not in categories and (
        "session" not in categories or not {"start", "end"}.intersection(types)
    ):
        return Skip("not of the category authentication")
    if "iam" in categories and types and _LOGIN_TYPES.isdisjoint(types):
        return Skip("account management")
    timestamp = one(document.get("@timestamp"))
    time = fields.timestamp(timestamp, "@timestamp", default=record.reference_time)
    action = text(event, "action")
    ended = "end" in types or (action or "").lower() in _LOGOFF_ACTIONS
    error = fields.mapping(document, "error")
    outcome = text(event, "outcome")
    effective = fields.mapping(document, "user", "effective")
    service, target = _target(document, event)
    return AuthEvent(
        time=time,
        activity_id=Activity.LOGOFF if ended else Activity.LOGON,
        status_id=_status(outcome, types),
        status=outcome,
        status_code=text(error, "code"),
        status_detail=text(event, "reason") or text(error, "message"),
        user=_user(document),
        service=service,
        dst_endpoint=target,
        src_endpoint=_source_endpoint(document),
        device=_device(document),
        http_request=_request(document),
        metadata=fields.metadata(
            record,
            _product(*_maker(document, event)),
            uid=text(event, "id") or fields.text(record.fields, "_id"),
            log_name=text(event, "dataset")
            or fields.text(document, "data_stream", "dataset")
            or text(event, "module")
            or "ECS",
            original_time=timestamp,
            event_code=action or text(event, "code"),
            correlation_uid=fields.text(document, "trace", "id")
            or fields.text(document, "transaction", "id"),
            tenant_uid=fields.text(document, "organization", "id"),
            logged_time=_ingested(event),
        ),
        unmapped=_unmapped(document, text(effective, "name")),
    )


def _ingested(event: dict[str, Any]) -> int | None:
    """When the record came into the store it was exported from; None where that is no time."""
    written = text(event, "ingested")
    try:
        return None if written is None else fields.timestamp(written, "event.ingested")
    except RejectError:
        return None


def _status(outcome: str | None, types: list[str]) -> Status:
    if outcome is not None:
        return _STATUS.get(outcome.lower(), Status.UNKNOWN)
    if "denied" in types:
        return Status.FAILURE
    return Status.SUCCESS if "allowed" in types else Status.UNKNOWN


def _user(document: dict[str, Any]) -> User:
    """Who logs in: ``user``, or where that is empty one of the places ECS nests a user in."""
    user = fields.mapping(document, "user")
    places = (
        user,
        fields.mapping(document, "client", "user"),
        fields.mapping(document, "source", "user"),
        fields.mapping(user, "effective"),
        fields.mapping(user, "target"),
    )
    for place in places:
        if place and (found := _identity(place)):
            return found
    related = fields.items(document, "related", "user")
    name = fields.clean(related[0]) if len(related) == 1 else None
    if name is None:
        raise RejectError("user: no name, id or e-mail address")
    return User(name=name, email_addr=fields.email(name))


def _identity(user: dict[str, Any]) -> User | None:
    mail = text(user, "email")
    name = text(user, "name") or mail
    uid = text(user, "id")
    if name is None and uid is None:
        return None
    group = fields.mapping(user, "group")
    group_name, group_id = text(group, "name"), text(group, "id")
    return User(
        name=name,
        uid=uid,
        email_addr=fields.email(mail) or fields.email(name),
        full_name=text(user, "full_name"),
        domain=text(user, "domain"),
        type_id=UserType.ADMIN if _is_admin(user.get("roles")) else None,
        groups=(Group(name=group_name, uid=group_id),) if group_name or group_id else None,
    )


def _is_admin(roles: Any) -> bool:
    """A role named for administration; "superuser" is Elasticsearch's own."""
    return any("admin" in role or role == "superuser" for role in words(roles))


def _source_endpoint(document: dict[str, Any]) -> Endpoint | None:
    """The client: ``source``, else ``client``; behind a proxy ``network.forwarded_ip``."""
    source = fields.mapping(document, "source")
    client = fields.mapping(document, "client")
    ip = address(source)
    if ip is None and (not source or address(client)):
        source, ip = client, address(client)
    domain = text(source, "domain")
    forwarded = fields.address(one(fields.dig(document, "network", "forwarded_ip")))
    if forwarded and forwarded != ip:
        # Place, network and port are the proxy's.
        return Endpoint(ip=forwarded, intermediate_ips=(ip,) if ip else None)
    if ip is None and domain is None:
        return None
    number = fields.integer({"number": one(fields.dig(source, "as", "number"))}, "number")
    if number is not None and not 0 < number <= _LAST_ASN:
        number = None
    organisation = text(fields.mapping(source, "as", "organization"), "name")
    geo = fields.mapping(source, "geo")
    return Endpoint(
        ip=ip,
        port=fields.port(one(source.get("port"))),
        hostname=domain,
        location=_location(geo) if geo else None,
        autonomous_system=AutonomousSystem(number=number, name=organisation)
        if number or organisation
        else None,
    )


def _location(geo: dict[str, Any]) -> Location | None:
    lat, long = point(geo.get("location"))
    found = Location(
        city=text(geo, "city_name"),
        region=text(geo, "region_name") or text(geo, "region_iso_code"),
        country=fields.country(one(geo.get("country_iso_code")))
        or country_code(one(geo.get("country_name"))),
        lat=lat,
        long=long,
        postal_code=text(geo, "postal_code"),
    )
    # OCSF has no place of coordinates alone.
    return found if found.country or found.city or found.region or found.postal_code else None


def _target(
    document: dict[str, Any], event: dict[str, Any]
) -> tuple[Service | None, Endpoint | None]:
    """What was logged in to: the service or daemon, and the host."""
    service = fields.mapping(document, "service")
    name = text(service, "name") or fields.text(document, "process", "name")
    host = fields.mapping(document, "host")
    hostname = text(host, "name") or text(host, "hostname")
    target = None
    if hostname:
        target = Endpoint(hostname=hostname, uid=text(host, "id"), domain=text(host, "domain"))
    else:
        end = fields.mapping(document, "destination") or fields.mapping(document, "server")
        ip, domain = address(end), text(end, "domain")
        if ip or domain:
            target = Endpoint(ip=ip, hostname=domain, port=fields.port(one(end.get("port"))))
    if name is None:
        name = (
            fields.text(document, "cloud", "service", "name")
            or text(event, "module")
            or text(event, "provider")
            or text(event, "dataset")
        )
    if name is None and target is None:
        name = "ECS"
    return Service(name=name, uid=text(service, "id")) if name else None, target


def _device(document: dict[str, Any]) -> Device | None:
    uid = fields.text(document, "device", "id")
    return Device(type_id=DeviceType.UNKNOWN, uid=uid) if uid else None


def _request(document: dict[str, Any]) -> HttpRequest | None:
    agent = text(fields.mapping(document, "user_agent"), "original")
    return HttpRequest(user_agent=agent) if agent else None


def _unmapped(document: dict[str, Any], role: str | None) -> Unmapped | None:
    client = fields.mapping(document, "tls", "client")
    fingerprint = text(client, "ja4") or text(client, "ja3")
    user = fields.text(document, "user", "name")
    role = role if user and role != user else None
    if fingerprint is None and role is None:
        return None
    return Unmapped(tls_fingerprint=fingerprint, role=role)


def _maker(document: dict[str, Any], event: dict[str, Any]) -> tuple[str, str | None]:
    observer = fields.mapping(document, "observer")
    name = text(observer, "product") or text(event, "module") or text(event, "provider")
    return name or "ECS", text(observer, "vendor")


@lru_cache(maxsize=256)
def _product(name: str, vendor: str | None) -> Product:
    return Product(name=name, vendor_name=vendor)


SOURCE = Source(
    name="ecs",
    title="Elastic Common Schema",
    reads=(
        "ECS documents of the category authentication or session, nested or with dotted keys",
        "Elasticsearch hits that hold such a document in _source or fields",
    ),
    gives=(
        "src_endpoint.ip",
        "src_endpoint.port",
        "src_endpoint.location",
        "src_endpoint.autonomous_system",
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.domain",
        "service.name",
        "dst_endpoint.hostname",
        "http_request.user_agent",
        "device.uid",
        "status_detail",
        "unmapped.role",
        "unmapped.tls_fingerprint",
    ),
    documentation="https://www.elastic.co/docs/reference/ecs",
    recognise=recognise,
    parse=parse,
)
