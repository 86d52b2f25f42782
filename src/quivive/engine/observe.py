"""An event and its enrichment become one observation."""

import re

from msgspec.structs import replace

from quivive.baseline.directory import kind_of
from quivive.baseline.observation import Observation
from quivive.engine.state import KnownPlace, State
from quivive.enrich.client import Client, os_family
from quivive.enrich.enricher import Enriched
from quivive.model.event import (
    Activity,
    AuthEvent,
    AutonomousSystem,
    Device,
    FactorType,
    Location,
    Status,
    Unmapped,
    UserType,
)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday

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
    r"|ExplicitDeny|SCPDenied|Blocked|OptInRequired|AllAccessDisabled|^403$"
)
_QUIET = frozenset({"none", "hidden", "unknownfuturevalue"})


def observe(event: AuthEvent, enriched: Enriched, state: State) -> Observation:
    """The facts of one event, under the identity its user resolves to."""
    extra = event.unmapped or _NOTHING
    by_another = _by_another(event)
    if by_another:
        # A reset by an administrator comes from the administrator's address and machine.
        enriched = _ELSEWHERE
    identity = state.directory.resolve(event)
    profile = state.profiles.get(identity)
    client = enriched.client
    kind = kind_of(event, identity, client.tool) or (
        profile.kind if profile is not None else "human"
    )
    place = _place(enriched, state, event.time)
    success = event.status_id == Status.SUCCESS
    around = event.activity_name if event.activity_id == Activity.OTHER else None
    interactive = not extra.non_interactive and not client.tool
    log = event.metadata.log_name or event.metadata.product.name
    if extra.non_interactive:
        log += "/background"
    elif around is not None:
        log += "/" + around.lower()
    service, target = event.service, event.dst_endpoint
    device, session = (None, None) if by_another else (event.device, event.session)
    user = event.user
    risk = extra.vendor_risk.lower() if extra.vendor_risk else None
    return Observation(
        time=event.time,
        identity=identity,
        kind=kind,
        log=log,
        outcome=_outcome(event, extra),
        accepted=success or bool(extra.credential_accepted),
        hour=event.time // HOUR_MS % 24,
        weekday=(event.time // DAY_MS + EPOCH_WEEKDAY) % 7,
        guest=user.type_id == UserType.OTHER and user.type == "Guest",
        around=around,
        interactive=interactive,
        ip=enriched.ip,
        public=enriched.scope == "public",
        network=enriched.network,
        country=place.country,
        region=place.region,
        city=place.city,
        lat=place.lat,
        long=place.long,
        asn=place.asn,
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
        session=session.uid if session else None,
        protocol=event.auth_protocol,
        mfa=_mfa(event, extra),
        denied=not success and (around == "MFA Challenge" or (event.status_code in _DENIAL_CODES)),
        vendor_risk=None if risk is None or risk in _QUIET else _RISKS.get(risk, risk[:32]),
        count=event.count or 1,
    )


def _by_another(event: AuthEvent) -> bool:
    """Whether somebody else did this to the account, outside any login of the user's own."""
    if event.activity_id != Activity.OTHER or event.actor is None or event.actor.user is None:
        return False
    acting, user = event.actor.user, event.user
    names = {name.lower() for name in (acting.uid, acting.name, acting.email_addr) if name}
    return not any(n and n.lower() in names for n in (user.uid, user.name, user.email_addr))


def _outcome(event: AuthEvent, extra: Unmapped) -> str:
    """What the login came to. A call that was allowed and failed for reasons of its own (nothing
    found, throttled) is a successful use of its credential.
    """
    if event.status_id == Status.SUCCESS:
        return "success"
    if event.status_id != Status.FAILURE:
        return "interrupt"
    code = event.status_code
    call = event.activity_id == Activity.LOGON and extra.operation is not None
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


def _mfa(event: AuthEvent, extra: Unmapped) -> str | None:
    if event.is_mfa is None:
        return None
    if not event.is_mfa:
        return "single"
    if extra.mfa_by_claim:
        return "claim"
    factors = event.auth_factors or ()
    return "phishing-resistant" if any(f.factor_type_id in _STRONG for f in factors) else "fresh"


_NOWHERE = KnownPlace(None, None, None, None, None, None, None)


def _place(enriched: Enriched, state: State, time: int) -> KnownPlace:
    """The place of the address; where none is known, what another log's vendor said of it."""
    ip = enriched.ip
    if enriched.country is not None or enriched.asn is not None:
        found = KnownPlace(
            enriched.country,
            enriched.region,
            enriched.city,
            enriched.lat,
            enriched.long,
            str(enriched.asn) if enriched.asn is not None else None,
            enriched.as_name,
            time // DAY_MS,
        )
        if ip is not None and enriched.place_source == "vendor":
            for key in (ip, enriched.network):
                if key is not None and state.places.get(key) != found:
                    state.places[key] = found
        return found
    if ip is None or enriched.scope != "public":
        return _NOWHERE
    known = state.places.get(ip)
    if known is None and enriched.network is not None:
        known = state.places.get(enriched.network)
    return known or _NOWHERE


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
