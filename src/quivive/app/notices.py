"""From a scored line to what people are told of it, with the identity's login before beside it."""

from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network

import msgspec
from msgspec import Struct

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.incident import Change, Finding, Incident
from quivive.model.notification import RUNBOOKS, Notification, Side
from quivive.model.words import counted
from quivive.signals import sigma

# The runbook of an alert, by the first of these signals that is among its reasons.
BY_SIGNAL = {
    "mfa_denials": "mfa-fatigue.md",
    "recovery": "account-recovery.md",
}
_STATUS: dict[int, str] = {
    Status.SUCCESS: "success",
    Status.FAILURE: "failure",
    Status.OTHER: "interrupted",
}


class Said(Struct, frozen=True):
    """A reason of a scored line."""

    signal: str
    text: str
    weight: float = 0.0
    attack: tuple[str, ...] = ()


class Beside(Struct, frozen=True):
    """What another rule says beside the decision."""

    action: str
    mode: str

    @property
    def pages(self) -> bool:
        """Whether it asks for a person, and is in force."""
        return self.action == "page" and self.mode != "shadow"


class Ruling(Struct, frozen=True):
    """A decision of a scored line."""

    action: str
    mode: str
    rule: str
    contexts: tuple[str, ...] = ()
    also: tuple[Beside, ...] = ()
    runbook: str | None = None

    @property
    def pages(self) -> bool:
        """Whether policy asks for a person."""
        return Beside(self.action, self.mode).pages or any(each.pages for each in self.also)


class Scored(Struct, frozen=True):
    """What is read of a scored line here."""

    event: AuthEvent
    id: str
    identity: str
    identity_kind: str
    risk_score: float
    risk_level: str
    confidence: float
    decision: Ruling
    reasons: tuple[Said, ...] = ()
    finding: bool = False
    repeated: int = 0
    undamped: float | None = None
    looks_like: str | None = None
    otherwise: str | None = None
    counterfactual: str | None = None


def _says_admin(_: str, event: AuthEvent) -> bool:
    return event.user.type_id == UserType.ADMIN


class Known(Struct, frozen=True, kw_only=True):
    """What is known besides a line, from what was learned; by default only what it says itself.

    reach: how many applications, roles, hosts and resources an identity is known to use. shared:
    whether many are at home behind an address, so that sharing it says nothing. privileged: whether
    an identity can do much harm. silencing: which of the contexts that applied asks for silence.
    """

    reach: Callable[[str], int] = lambda _: 1
    shared: Callable[[str], bool] = lambda _: False
    privileged: Callable[[str, AuthEvent], bool] = _says_admin
    silencing: Callable[[tuple[str, ...]], str | None] = lambda _: None


_decoder = msgspec.json.Decoder(Scored)


def read_line(line: bytes) -> Scored:
    """A scored line. Raises msgspec.DecodeError or ValidationError for anything else."""
    return _decoder.decode(line)


def finding_of(scored: Scored, known: Known) -> Finding:
    """The finding as incidents see it."""
    event = scored.event
    source = event.src_endpoint
    operator = source.autonomous_system.number if source and source.autonomous_system else None
    country = source.location.country if source and source.location else None
    client = event.http_request.user_agent if event.http_request else None
    service = service_of(event)
    product = event.metadata.product.name
    return Finding(
        id=scored.id,
        time=event.time,
        identity=scored.identity,
        kind=scored.identity_kind,
        risk=scored.risk_score,
        confidence=scored.confidence,
        service=f"{product}: {service}" if service else product,
        alike="|".join(map(str, (country, operator, product, service, _family(client)))),
        links=tuple(_links(scored, known, operator, client)),
        privileged=known.privileged(scored.identity, event),
        guest=event.user.type == "Guest",
        got_in=event.status_id == Status.SUCCESS,
        reach=known.reach(scored.identity),
        paged=scored.decision.pages,
        signals=tuple(dict.fromkeys(reason.signal for reason in scored.reasons)),
        suppressed=known.silencing(scored.decision.contexts),
        pinned=any(reason.signal in PINNED for reason in scored.reasons),
    )


PINNED = sigma.PINNED | {
    *("bad_address", "leaked_credential", "interactive_service", "spray_success"),
}


def _links(scored: Scored, known: Known, operator: int | None, client: str | None) -> Iterable[str]:
    """What may join findings on several identities: an address or network that is not shared by
    many anyway; an operator only together with an unusual program.
    """
    address = scored.event.src_endpoint.ip if scored.event.src_endpoint else None
    if address is not None and not known.shared(address):
        try:
            parsed = ip_address(address)
        except ValueError:
            return
        if not parsed.is_global:
            return
        yield f"address {address}"
        width = 24 if parsed.version == 4 else 48
        yield f"network {ip_network((parsed, width), strict=False)}"
    signals = {reason.signal for reason in scored.reasons}
    if operator is not None and client and {"client", "os"} & signals:
        yield f"operator AS{operator} with {client[:120]}"


def _family(client: str | None) -> str:
    """A user agent without its versions, so that an update is nothing new."""
    return "".join(c for c in client or "" if not c.isdigit())[:120]


