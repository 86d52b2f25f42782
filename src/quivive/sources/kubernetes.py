"""Kubernetes API server audit: every request as a use of a kubeconfig, token or certificate."""

from functools import lru_cache
from typing import Any

import msgspec

from quivive.model.event import (
    Activity,
    AuthEvent,
    Device,
    DeviceType,
    Endpoint,
    Group,
    HttpRequest,
    Product,
    Service,
    Session,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.fields import (
    address,
    clean,
    email,
    field,
    items,
    mapping,
    metadata,
    text,
    timestamp,
    whole,
)
from quivive.sources.source import Source
from quivive.sources.varying import Varying

_PRODUCT = Product(name="Kubernetes", vendor_name="Kubernetes")
_API_GROUP = "audit.k8s.io/"
_ANONYMOUS = "system:anonymous"
_MASTERS = "system:masters"
_SERVICE_ACCOUNT = "system:serviceaccount:"
# The control plane's own users; "eks:" are those of Amazon's managed components.
_PLATFORM = ("system:", "eks:")
_PROBES = frozenset({"healthz", "livez", "readyz", "version"})
_CLUSTER_KEYS = ("cluster", "clusterName", "cluster_name")
_WRAPPERS = ("message", "log")
_MAX_ITEMS = 50
_LOGON = Activity.LOGON  # a look-up in an enumeration is slow
_SUCCESS = Status.SUCCESS
_SERVICE = UserType.SERVICE


def recognise(record: RawRecord) -> bool:
    """Whether the record is of the audit API group, or an audit event that lost its group."""
    fields = record.fields
    if fields is None:
        return False
    version = fields.get("apiVersion")
    if type(version) is str and version.startswith(_API_GROUP):
        return True
    if fields.get("kind") == "Event" and version is None:
        # Core events have an API version and no verb.
        return "user" in fields or "verb" in fields
    return _wrapped_text(fields) is not None


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The event of one audit record."""
    outer = record.fields or {}
    fields = _unwrapped(outer)
    if fields.get("kind") != "Event":
        return Skip("no audit event")
    if fields.get("stage") == "RequestReceived":
        return Skip("request received: the response is recorded apart")
    response = mapping(fields, "responseStatus")
    user = mapping(fields, "user")
    code = whole(response.get("code"))
    username = field(user, "username")
    if username is None and code == 401:
        # A credential that was refused names nobody.
        username = _ANONYMOUS
    path = _path(fields.get("requestURI"))
    if username == _ANONYMOUS and path is not None and path.split("/", 2)[1] in _PROBES:
        return Skip("anonymous probe")
    received = fields.get("requestReceivedTimestamp") or fields.get("stageTimestamp")
    time = timestamp(received, "requestReceivedTimestamp", default=record.reference_time)
    extra = mapping(user, "extra")
    annotations = mapping(fields, "annotations")
    target = mapping(fields, "objectRef")
    verb = field(fields, "verb")
    status, accepted = _status(annotations, code, username)
    return AuthEvent(
        time=time,
        activity_id=_LOGON,
        status_id=status,
        status_code=None if code is None else str(code),
        status_detail=field(response, "message")
        or field(response, "reason")
        or field(annotations, "authorization.k8s.io/reason"),
        user=_user(user, username, extra),
        metadata=metadata(
            record,
            _PRODUCT,
            uid=field(fields, "auditID"),
            log_name="audit",
            original_time=received,
            event_code=verb,
        ),
        service=_service(outer) or _service(fields) or _UNNAMED,
        src_endpoint=_source(fields),
        device=_node(_first(extra, "authentication.kubernetes.io/node-name")),
        http_request=_request(field(fields, "userAgent")),
        session=_session(extra),
        unmapped=Unmapped(
            credential_accepted=accepted,
            operation=_operation(verb, target, path),
            resource=_resource(target),
            role=text(fields, "impersonatedUser", "username"),
        ),
    )


def _wrapped_text(fields: dict[str, Any]) -> str | None:
    """The audit event that a log shipper carries as JSON text."""
    for key in _WRAPPERS:
        value = fields.get(key)
        if type(value) is str and value.startswith("{") and _API_GROUP in value[:200]:
            return value
    return None


def _unwrapped(fields: dict[str, Any]) -> dict[str, Any]:
    inner = None if "kind" in fields else _wrapped_text(fields)
    if inner is None:
        return fields
    try:
        decoded = msgspec.json.decode(inner)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        decoded = None
    if type(decoded) is not dict:
        raise RejectError("message: no JSON object")
    return decoded


def _status(
    annotations: dict[str, Any], code: int | None, username: str | None
) -> tuple[Status, bool | None]:
    """Whether the credential was accepted, and allowed to do what it asked for.

    Any other error (not found, conflict, too many requests) comes after both: the request failed,
    the credential was right.
    """
    if code == 401:
        return Status.FAILURE, None
    forbidden = annotations.get("authorization.k8s.io/decision") == "forbid"
    if forbidden or (code is not None and code >= 400):
        return Status.FAILURE, None if username == _ANONYMOUS else True
    return _SUCCESS, None


def _user(user: dict[str, Any], username: str | None, extra: dict[str, Any]) -> User:
    uid = field(user, "uid")
    if username is None and uid is None:
        raise RejectError("user: neither username nor uid")
    groups = _groups(user)
    return _person(
        username,
        uid,
        # IAM's stable ARN on EKS: that of the role, without the session.
        _first(extra, "canonicalArn"),
        email(username) or email(_first(extra, "sessionName")),
        _first(extra, "accessKeyId") or _first(extra, "authentication.kubernetes.io/credential-id"),
        groups,
    )


@lru_cache(maxsize=4096)
def _person(
    name: str | None,
    uid: str | None,
    uid_alt: str | None,
    mail: str | None,
    credential: str | None,
    groups: tuple[str, ...],
) -> User:
    return User(
        name=name,
        uid=uid,
        uid_alt=uid_alt,
        email_addr=mail,
        type_id=_kind(name or "", groups),
        credential_uid=credential,
        groups=tuple(map(_group, groups)) or None,
    )


def _kind(username: str, groups: tuple[str, ...]) -> UserType | None:
    """Kubernetes knows service accounts, its own components and "normal users"."""
    if username.startswith(_SERVICE_ACCOUNT):
        return _SERVICE
    if username.startswith(_PLATFORM):
        return UserType.SYSTEM
    if _MASTERS in groups:
        return UserType.ADMIN
    return UserType.USER if username else None


def _groups(user: dict[str, Any]) -> tuple[str, ...]:
    return tuple(filter(None, map(clean, items(user, "groups")[:_MAX_ITEMS])))


@lru_cache(maxsize=4096)
def _group(name: str) -> Group:
    return Group(name=name)


def _first(extra: dict[str, Any], key: str) -> str | None:
    """The value of a user's extra attribute, which is a list of texts."""
    values = extra.get(key)
    return clean(values[0]) if type(values) is list and values else None


def _source(fields: dict[str, Any]) -> Endpoint | None:
    """The client comes first, then its proxies; all but the last are as the client claims."""
    found = [ip for ip in map(address, items(fields, "sourceIPs")[:_MAX_ITEMS]) if ip]
    if not found:
        return None
    return Endpoint(ip=found[0], intermediate_ips=tuple(found[1:]) or None)


def _node(name: str | None) -> Device | None:
    """The node that a service account's token was issued for."""
    return Device(type_id=DeviceType.SERVER, hostname=name) if name else None


def _request(agent: str | None) -> HttpRequest | None:
    return HttpRequest(user_agent=agent) if agent else None


def _session(extra: dict[str, Any]) -> Session | None:
    """The IAM role session that EKS authenticated, or the pod that a token was issued for."""
    if arn := _first(extra, "arn"):
        return Session(uid_alt=arn, issuer=_first(extra, "canonicalArn"))
    pod = _first(extra, "authentication.kubernetes.io/pod-name")
    return Session(uid_alt=pod) if pod else None


def _service(fields: dict[str, Any]) -> Service | None:
    """The cluster, where the record or what carries it names one."""
    for key in _CLUSTER_KEYS:
        if key in fields and (name := clean(fields[key])):
            return _cluster(name)
    return None


@lru_cache(maxsize=1024)
def _cluster(name: str) -> Service:
    return Service(name=name)


_UNNAMED = _cluster("kubernetes")


def _path(uri: Any) -> str | None:
    """The path of a request, if it has one that starts at the root."""
    if type(uri) is not str or not uri.startswith("/"):
        return None
    return uri.partition("?")[0][:256]


def _operation(verb: str | None, target: dict[str, Any], path: str | None) -> str | None:
    """What was asked for: "create pods/exec", "list secrets", "get /apis"."""
    resource = field(target, "resource")
    if resource is None:
        resource = path
    elif subresource := field(target, "subresource"):
        resource = f"{resource}/{subresource}"
    return f"{verb} {resource}" if verb and resource else verb


def _resource(target: dict[str, Any]) -> str | None:
    """The object's "namespace/name", or the one of both it has."""
    namespace = field(target, "namespace")
    name = field(target, "name")
    return f"{namespace}/{name}" if namespace and name else namespace or name


SOURCE = Source(
    name="kubernetes",
    title="Kubernetes audit",
    reads=(
        "API server audit events (audit.k8s.io/v1 and v1beta1), Amazon EKS's included",
        "audit events as JSON text in a log shipper's or CloudWatch's message field",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "user.groups",
        "user.credential_uid",
        "src_endpoint.ip",
        "src_endpoint.intermediate_ips",
        "http_request.user_agent",
        "service.name",
        "device.hostname",
        "session.uid_alt",
        "status_code",
        "status_detail",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.role",
        "unmapped.credential_accepted",
    ),
    documentation="https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/",
    recognise=recognise,
    parse=parse,
    varying=Varying(time="requestReceivedTimestamp", uid="auditID", unread=("stageTimestamp",)),
)
