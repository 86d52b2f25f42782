"""Envoy and Istio access logs: every request of a known caller as a use of its credential."""

from typing import Any

from quivive.model.event import Activity, AuthEvent, Endpoint, Product, Service, Status, Unmapped
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._access_log import (
    client_of,
    operation_of,
    outcome,
    request_of,
    service_of,
)
from quivive.sources._envoy_record import is_entry, peer_of, read_entry
from quivive.sources._proxy_caller import Caller, caller_of
from quivive.sources._proxy_entry import Entry, fingerprint_of
from quivive.sources.source import Source

_PRODUCT = Product(name="Envoy", vendor_name="Envoy")
_MESSAGE = Skip("another line of the proxy")
_NOBODY = Skip("a request whose caller the log does not name")
_PASSED_ON = "via_upstream"
_CONNECT = "connect"
# Envoy refused what a caller whom it knew asked for.
_REFUSED = ("rbac_access_denied", "ext_authz_denied")
# Nobody decided: the service that is asked did not answer.
_UNDECIDED = "ext_authz_error"
_WHEN = ("start_time", "timestamp", "time")
# https://grpc.io/docs/guides/status-codes/: refusals come as HTTP 200.
_GRPC = {
    **dict.fromkeys(("16", "Unauthenticated", "UNAUTHENTICATED"), (401, "UNAUTHENTICATED")),
    **dict.fromkeys(("7", "PermissionDenied", "PERMISSION_DENIED"), (403, "PERMISSION_DENIED")),
}


def recognise(record: RawRecord) -> bool:
    """An object with two members that only Envoy's command operators give, or its default line."""
    return is_entry(record)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The use of a credential in one request or connection; a Skip where nobody is named."""
    entry = read_entry(record)
    if entry is None:
        return _MESSAGE
    caller = caller_of(entry, peer_of(entry))
    if caller is None:
        return _NOBODY
    key, written = _written(entry)
    status, accepted, code, detail = _outcome(entry, caller)
    method = entry.word("method")
    agent = entry.word("user_agent")
    request = entry.word("x_request_id", "request_id")
    protocol, protocol_id = caller.protocol or (None, None)
    return AuthEvent(
        time=fields.timestamp(written, key, default=record.reference_time),
        activity_id=Activity.LOGON,
        status_id=status,
        status_code=code,
        status_detail=detail,
        user=caller.user,
        actor=caller.actor,
        service=_service(entry),
        src_endpoint=_client(entry),
        http_request=request_of(agent),
        session=caller.session,
        is_mfa=caller.is_mfa,
        auth_factors=caller.factors,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=entry.word("stream_id"),
            log_name="Envoy access log",
            original_time=written,
            event_code=method,
            # Every hop writes the same, and a client may choose it: no id of the record.
            correlation_uid=request,
        ),
        unmapped=Unmapped(
            credential_accepted=accepted,
            mfa_by_claim=True if caller.is_mfa else None,
            operation=_CONNECT
            if method is None
            else operation_of(
                method, entry.word("path", "x_envoy_origin_path", "x_envoy_original_path")
            ),
            tls_fingerprint=fingerprint_of(entry),
        ),
    )


def _written(entry: Entry) -> tuple[str, Any]:
    """The first member that has a time, and its name."""
    for key in _WHEN:
        if entry.row.get(key) is not None:
            return key, entry.row[key]
    return _WHEN[0], None


def _outcome(entry: Entry, caller: Caller) -> tuple[Status, bool | None, str | None, str | None]:
    """Status, whether the credential was right, the answer's code and why."""
    row = entry.row
    said = row.get("response_code", row.get("status"))
    code = fields.whole(said)
    if code is None and said not in (None, "-", ""):
        raise RejectError(f"response_code: not a number: {str(said)[:40]!r}")
    details = entry.word("response_code_details")
    ended = entry.word("connection_termination_details")
    flags = entry.word("response_flags")
    why = (details if details != _PASSED_ON else None) or ended or flags
    if code in (None, 0) and entry.word("method") is None:
        refused = (ended or "").startswith(_REFUSED)
        return (Status.FAILURE if refused else Status.SUCCESS), refused or None, None, why
    shown = None if code is None else str(code)
    if (details or "").startswith(_UNDECIDED):
        return Status.OTHER, caller.proven or None, shown, why
    grpc = _GRPC.get(entry.word("grpc_status", "grpc_status_number") or "")
    if grpc is not None and code == 200:
        code, shown = grpc
    if code == 401 and caller.proven and (details or "").startswith(_REFUSED):
        return Status.FAILURE, True, shown, why
    status, accepted = outcome(code, caller.proven)
    return status, accepted, shown, why


def _service(entry: Entry) -> Service:
    """The host that was asked for; of a connection, the name in its handshake or its cluster."""
    host = entry.word("authority", "host", "requested_server_name")
    cluster = entry.word("upstream_cluster")
    # Istio writes "outbound|8080||orders.shop.svc.cluster.local".
    named = cluster.rpartition("|")[2] or None if cluster else None
    return service_of(host or named, "Envoy")


def _client(entry: Entry) -> Endpoint | None:
    remote = entry.word("x_envoy_external_address") or entry.word(
        "downstream_remote_address",
        "downstream_remote_address_without_port",
        "client_ip",
        "downstream_direct_remote_address",
    )
    return client_of(remote, entry.word("x_forwarded_for"))


SOURCE = Source(
    name="envoy",
    title="Envoy and Istio access log",
    reads=(
        "JSON access logs of Envoy, Istio, Envoy Gateway and Contour, whatever the members' names",
        "the default lines of Envoy and of Istio, with key=value pairs behind them",
        "requests with a verified token's claims, a client certificate or a header's user",
        "refusals by RBAC, external authorisation and gRPC services",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.full_name",
        "user.type_id",
        "user.credential_uid",
        "actor.app_name",
        "actor.app_uid",
        "src_endpoint.ip",
        "src_endpoint.port",
        "src_endpoint.intermediate_ips",
        "http_request.user_agent",
        "service.name",
        "session.uid",
        "session.issuer",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.operation",
        "unmapped.tls_fingerprint",
        "unmapped.credential_accepted",
        "unmapped.mfa_by_claim",
    ),
    documentation="https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage",
    recognise=recognise,
    parse=parse,
)
