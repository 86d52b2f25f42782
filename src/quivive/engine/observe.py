"""An event and its enrichment become one observation."""

import re
from functools import lru_cache

from msgspec.structs import replace

from quivive.baseline.directory import kind_of
from quivive.baseline.observation import Observation, constellation_of, facts_of
from quivive.engine.state import KnownPlace, State
from quivive.enrich.client import Client, os_family
from quivive.enrich.enricher import Enriched
from quivive.model.event import (
    Activity,
    AuthEvent,
    AuthFactor,
    AutonomousSystem,
    Device,
    Endpoint,
    FactorType,
    Location,
    Service,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.rule import RuleMatch

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
SHAPES_KEPT = 8_192

_NOTHING = Unmapped()
_ELSEWHERE = Enriched(client=Client())
_STRONG = frozenset({FactorType.WEBAUTHN, FactorType.U2F, FactorType.HARDWARE_TOKEN})
_DENIAL_CODES = frozenset({"500121"})
_RISKS = {
    "low": "low",
    "medium": "medium",
    "high": "high",
    "threatsuspected": "high",
    "leakedcredentials": "leakedCredentials",
}
_REFUSED = re.compile(
    r"AccessDenied|Unauthori[sz]ed|NotAuthori[sz]ed|AuthorizationError|Forbidden|NotPermitted"
    r"|ExplicitDeny|SCPDenied|Blocked|OptInRequired|AllAccessDisabled|^403$|^PERMISSION_DENIED$"
)
_OTHER, _SYSTEM = int(Activity.OTHER), int(UserType.SYSTEM)  # enumerations are slow to look at
_QUIET = frozenset({"none", "hidden", "unknownfuturevalue"})


def observe(event: AuthEvent, enriched: Enriched, state: State) -> Observation:
    """The facts of one event, under the identity its user resolves to."""
    identity = state.directory.resolve(event)
    lent = lent_to(event, enriched, state)
    profile = state.profiles.get(identity)
    usual_kind = "human" if profile is None else profile.kind
    return observed(event, enriched, identity, lent, usual_kind)


def lent_to(event: AuthEvent, enriched: Enriched, state: State) -> KnownPlace | None:
    """The place that another log's vendor stated for the event's address, where its own log states
    none; what it states itself is remembered.
    """
    return None if _by_another(event) else _lent(enriched, state, event.time)


def observed(
    event: AuthEvent,
    enriched: Enriched,
    identity: str,
    lent: KnownPlace | None,
    usual_kind: str,
) -> Observation:
    """The facts of an event whose ``identity`` and ``lent`` place are looked up; ``usual_kind`` is
    the kind of its identity so far, for records that do not say.
    """
    time, metadata, session = event.time, event.metadata, event.session
    by_another = _by_another(event)
    if by_another:
        # A reset by an administrator comes from the administrator's address and machine.
        enriched = _ELSEWHERE
    alike = _observed(
        identity,
        usual_kind,
        enriched,
        lent,
        by_another,
        event.user,
        None if by_another else event.device,
        None if event.activity_id == _OTHER else _acting(event),
        event.service,
        event.dst_endpoint,
        event.unmapped or _NOTHING,
        metadata.log_name or metadata.product.name,
        event.activity_id,
        event.activity_name,
        event.status_id,
        event.status_code,
        event.is_mfa,
        event.auth_factors,
        event.auth_protocol,
    )
    return replace(
        alike,
        time=time,
        hour=time // HOUR_MS % 24,
        weekday=(time // DAY_MS + EPOCH_WEEKDAY) % 7,
        session=None if session is None or by_another else session.uid,
        count=event.count or 1,
    )


@lru_cache(SHAPES_KEPT)
def _observed(
    identity: str,
    usual_kind: str,
    enriched: Enriched,
    lent: KnownPlace | None,
    by_another: bool,
    user: User,
    device: Device | None,
    acting: str | None,
    service: Service | None,
    target: Endpoint | None,
    extra: Unmapped,
    log: str,
    activity: int,
    activity_name: str | None,
    status: int,
    code: str | None,
    is_mfa: bool | None,
    factors: tuple[AuthFactor, ...] | None,
    protocol: str | None,
) -> Observation:
    """The observation but for its time, session and count: most logins are as one before."""
    client, place = enriched.client, enriched if lent is None else lent
    success = status == Status.SUCCESS
    around = activity_name if activity == Activity.OTHER else None
    if extra.non_interactive:
        log += "/background"
    elif around is not None:
        log += "/" + around.lower()
    risk = extra.vendor_risk.lower() if extra.vendor_risk else None
    found = Observation(
        time=0,
        identity=identity,
        kind=kind_of(user, identity, client.tool) or usual_kind,
        log=log,
        outcome=_outcome(activity, status, code, extra),
        accepted=success or bool(extra.credential_accepted),
        hour=0,
        weekday=0,
        guest=user.type_id == UserType.OTHER and user.type == "Guest",
        around=around,
        interactive=not extra.non_interactive and not client.tool,
        ip=enriched.ip,
        public=enriched.scope == "public",
        network=enriched.network,
        country=place.country,
        region=place.region,
        city=place.city,
        lat=place.lat,
        long=place.long,
        asn=str(place.asn) if place.asn is not None else None,
        as_name=place.as_name,
        network_kind=enriched.network_kind,
        bad_address=enriched.bad_address,
        os=(os_family(device.os.name) if device and device.os else None) or client.os,
        browser=client.browser or client.family,
        tool=client.tool,
        device=_device(device),
        managed=bool(device and device.is_managed),
        tls=None if by_another else extra.tls_fingerprint,
        application=(service.name or service.uid) if service else None,
        host=target.hostname if target else None,
        operation=extra.operation,
        resource=extra.resource,
        role=extra.role,
        runner=extra.runner,
        credential=user.credential_uid if not _ephemeral(user.credential_uid) else None,
        acting=acting,
        protocol=protocol,
        mfa=_mfa(is_mfa, factors, extra),
        denied=not success and (around == "MFA Challenge" or code in _DENIAL_CODES),
        vendor_risk=None if risk is None or risk in _QUIET else _RISKS.get(risk, risk[:32]),
        sigma=tuple([match for match in extra.sigma or () if _speaks(match)]),
    )
    return replace(found, facts=facts_of(found), constellation=constellation_of(found))


def forget_observed() -> None:
    """Forgets the observations that are remembered: somebody in them has to be forgotten."""
    _observed.cache_clear()


def _speaks(match: RuleMatch) -> bool:
    return not match.shadow and match.level != "informational"


def _by_another(event: AuthEvent) -> bool:
    """Whether somebody else did this to the account, outside any login of the user's own."""
    if event.activity_id != _OTHER or event.actor is None or event.actor.user is None:
        return False
    if event.actor.user.type_id == _SYSTEM and event.activity_name == "MFA Challenge":
        return False  # the product asks whoever signs in, and names their address
    return _differ(event.actor.user, event.user)


def _acting(event: AuthEvent) -> str | None:
    """Who used the account, where it was somebody else."""
    if event.actor is None or event.actor.user is None:
        return None
    acting = event.actor.user
    name = acting.email_addr or acting.name or acting.uid
    return name.lower() if name and _differ(acting, event.user) else None


def _differ(acting: User, user: User) -> bool:
    names = {name.lower() for name in (acting.uid, acting.name, acting.email_addr) if name}
    return not any(n and n.lower() in names for n in (user.uid, user.name, user.email_addr))


def _outcome(activity: int, status: int, code: str | None, extra: Unmapped) -> str:
    """What the login came to. A call that was allowed and failed for reasons of its own (nothing
    found, throttled) is a successful use of its credential.
    """
    if status == Status.SUCCESS:
        return "success"
    if status != Status.FAILURE:
        return "interrupt"
    call = activity == Activity.LOGON and extra.operation is not None
    if call and extra.credential_accepted and code is not None and not _REFUSED.search(code):
        return "success"
    return "failure"


def _ephemeral(credential: str | None) -> bool:
    """Temporary AWS keys and per-token ids change with each session and identify nothing."""
    return credential is not None and credential.startswith(("ASIA", "JTI="))


def _device(device: Device | None) -> str | None:
    if device is None:
        return None
    return device.uid or device.hostname or device.name


def _mfa(
    is_mfa: bool | None, factors: tuple[AuthFactor, ...] | None, extra: Unmapped
) -> str | None:
    if is_mfa is None:
        return None
    if not is_mfa:
        return "single"
    if extra.mfa_by_claim:
        return "claim"
    strong = any(f.factor_type_id in _STRONG for f in factors or ())
    return "phishing-resistant" if strong else "fresh"


def _lent(enriched: Enriched, state: State, time: int) -> KnownPlace | None:
    """What another log's vendor said of the address, where its own place is not known; None where
    it is, or nothing is to be had.
    """
    ip = enriched.ip
    if enriched.country is not None or enriched.asn is not None:
        if ip is not None and enriched.place_source == "vendor":
            found = _stated(enriched, time // DAY_MS)
            for key in (ip, enriched.network):
                if key is not None and state.places.get(key) != found:
                    state.places[key] = found
        return None
    if ip is None or enriched.scope != "public":
        return None
    known = state.places.get(ip)
    if known is None and enriched.network is not None:
        known = state.places.get(enriched.network)
    return known


@lru_cache(SHAPES_KEPT)
def _stated(enriched: Enriched, day: int) -> KnownPlace:
    return KnownPlace(
        enriched.country,
        enriched.region,
        enriched.city,
        enriched.lat,
        enriched.long,
        str(enriched.asn) if enriched.asn is not None else None,
        enriched.as_name,
        day,
    )


def with_known_place(event: AuthEvent, login: Observation) -> AuthEvent:
    """The event with the place and operator it was judged by, where it states none itself."""
    source = event.src_endpoint
    if source is None or source.location is not None or login.country is None:
        return event
    location = Location(
        city=login.city, region=login.region, country=login.country, lat=login.lat, long=login.long
    )
    system = source.autonomous_system
    if system is None and login.asn is not None and login.asn.isdecimal():
        system = AutonomousSystem(number=int(login.asn), name=login.as_name)
    return replace(event, src_endpoint=replace(source, location=location, autonomous_system=system))