def service_of(event: AuthEvent) -> str | None:
    """What was logged in to, in words."""
    if event.service is not None and (event.service.name or event.service.uid):
        return event.service.name or event.service.uid
    target = event.dst_endpoint
    return (target.hostname or target.name or target.ip) if target is not None else None


def side_of(event: AuthEvent) -> Side:
    """A login as it is shown beside another."""
    source, device = event.src_endpoint, event.device
    place = source.location if source else None
    operator = source.autonomous_system if source else None
    words = [place.city, place.region, place.country] if place else []
    network = operator.name if operator else None
    if operator and operator.number:
        network = f"AS{operator.number} {network or ''}".strip()
    named = (device.name or device.hostname or device.uid) if device else None
    system = device.os.name if device and device.os else None
    return Side(
        time=event.time,
        place=", ".join(dict.fromkeys(w for w in words if w)) or None,
        network=network,
        ip=source.ip or source.svc_name if source else None,
        device=" on ".join(w for w in (named, system) if w) or None,
        client=event.http_request.user_agent if event.http_request else None,
        service=service_of(event),
        outcome=_STATUS.get(event.status_id, "unknown"),
    )


def previous_of(lines: Iterable[bytes]) -> Side | None:
    """The newest of earlier lines that got in, else the newest of all."""
    newest = None
    for line in lines:
        event = read_line(line).event
        if event.status_id == Status.SUCCESS:
            return side_of(event)
        newest = newest or event
    return None if newest is None else side_of(newest)


_TITLES = {
    "opened": "{who}: {level} risk login to {service}",
    "grew": "{who}: more of the same incident, now {count} on {many}",
    "raised": "{who}: the incident has become more urgent",
    "reopened": "{who}: it is happening again",
    "escalated": "{who}: nobody has answered yet",
    "closed": "{who}: closed, {because}",
}


def notice(
    change: Change, incident: Incident, scored: Scored | None, previous: Side | None
) -> Notification:
    """What is told of a change of an incident. ``scored`` is the finding it is about, ``previous``
    the identity's login before it.
    """
    many = len(incident.identities) + incident.more_identities
    names = sorted(incident.identities)
    who = scored.identity if scored is not None else next(iter(names), "unknown")
    if many > 1:
        who = f"{who} and {many - 1} more"
    if incident.containment_failed and change.what == "raised":
        title = f"{who}: containment failed"
    else:
        title = _TITLES[change.what].format(
            who=who,
            level=scored.risk_level if scored is not None else "unknown",
            service=next(iter(incident.services), "unknown"),
            count=counted(incident.count, "finding"),
            many=f"{many} identities" if many > 1 else "it",
            because=incident.closed_because or "done",
        )
    text = []
    if incident.joined_by:
        text.append(f"One campaign: {many} identities over {incident.joined_by}.")
    if incident.reopened:
        text.append(f"Opened again {counted(incident.reopened, 'time')}.")
    if incident.suppressed:
        text.append(
            f"{counted(incident.suppressed, 'finding falls', 'findings fall')} into"
            f" {incident.suppressed_by}."
        )
    text += [f"{note.by}: {note.text}" for note in incident.notes[-3:]]
    common = Notification(
        key=change.key,
        about="containment" if incident.containment_failed else "incident",
        what=change.what,
        thread=incident.id,
        priority=change.priority,
        route=change.route,
        time=change.time,
        title=title,
        text=tuple(text),
        identity=who,
        identities=many,
        services=tuple(incident.services),
        findings=incident.count,
        told=incident.escalated,
        risk_score=round(incident.risk, 4),
        confidence=round(incident.confidence, 3),
        runbook=runbook_of(incident, scored),
    )
    if scored is None:
        return common
    decision = scored.decision
    return msgspec.structs.replace(
        common,
        identity=scored.identity,
        identity_kind=scored.identity_kind,
        risk_level=scored.risk_level,
        reasons=tuple(reason.text for reason in scored.reasons),
        attack=tuple(dict.fromkeys(a for reason in scored.reasons for a in reason.attack)),
        looks_like=scored.looks_like,
        otherwise=scored.otherwise,
        counterfactual=scored.counterfactual,
        login=side_of(scored.event),
        previous=previous,
        decision=f"{decision.action} ({decision.mode}, {decision.rule})",
        event_id=scored.id,
    )


def runbook_of(incident: Incident, scored: Scored | None) -> str:
    """The runbook: the rule's own, else by what the incident is like."""
    if scored is not None and scored.decision.runbook and not incident.containment_failed:
        named = scored.decision.runbook
        return named if "/" in named else f"{RUNBOOKS}/{named}"
    return f"{RUNBOOKS}/{_page(incident, scored)}"


def _page(incident: Incident, scored: Scored | None) -> str:
    if incident.containment_failed:
        return "response-failed.md"
    for signal, page in BY_SIGNAL.items():
        if signal in incident.signals:
            return page
    if incident.campaign:
        return "campaign.md"
    service = scored is not None and scored.identity_kind == "service"
    return "service-account.md" if service else "takeover.md"
