"""GitHub audit log of an organisation or enterprise: API and streamed JSON, and exported files."""

from typing import Any

from quivive.model.event import (
    Actor,
    AuthEvent,
    Endpoint,
    HttpRequest,
    Location,
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
from quivive.sources._github_actions import (
    BY_REQUEST,
    CATEGORIES,
    JOB,
    NOTICES,
    Access,
    Kind,
    access_of,
    kind_of,
)
from quivive.sources.fields import clean, field
from quivive.sources.source import Source

_PRODUCT = Product(name="GitHub", vendor_name="GitHub")
_GITHUB = Service(name="GitHub")
_NOTHING = Unmapped()
_TIMES = ("@timestamp", "created_at", "at_sign_timestamp")
_ABOUT = ("actor", "actor_id", "org", "business", "repo", "_document_id")
_NO_LOGIN = Skip("no authentication event")
_NOTICE = Skip("a notice beside the record of the login")
_BY_EVENT = Skip("a workflow run that an event started")
_ANONYMOUS = Skip("anonymous access to a public repository")
_WORKFLOWS = "github-actions[bot]"
_HOSTED = ("GitHub Actions", "Hosted Agent")
_BAD_CREDENTIAL = "401"


def recognise(record: RawRecord) -> bool:
    """A time, an action of one of GitHub's categories, and whom or what it was about."""
    event = record.fields
    if event is None:
        return False
    action = event.get("action")
    if type(action) is not str or action.partition(".")[0] not in CATEGORIES:
        return False
    if "." not in action or not any(name in event for name in _TIMES):
        return False
    return any(name in event for name in _ABOUT)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login, the use of a credential or the change of one that a record tells of."""
    event = record.fields or {}
    action = field(event, "action")
    if action is None:
        raise RejectError("action: missing")
    if action in NOTICES:
        return _NOTICE
    kind = kind_of(action)
    if kind is None:
        return _NO_LOGIN
    if action == "workflows.created_workflow_run" and field(event, "event") not in BY_REQUEST:
        return _BY_EVENT
    repo = field(event, "repo") or field(event, "repository")
    transport = field(event, "transport_protocol_name") or field(event, "protocol_name")
    access = access_of(field(event, "programmatic_access_type"), transport)
    written = next((event[name] for name in _TIMES if event.get(name) not in (None, "")), None)
    time = fields.timestamp(written, "@timestamp", default=record.reference_time)
    token = field(event, "hashed_token") or _token_id(event)
    if action == JOB:
        user, actor = _job(event, repo)
    else:
        found = _parties(event, kind, access, repo, token)
        if found is None:
            if fields.boolean(event, "repository_public") and token is None:
                return _ANONYMOUS
            raise RejectError("actor: no name or id of the user")
        user, actor = found
    status, code = _status(event, kind)
    # The address and the client of a job are those of whoever started it.
    job = action == JOB
    agent = None if job else field(event, "user_agent")
    protocol, protocol_id = ("SAML", 5) if kind.saml else (access.protocol, access.protocol_id)
    return AuthEvent(
        time=time,
        activity_id=kind.activity,
        activity_name=kind.name,
        status_id=status,
        status_code=code,
        user=user,
        actor=actor,
        service=_GITHUB,
        src_endpoint=None if job else _source_endpoint(event),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        session=Session(uid=token) if token and access.ephemeral and not job else None,
        is_mfa=True if kind.mfa else None,
        auth_factors=(kind.factor,) if kind.factor and kind.mfa else None,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(event, "_document_id"),
            log_name="GitHub audit log",
            original_time=written,
            event_code=action,
            correlation_uid=field(event, "request_id"),
            tenant_uid=field(event, "org_id") or field(event, "business_id"),
        ),
        unmapped=_unmapped(event, action, kind, status, code, repo),
    )


def _token_id(event: dict[str, Any]) -> str | None:
    number = field(event, "token_id")
    return f"token_id:{number}" if number and number != "0" else None


def _job(event: dict[str, Any], repo: str | None) -> tuple[User, Actor | None]:
    """A workflow's job is told with whoever started it; it runs as its repository."""
    if repo is None:
        raise RejectError("repo: missing, and a workflow's job has no other name")
    by = _account(event, "actor")
    return _workflow(repo), Actor(user=by) if by else None


def _workflow(repo: str) -> User:
    """The identity of a repository's workflows, by the name it also has at cloud providers."""
    return User(name=f"repo:{repo}", type_id=UserType.SERVICE)


def _parties(
    event: dict[str, Any], kind: Kind, access: Access, repo: str | None, token: str | None
) -> tuple[User, Actor | None] | None:
    """Whose credential it is, and who acted where that is somebody else."""
    name = field(event, "actor")
    if name == "deploy_key" or access.deploy:
        # GitHub names no key, but a deploy key opens one repository.
        name = f"deploy_key:{repo}" if repo else "deploy_key"
        return User(name=name, type_id=UserType.SERVICE, credential_uid=token), None
    if name == _WORKFLOWS and repo:
        # One app for everybody, but each job's token is for the repository it runs in.
        return _workflow(repo), Actor(app_name=name)
    actor = _account(event, "actor", access)
    if kind.of_user and (user := _account(event, "user")) is not None:
        if actor is not None and user.name != actor.name:
            return user, Actor(user=actor)
    credential = None if access.ephemeral else token
    if actor is None:
        actor = _account(event, "user")
    if actor is None:
        if token is None:
            return None
        return User(uid=token, type_id=UserType.SERVICE, credential_uid=credential), None
    return _with(actor, credential), None


def _with(user: User, credential: str | None) -> User:
    return User(
        name=user.name,
        uid=user.uid,
        uid_alt=user.uid_alt,
        email_addr=user.email_addr,
        type_id=user.type_id,
        credential_uid=credential,
    )


def _account(event: dict[str, Any], role: str, access: Access | None = None) -> User | None:
    """The ``actor`` or the ``user`` of a record.

    Accounts that scripts use are users like any other to GitHub, so only an app is known for a
    machine. A member's name at the identity provider stands beside the actor's login.
    """
    name = field(event, role)
    uid = field(event, f"{role}_id")
    uid = uid if uid != "0" else None
    linked = None
    if role == "actor":
        linked = field(event, "external_identity_nameid") or field(
            event, "external_identity_username"
        )
    if name is None and uid is None and linked is None:
        return None
    mail = fields.email(linked)
    bot = (name or "").endswith("[bot]") or (access is not None and access.machine)
    if role == "actor":
        bot = bot or fields.boolean(event, "actor_is_bot") is True
    return User(
        name=name or linked or uid,
        uid=uid,
        uid_alt=linked if name and not mail else None,
        email_addr=mail or fields.email(name),
        type_id=UserType.SERVICE if bot else None,
    )


def _status(event: dict[str, Any], kind: Kind) -> tuple[Status, str | None]:
    """A request of the API has an HTTP status; the rest is told by the action alone."""
    code = fields.integer(event, "status_code") if kind.use else None
    if code is None:
        return kind.status, None
    return (Status.FAILURE if code >= 400 else Status.SUCCESS), str(code)


def _source_endpoint(event: dict[str, Any]) -> Endpoint | None:
    ip = fields.address(event.get("actor_ip"))
    place = fields.mapping(event, "actor_location")
    country = fields.country(place.get("country_code"))
    location = None
    if country:
        location = Location(
            country=country, region=clean(place.get("region")), city=clean(place.get("city"))
        )
    return Endpoint(ip=ip, location=location) if ip or location else None


def _unmapped(
    event: dict[str, Any],
    action: str,
    kind: Kind,
    status: Status,
    code: str | None,
    repo: str | None,
) -> Unmapped | None:
    operation = resource = runner = None
    if kind.use:
        operation, resource = action, repo
    if action == "api.request":
        method, route = field(event, "request_method"), field(event, "route")
        operation = " ".join(word for word in (method, route) if word) or action
    elif action == JOB:
        # "org/repo/.github/workflows/release.yml@refs/heads/main"
        workflow = field(event, "job_workflow_ref")
        resource = workflow.partition("@")[0] if workflow else repo
        runner = _runner(event)
    refused = status == Status.FAILURE and code is not None and code != _BAD_CREDENTIAL
    found = Unmapped(
        credential_accepted=True if kind.accepted or refused else None,
        operation=operation,
        resource=resource,
        runner=runner,
    )
    return None if found == _NOTHING else found


def _runner(event: dict[str, Any]) -> str | None:
    """A self-hosted runner's name; GitHub's own are new for each job and go by their label."""
    name = field(event, "runner_name")
    labels = [word for item in fields.items(event, "runner_labels") if (word := clean(item))]
    hosted = fields.boolean(event, "is_hosted_runner")
    if hosted is None:
        hosted = (name or "").startswith(_HOSTED) or field(event, "runner_group_name") == _HOSTED[0]
    if hosted:
        return f"GitHub-hosted {labels[0]}" if labels else "GitHub-hosted"
    return name or (", ".join(labels) or None)


SOURCE = Source(
    name="github",
    title="GitHub audit log",
    reads=(
        "audit log events of an organisation or enterprise, from the REST API or a JSON export",
        "streamed audit log events, with git events, API requests and source addresses",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "user.credential_uid",
        "actor.user",
        "src_endpoint.ip",
        "src_endpoint.location",
        "http_request.user_agent",
        "session.uid",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.runner",
        "unmapped.credential_accepted",
    ),
    documentation="https://docs.github.com/en/enterprise-cloud@latest/organizations/"
    "keeping-your-organization-secure/managing-security-settings-for-your-organization/"
    "audit-log-events-for-your-organization",
    recognise=recognise,
    parse=parse,
)
