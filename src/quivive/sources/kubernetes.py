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
    dig,
    email,
    integer,
    items,
    mapping,
    metadata,
    text,
    timestamp,
)
from quivive.sources.source import Source

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
    code = integer(fields, "responseStatus", "code")
    username = text(fields, "user", "username")
    if username is None and code == 401:
        # A credential that was refused names nobody.
        username = _ANONYMOUS
    path = _path(fields.get("requestURI"))
    if username == _ANONYMOUS and path is not None and path.split("/", 2)[1] in _PROBES:
        return Skip("anonymous probe")
    received = fields.get("requestReceivedTimestamp") or fields.get("stageTimestamp")
    time = timestamp(received, "requestReceivedTimestamp", default=record.reference_time)
    extra = mapping(fields, "user", "extra")
    status, accepted = _status(fields, code, username)
    return AuthEvent(
        time=time,
        activity_id=Activity.LOGON,
        status_id=status,
        status_code=None if code is None else str(code),
        status_detail=_detail(fields),
        user=_user(fields, username, extra),
        metadata=metadata(
            record,
            _PRODUCT,
            uid=text(fields, "auditID"),
            log_name="audit",
            original_time=received,
            event_code=text(fields, "verb"),
        ),
        service=_service(outer, fields),
        src_endpoint=_source(fields),
        device=_node(_first(extra, "authentication.kubernetes.io/node-name")),
        http_request=_request(text(fields, "userAgent")),
        session=_session(extra),
        unmapped=Unmapped(
            credential_accepted=accepted,
            operation=_operation(fields, path),
            resource=_resource(fields),
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
    fields: dict[str, Any], code: int | None, username: str | None
) -> tuple[Status, bool | None]:
    """Whether the credential was accepted, and allowed to do what it asked for.

    Any other error (not found, conflict, too many requests) comes after both.
    """
    if code == 401:
        return Status.FAILURE, None
    if code == 403 or dig(fields, "annotations", "authorization.k8s.io/decision") == "forbid":
        return Status.FAILURE, None if username == _ANONYMOUS else True
    return Status.SUCCESS, None


def _detail(fields: dict[str, Any]) -> str | None:
    return (
        text(fields, "responseStatus", "message")
        or text(fields, "responseStatus", "reason")
        or text(fields, "annotations", "authorization.k8s.io/reason")
    )


def _user(fields: dict[str, Any], username: str | None, extra: dict[str, Any]) -> User:
    user = mapping(fields, "user")
    uid = text(user, "uid")
    if username is None and uid is None:
        raise RejectError("user: neither username nor uid")
    groups = _groups(user)
    mail = email(username) or email(_first(extra, "sessionName"))
    return User(
        name=username,
        uid=uid,
        # IAM's stable ARN on EKS: that of the role, without the session.
        uid_alt=_first(extra, "canonicalArn"),
        email_addr=mail,
        type_id=_kind(username or "", groups),
        credential_uid=_first(extra, "accessKeyId")
        or _first(extra, "authentication.kubernetes.io/credential-id"),
        groups=tuple(map(_group, groups)) or None,
    )


def _kind(username: str, groups: list[str]) -> UserType | None:
    """Kubernetes knows service accounts, its own components and "normal users"."""
    if username.startswith(_SERVICE_ACCOUNT):
        return UserType.SERVICE
    if username.startswith(_PLATFORM):
        return UserType.SYSTEM
    if _MASTERS in groups:
        return UserType.ADMIN
    return UserType.USER if username else None


def _groups(user: dict[str, Any]) -> list[str]:
    named = (clean(group) for group in items(user, "groups")[:_MAX_ITEMS])
    return [group for group in named if group]


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


def _service(outer: dict[str, Any], fields: dict[str, Any]) -> Service:
    for key in _CLUSTER_KEYS:
        name = clean(outer.get(key)) or clean(fields.get(key))
        if name:
            return _cluster(name)
    return _cluster("kubernetes")


@lru_cache(maxsize=1024)
def _cluster(name: str) -> Service:
    return Service(name=name)


def _path(uri: Any) -> str | None:
    """The path of a request, if it has one that starts at the root."""
    if type(uri) is not str or not uri.startswith("/"):
        return None
    return uri.partition("?")[0][:256]


def _operation(fields: dict[str, Any], path: str | None) -> str | None:
    """What was asked for: "create pods/exec", "list secrets", "get /apis"."""
    verb = text(fields, "verb")
    target = text(fields, "objectRef", "resource")
    if target is None:
        target = path
    elif subresource := text(fields, "objectRef", "subresource"):
        target = f"{target}/{subresource}"
    return f"{verb} {target}" if verb and target else verb


def _resource(fields: dict[str, Any]) -> str | None:
    """The object's "namespace/name", or the one of both it has."""
    namespace = text(fields, "objectRef", "namespace")
    name = text(fields, "objectRef", "name")
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
)
