"""The parts of a Teleport event: who, with what, from where and into what."""

import re
from functools import lru_cache
from typing import Any

from quivive.model.event import (
    Account,
    Activity,
    Actor,
    AuthFactor,
    Device,
    DeviceType,
    Endpoint,
    FactorType,
    Os,
    Service,
    Session,
    Status,
    User,
    UserType,
)
from quivive.model.record import RejectError
from quivive.sources import fields
from quivive.sources._teleport_events import (
    CERTIFICATE,
    FACTORS,
    FOR_ANOTHER,
    JOIN,
    LOCK,
    LOGIN,
    METHODS,
    PASSWORD,
    RECOVERY,
    RECOVERY_CODE,
    SYSTEMS,
    Kind,
)
from quivive.sources.fields import address, clean, email, field, integer, mapping

# Teleport's own services go by the id of their server.
_SERVER = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\..+")
_BOT = "bot-"
_REPOSITORIES = ("repo:", "project_path:")


def parties(
    event: dict[str, Any], identity: dict[str, Any], kind: Kind, cluster: str | None
) -> tuple[User, Actor | None]:
    """Whose credential or account it is, and who acted where that is somebody else."""
    name = field(event, "user")
    number = integer(event, "user_kind")
    by = field(event, "impersonator")
    credential = None
    if kind is CERTIFICATE:
        name = field(identity, "user") or name
        by = field(identity, "impersonator")
        if field(identity, "bot_name"):
            number = 2
    elif kind is JOIN:
        return _joining(event, cluster), None
    elif kind is LOGIN and name is None:
        # A login that fails before Teleport has a user of its own for it.
        attributes = mapping(event, "attributes")
        name = field(attributes, "email") or field(attributes, "username")
    elif kind is FOR_ANOTHER:
        name, by = field(event, "name") or name, name
    elif kind is LOCK:
        name, by = field(mapping(event, "target"), "user"), field(event, "updated_by") or name
    if name is None:
        where = "identity.user" if kind is CERTIFICATE else "user"
        raise RejectError(f"{where}: no name of the user")
    home = field(event, "user_cluster_name") or cluster
    user = _user(name, number, credential, home)
    if by is None or by == name:
        return user, None
    return user, Actor(user=_user(by, None, None, home))


def _joining(event: dict[str, Any], cluster: str | None) -> User:
    """A bot, by its user's name, or the server that joins; a stranger by its token's subject."""
    name = field(event, "user_name")
    if name is None and (bot := field(event, "bot_name")):
        name = _BOT + bot
    name = name or field(event, "node_name") or field(event, "host_id")
    if name is None and (subject := field(mapping(event, "attributes"), "sub")):
        kept = subject.split(":", 2)[:2] if subject.startswith(_REPOSITORIES) else [subject]
        name = ":".join(kept)
    if name is None:
        raise RejectError("bot_name: no name of the bot or server")
    return _user(name, 2, field(event, "token_name"), cluster)


@lru_cache(maxsize=4096)
def _user(name: str, kind: int | None, credential: str | None, cluster: str | None) -> User:
    if _SERVER.fullmatch(name):
        type_id: UserType | None = UserType.SYSTEM
    elif kind == 2 or (kind is None and name.startswith(_BOT)):
        type_id = UserType.SERVICE
    else:
        type_id = {1: UserType.USER, 3: UserType.SYSTEM}.get(kind or 0)
    return User(
        name=name,
        email_addr=email(name),
        type_id=type_id,
        credential_uid=credential,
        account=Account(uid=cluster) if cluster else None,
    )


def factors(
    event: dict[str, Any], kind: Kind, status: Status
) -> tuple[bool | None, tuple[AuthFactor, ...] | None]:
    """``is_mfa`` and the factors shown, of what succeeded."""
    if status != Status.SUCCESS or kind.activity == Activity.LOGOFF:
        return None, None
    if kind is RECOVERY:
        return None, (RECOVERY_CODE,)
    device = mapping(event, "mfa_device")
    if device:
        words = field(device, "mfa_device_type")
        found = FACTORS.get((words or "").lower(), FactorType.OTHER)
        return True, (AuthFactor(factor_type_id=found, factor_type=words),)
    if kind is LOGIN and field(event, "method") == "local":
        return False, (PASSWORD,)
    if field(event, "with_mfa") or kind.mark == "mfa":
        return True, None
    methods = mapping(event, "attributes").get("amr") if kind is LOGIN else None
    if type(methods) is list and methods:
        # RFC 8176: how the identity provider authenticated.
        if "mfa" in methods or len(methods) > 1:
            return True, None
        return (False if methods == ["pwd"] else None), None
    return None, None


