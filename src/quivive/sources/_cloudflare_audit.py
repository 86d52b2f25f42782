"""Cloudflare's audit logs, both versions, from the API and from Logpush: calls of the account."""

from functools import lru_cache
from typing import Any

from quivive.model.event import (
    Account,
    Activity,
    AuthEvent,
    Endpoint,
    Product,
    Service,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._access_log import decoded, operation_of, request_of
from quivive.sources.fields import field, mapping

_PRODUCT = Product(name="Cloudflare", vendor_name="Cloudflare")
_DASHBOARD = Service(name="Cloudflare dashboard")
_API = Service(name="Cloudflare API")
_OWN = Skip("an action of Cloudflare's own")
_NOBODY = Skip("an action whose actor the log does not name")
_PREFIX = "/client/v4"
_LOGIN = "login"
_LOGOUT = "logout"
_PEOPLE = frozenset({"dash", "ui"})
_MACHINES = frozenset({"api_token", "api_key", "origin_ca_key", "api"})
_PLATFORM = frozenset({"system", "cloudflare", "cloudflare_admin", "admin"})
_RESULTS = {
    **dict.fromkeys(("success", "true"), True),
    **dict.fromkeys(("failure", "failed", "false"), False),
}


def is_entry(row: dict[str, Any]) -> bool:
    """Whether an object is an entry of one of the four shapes."""
    action, actor = row.get("action"), row.get("actor")
    if type(action) is dict and type(actor) is dict:
        return ("time" in action and "context" in actor) or (
            "when" in row and "type" in action and "interface" in row
        )
    if "AuditLogID" in row:
        return "ActionTimestamp" in row or "ActorContext" in row
    return "ActionType" in row and "ActorID" in row and "When" in row


def parse_entry(record: RawRecord, row: dict[str, Any]) -> AuthEvent | Skip:
    """The login, or the use of a session, key or token, that an entry tells of."""
    if "AuditLogID" in row or "ActionType" in row:
        row = _unflattened(row)
    action, actor = mapping(row, "action"), mapping(row, "actor")
    raw, resource = mapping(row, "raw"), mapping(row, "resource")
    kind = (field(actor, "type") or "").lower()
    if kind in _PLATFORM and field(actor, "email") is None:
        return _OWN
    user = _user(actor, mapping(row, "account"), kind)
    if user is None:
        return _NOBODY
    key = "when" if "when" in row else "action.time"
    written = row.get("when", action.get("time"))
    word = field(action, "type")
    if word is None:
        raise RejectError("action.type: missing")
    name = word.lower()
    plain = name in (_LOGIN, _LOGOUT)
    context = (field(actor, "context") or field(row, "interface") or "").lower()
    code = fields.whole(raw.get("status_code"))
    status, accepted = _outcome(action.get("result"), code, plain)
    ip = fields.address(actor.get("ip_address") or actor.get("ip"))
    detail = field(action, "description") or field(action, "info")
    return AuthEvent(
        time=fields.timestamp(written, key, default=record.reference_time),
        activity_id=Activity.LOGOFF if name == _LOGOUT else Activity.LOGON,
        status_id=status,
        status_code=None if code is None else str(code),
        status_detail=detail,
        user=user,
        service=_DASHBOARD if context in _PEOPLE else _API,
        src_endpoint=Endpoint(ip=ip) if ip else None,
        http_request=request_of(field(raw, "user_agent")),
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(row, "id"),
            log_name="Cloudflare audit log",
            original_time=written,
            event_code=word,
            correlation_uid=field(raw, "cf_ray_id"),
            tenant_uid=fields.text(row, "account", "id"),
        ),
        unmapped=None
        if plain
        else Unmapped(
            credential_accepted=accepted,
            operation=_operation(raw, resource, name),
            resource=fields.text(row, "zone", "name"),
            non_interactive=True if context in _MACHINES else None,
        ),
    )


def _unflattened(row: dict[str, Any]) -> dict[str, Any]:
    """Logpush's members in the shape of the API's."""
    token = _object(row.get("ActorTokenDetails"))
    raw = _object(row.get("Raw"))
    return {
        "id": row.get("AuditLogID", row.get("ID")),
        "action": {
            "type": row.get("ActionType"),
            "result": row.get("ActionResult"),
            "description": row.get("ActionDescription"),
        },
        "actor": {
            "id": row.get("ActorID"),
            "type": row.get("ActorType"),
            "email": row.get("ActorEmail"),
            "ip": row.get("ActorIPAddress", row.get("ActorIP")),
            "context": row.get("ActorContext"),
            "token_id": token.get("token_id", token.get("id")),
            "token_name": token.get("token_name", token.get("name")),
        },
        "raw": raw,
        "resource": {"type": row.get("ResourceType"), "product": row.get("ResourceProduct")},
        "zone": {"name": row.get("ZoneName")},
        "account": {"id": row.get("AccountID"), "name": row.get("AccountName")},
        "interface": row.get("Interface"),
        "when": row.get("ActionTimestamp", row.get("When")),
    }


def _object(value: Any) -> dict[str, Any]:
    if type(value) is str and value.startswith("{"):
        value = decoded(value)
    return value if type(value) is dict else {}


def _user(actor: dict[str, Any], account: dict[str, Any], kind: str) -> User | None:
    """The person, or for a token that the account owns the token."""
    email, uid = field(actor, "email"), field(actor, "id")
    token, token_name = field(actor, "token_id"), field(actor, "token_name")
    tenant, tenant_name = field(account, "id"), field(account, "name")
    if kind == "account":
        name = token_name or token or uid
        return _person(name, token, None, UserType.SERVICE, token, tenant, tenant_name)
    if email is None and uid is None:
        for part in ("email", "id"):
            if actor.get(part):
                raise RejectError(f"actor.{part}: not a text")
        return None
    type_id = UserType.SYSTEM if kind in _PLATFORM else UserType.USER
    return _person(email or uid, uid, email, type_id, token, tenant, tenant_name)


@lru_cache(maxsize=4096)
def _person(
    name: str | None,
    uid: str | None,
    email: str | None,
    type_id: UserType,
    token: str | None,
    tenant: str | None,
    tenant_name: str | None,
) -> User | None:
    if name is None and uid is None:
        return None
    return User(
        name=name,
        uid=uid if uid != name else None,
        email_addr=fields.email(email),
        type_id=type_id,
        credential_uid=token,
        account=Account(uid=tenant, name=tenant_name) if tenant or tenant_name else None,
    )


def _outcome(result: Any, code: int | None, plain: bool) -> tuple[Status, bool | None]:
    """By the result; a call that failed was made with a credential that is right, unless 401."""
    said = result if type(result) is bool else _RESULTS.get(str(result).lower())
    if said is None:
        if result not in (None, ""):
            raise RejectError(f"action.result: neither success nor failure: {str(result)[:40]!r}")
        said = code is None or code < 400
    if said:
        return Status.SUCCESS, None
    return Status.FAILURE, None if plain or code == 401 else True


def _operation(raw: dict[str, Any], resource: dict[str, Any], action: str) -> str:
    """The call, "POST /accounts/{id}/members", else what was done: "create account_member"."""
    called = operation_of(
        field(raw, "method"), (field(raw, "uri") or "").removeprefix(_PREFIX) or None
    )
    if called is not None:
        return called
    what = field(resource, "type") or field(resource, "product")
    return f"{action} {what}" if what else action
