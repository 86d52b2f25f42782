"""GitLab audit events: the REST API's, those streamed to a destination, and audit_json.log."""

import re
from typing import Any

from quivive.model.event import (
    Actor,
    AuthEvent,
    Endpoint,
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
from quivive.sources import fields
from quivive.sources._gitlab_events import (
    ADMIN_MODE,
    FAILED_TOKEN,
    IMPERSONATION,
    IMPERSONATION_END,
    JOB,
    MEMBER_TOKEN,
    NOTHING,
    NOTICES,
    PASSWORD_CHANGE,
    PASSWORD_RESET,
    PERSONAL_TOKEN,
    RESET_ASKED,
    WAYS,
    Kind,
    kind_of,
    protocol_of,
)
from quivive.sources.fields import clean, field
from quivive.sources.source import Source

_PRODUCT = Product(name="GitLab", vendor_name="GitLab")
_GITLAB = Service(name="GitLab")
_NOTHING = Unmapped()
_NO_LOGIN = Skip("no authentication event")
_NOTICE = Skip("a notice beside the record of the login")
_ANONYMOUS = Skip("anonymous access to a public project")
_UNLOCK = Skip("an account is unblocked")
_UNNAMED = "An unauthenticated user"
_IMPERSONATED = "Gitlab::Audit::ImpersonatedAuthor"
# Accounts that GitLab makes for project and group tokens and for service accounts.
_BOT = re.compile(r"(?:project|group)_\d+_bot(?:\d*|_[0-9a-f]+)|service_account_\w+")
_BY = re.compile(r" \(by ([^()]+)\)$")
_OF = re.compile(r"impersonation of (\S+)$")
_NUMBER = re.compile(r"/\d+(?=/|$)")


def recognise(record: RawRecord) -> bool:
    """The author and the entity of an audit event, with its details or its time."""
    event = record.fields
    if event is None or type(event.get("entity_type")) is not str:
        return False
    if "author_id" not in event or "entity_id" not in event:
        return False
    return "details" in event or "created_at" in event or "author_name" in event


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login, the use of a credential or the change of one that a record tells of."""
    event = record.fields or {}
    inner = event.get("details")
    # The file has the details beside the rest, and before GitLab 15 nowhere else.
    details: dict[str, Any] = inner if type(inner) is dict and inner else event
    event_type = (
        field(event, "event_type") or field(details, "event_name") or field(event, "event_name")
    )
    if event_type in NOTICES:
        return _NOTICE
    way, failed = field(details, "with"), field(details, "failed_login")
    message = clean(details.get("custom_message")) or ""
    kind = kind_of(event_type, way, failed, message)
    if kind is NOTHING:
        return _NO_LOGIN
    if kind.name == "Account Lock" and message.startswith("Un"):
        return _UNLOCK
    kind = _outcome(kind, message)
    written = event.get("created_at") or event.get("time")
    time = fields.timestamp(written, "created_at", default=record.reference_time)
    if kind.use and fields.integer(event, "author_id") == -1:
        return _ANONYMOUS
    user, actor = _parties(event, details, kind, message)
    if kind is PASSWORD_CHANGE and actor is not None:
        kind = PASSWORD_RESET
    said = WAYS.get((way or "").lower())
    factor = kind.factor or (said.factor if said else None)
    protocol, protocol_id = kind.protocol, kind.protocol_id
    if protocol is None:
        protocol, protocol_id = protocol_of(way or failed)
    git = _git(details)
    if kind.use and protocol is None and (transport := field(git, "protocol")):
        protocol, protocol_id = transport.upper(), 99
    agent = field(details, "user_agent") or field(event, "user_agent")
    job = field(event, "target_id") or field(details, "target_id") if kind is JOB else None
    return AuthEvent(
        time=time,
        activity_id=kind.activity,
        activity_name=kind.name,
        status_id=kind.status,
        status_code=failed if kind.status == Status.FAILURE else None,
        status_detail=_words(event, details, kind, message),
        user=user,
        actor=actor,
        service=_GITLAB,
        src_endpoint=_source_endpoint(event, details),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        session=Session(uid=f"job:{job}") if job else None,
        is_mfa=kind.mfa if kind.mfa is not None or said is None else said.mfa,
        auth_factors=(factor,) if factor and kind.status == Status.SUCCESS else None,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(event, "id"),
            log_name="audit events",
            original_time=written,
            event_code=event_type,
            correlation_uid=field(event, "correlation_id"),
        ),
        unmapped=_unmapped(event, details, kind, event_type, message, git),
    )


def _outcome(kind: Kind, message: str) -> Kind:
    """A type may be of two outcomes, which its message tells apart."""
    if kind is IMPERSONATION and "stopped" in message.lower():
        return IMPERSONATION_END
    if kind is MEMBER_TOKEN and message.startswith("Attempted to create"):
        return FAILED_TOKEN
    return kind


def _words(event: dict[str, Any], details: dict[str, Any], kind: Kind, message: str) -> str | None:
    """The message; with all addresses where a password was forgotten for several at once."""
    if kind is RESET_ASKED:
        asked = field(event, "target_details") or field(details, "target_details")
        if asked and asked.startswith("["):
            return f"{message}: {asked}"
    return message or None


def _git(details: dict[str, Any]) -> dict[str, Any]:
    """What a git operation says: the one message that is an object."""
    said = details.get("custom_message")
    return said if type(said) is dict else {}


def _parties(
    event: dict[str, Any], details: dict[str, Any], kind: Kind, message: str
) -> tuple[User, Actor | None]:
    """Whose credential or account it is, and who acted where that is somebody else."""
    author = _author(event, details, kind)
    if kind is JOB:
        # A job acts for whoever started it, from its runner: it is known by its project, as at
        # the cloud providers that trust it.
        path = field(event, "entity_path") or field(details, "entity_path")
        if path is None:
            raise RejectError("entity_path: missing, and a job has no other name")
        return _machine(f"project_path:{path}"), Actor(user=author) if author else None
    if kind.of_user:
        user = _account(event, details, kind)
        if user is not None and (author is None or not _same(user, author)):
            return user, Actor(user=author) if author else None
    if author is None:
        raise RejectError("author_name: no name or id of the user")
    by = _BY.search(message)
    if by and field(details, "author_class") in (None, _IMPERSONATED):
        return author, Actor(user=User(name=by[1], type_id=UserType.ADMIN))
    return author, None


def _same(user: User, author: User) -> bool:
    return user.uid == author.uid if user.uid and author.uid else user.name == author.name


def _machine(name: str, credential: str | None = None) -> User:
    return User(name=name, type_id=UserType.SERVICE, credential_uid=credential)


def _author(event: dict[str, Any], details: dict[str, Any], kind: Kind) -> User | None:
    """Who did it. Numbers below zero are no accounts: nobody, deploy tokens and deploy keys."""
    number = fields.integer(event, "author_id")
    shown = field(event, "author_name") or field(details, "author_name")
    if number is None or number < 0:
        shown = shown if shown != _UNNAMED else None
        kept = field(details, "author_class")
        if number in (-2, -3) or kept in ("DeployToken", "DeployKey"):
            what = "deploy_token" if number == -2 or kept == "DeployToken" else "deploy_key"
            return _machine(shown or what, _credential(details, kind))
        if shown is None:
            return None
        return User(name=shown, email_addr=fields.email(shown))
    username = _username(event, details, number)
    bot = _BOT.fullmatch(username or "") or (field(event, "event_type") or "").endswith(
        "_by_project_bot"
    )
    admin = kind in (ADMIN_MODE, IMPERSONATION, IMPERSONATION_END)
    return User(
        name=username or shown or str(number),
        uid=str(number),
        email_addr=fields.email(field(details, "author_email")),
        full_name=shown if username else None,
        type_id=UserType.SERVICE if bot else UserType.ADMIN if admin else None,
        credential_uid=_credential(details, kind) if kind.use else None,
    )


def _username(event: dict[str, Any], details: dict[str, Any], number: int) -> str | None:
    """The login name, which stands in a record only as the path of the user it is about, or where
    the file says whose request it was; elsewhere a person goes by the full name.
    """
    if event.get("entity_type") == "User" and fields.integer(event, "entity_id") == number:
        path = field(event, "entity_path") or field(details, "entity_path")
        if path:
            return path
    if fields.integer(event, "meta.user_id") == number:
        return field(event, "meta.user")
    return None


def _credential(details: dict[str, Any], kind: Kind) -> str | None:
    if kind is PERSONAL_TOKEN:
        number = field(details, "pat_id")
        return f"personal_access_token:{number}" if number else None
    git = _git(details)
    number = field(git, "gl_key_id")
    return f"{field(git, 'gl_key_type') or 'key'}:{number}" if number else None


def _account(event: dict[str, Any], details: dict[str, Any], kind: Kind) -> User | None:
    """The account that a change is about: the entity, else the target."""
    if kind is RESET_ASKED:
        # Whoever forgot a password says an address, or several to try a flaw of 2023.
        asked = field(event, "target_details") or field(details, "target_details")
        asked = asked or field(event, "entity_path") or field(details, "entity_path")
        first = (asked or "").strip('[] "').partition('"')[0]
        if first:
            return User(name=first, email_addr=fields.email(first))
    if event.get("entity_type") == "User":
        number = fields.integer(event, "entity_id")
        path = field(event, "entity_path") or field(details, "entity_path")
        if number is not None and number > 0:
            return User(name=path or str(number), uid=str(number), email_addr=fields.email(path))
    if (field(event, "target_type") or field(details, "target_type")) == "User":
        number = fields.integer(event, "target_id") or fields.integer(details, "target_id")
        shown = field(event, "target_details") or field(details, "target_details")
        if number is not None and number > 0:
            return User(name=shown or str(number), uid=str(number), email_addr=fields.email(shown))
    return None


def _source_endpoint(event: dict[str, Any], details: dict[str, Any]) -> Endpoint | None:
    ip = (
        fields.address(event.get("ip_address"))
        or fields.address(details.get("ip_address"))
        or fields.address(event.get("meta.remote_ip"))
    )
    return Endpoint(ip=ip) if ip else None


def _unmapped(
    event: dict[str, Any],
    details: dict[str, Any],
    kind: Kind,
    event_type: str | None,
    message: str,
    git: dict[str, Any],
) -> Unmapped | None:
    operation = resource = role = None
    target = field(event, "target_details") or field(details, "target_details")
    path = field(event, "entity_path") or field(details, "entity_path")
    if kind.use and kind not in (JOB, PERSONAL_TOKEN):
        operation, resource = event_type, path
        if verb := field(git, "verb") or field(git, "action"):
            operation = f"git {verb.removeprefix('git-')}"
        elif asked := field(details, "request"):
            method = field(details, "method")
            operation = " ".join(w for w in (method, _NUMBER.sub("/:id", asked)) if w)
    elif kind.name == "Token Create":
        of_person = (field(event, "target_type") or field(details, "target_type")) == "User"
        resource = None if of_person else target
    elif kind in (IMPERSONATION, IMPERSONATION_END):
        found = _OF.search(message)
        role = found[1] if found else target
    elif kind is ADMIN_MODE:
        role = "Admin Mode"
    result = Unmapped(
        credential_accepted=kind.accepted or None,
        operation=operation,
        resource=resource,
        role=role,
        non_interactive=kind in (JOB, PERSONAL_TOKEN) or None,
    )
    return None if result == _NOTHING else result


SOURCE = Source(
    name="gitlab",
    title="GitLab audit events",
    reads=(
        "audit events of the REST API, of an instance, a group or a project",
        "audit events streamed to a destination, with git operations, tokens used and job tokens",
        "the file audit_json.log of a self-managed instance",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.full_name",
        "user.type_id",
        "user.credential_uid",
        "actor.user",
        "src_endpoint.ip",
        "http_request.user_agent",
        "session.uid",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "status_detail",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.role",
        "unmapped.credential_accepted",
    ),
    documentation="https://docs.gitlab.com/user/compliance/audit_event_schema/",
    recognise=recognise,
    parse=parse,
)