def protocol(event: dict[str, Any], kind: Kind) -> tuple[str | None, int | None]:
    """OCSF's name and number of the way in: single sign-on, a join method, a protocol."""
    method = field(event, "method") if kind is LOGIN or kind is JOIN else None
    if kind is JOIN and method:
        return method, 99
    if method:
        return METHODS.get(method, (None, None))
    if kind.mark == "application" and field(event, "service_provider_entity_id"):
        return "SAML", 5
    said = field(event, "db_protocol") or (field(event, "proto") or "").upper()
    return (said, 99) if said else (None, None)


def source_endpoint(event: dict[str, Any], identity: dict[str, Any]) -> Endpoint | None:
    """The client's address. A desktop's own stands in that place where its service writes it."""
    whole = _dotted(event, "remote")
    if whole is not None and whole == field(event, "desktop_addr"):
        return None
    ip = address(whole) or address(identity.get("client_ip"))
    if ip is None:
        return None
    port = None
    if whole is not None and ("]:" in whole or whole.count(":") == 1):
        port = fields.port(whole.rpartition(":")[2])
    return Endpoint(ip=ip, port=port)


def _dotted(event: dict[str, Any], end: str) -> str | None:
    """ "addr.remote", which shippers nest or write with an underscore."""
    return (
        field(event, f"addr.{end}")
        or field(event, f"addr_{end}")
        or fields.text(event, "addr", end)
    )


def service(
    event: dict[str, Any], identity: dict[str, Any], kind: Kind, cluster: str | None
) -> Service:
    """What is logged in to: what Teleport stands before, else Teleport itself."""
    name = (
        field(event, "kubernetes_cluster")
        or field(event, "db_service")
        or field(event, "app_name")
        or field(event, "service_provider_entity_id")
    )
    if kind is CERTIFICATE:
        name = (
            clean(fields.dig(identity, "route_to_database", "service_name"))
            or clean(fields.dig(identity, "route_to_app", "name"))
            or field(identity, "kubernetes_cluster")
        )
    return _named(name) if name else _teleport(cluster)


@lru_cache(maxsize=1024)
def _named(name: str) -> Service:
    return Service(name=name)


@lru_cache(maxsize=256)
def _teleport(cluster: str | None) -> Service:
    return Service(name="Teleport", uid=cluster)


def destination(event: dict[str, Any], kind: Kind) -> Endpoint | None:
    """The server or desktop of a session."""
    if kind.mark == "desktop":
        host, where, uid = field(event, "desktop_name"), field(event, "desktop_addr"), None
    elif kind.mark in ("server", "auth"):
        host, where = field(event, "server_hostname"), field(event, "server_addr")
        uid = field(event, "server_id")
    else:
        return None
    ip = address(where)
    return Endpoint(hostname=host, ip=ip, uid=uid) if host or ip or uid else None


def device(event: dict[str, Any], src: Endpoint | None) -> Device | None:
    """A device that Teleport trusts, enrolled and shown by its own key."""
    said = mapping(event, "trusted_device") or mapping(event, "device")
    uid, tag = field(said, "device_id"), field(said, "asset_tag")
    if uid is None and tag is None:
        return None
    system = SYSTEMS.get(integer(said, "os_type") or 0)
    return Device(
        type_id=DeviceType.UNKNOWN,
        uid=uid,
        name=tag,
        ip=src.ip if src else None,
        os=Os(name=system[0], type_id=system[1]) if system else None,
        is_trusted=True,
    )


def session(event: dict[str, Any]) -> Session | None:
    """The session, or the instance of a bot."""
    uid, instance = field(event, "sid"), field(event, "bot_instance_id")
    return Session(uid=uid or instance) if uid or instance else None
