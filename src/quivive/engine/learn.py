"""What a login teaches, once it has been judged: windows always, baselines only if trusted."""

from collections.abc import Sequence
from math import inf

from quivive.baseline.backoff import Levels
from quivive.baseline.geometry import distance_km
from quivive.baseline.observation import Observation
from quivive.baseline.profile import (
    CONSTELLATIONS_KEPT,
    PLACES_KEPT,
    SESSIONS_KEPT,
    Held,
    Place,
    Profile,
    Recovery,
    Scene,
    SessionOrigin,
    ToldOf,
)
from quivive.baseline.tables import DAY_MS
from quivive.engine.state import State
from quivive.model.assessment import FINDING, Assessment
from quivive.scoring.assess import REPEAT, Told
from quivive.signals.signal import Feature, familiarity

# Tables that only an identity keeps: open sets too large to share.
PRIVATE = frozenset({"address", "subnet"})
HELD_KEPT = 8
TOLD_KEPT = 16
HOLD_AT_HOME = DAY_MS // 2
HOLD_AWAY = 7 * DAY_MS
HOLD_DAYS = 5
WELCOME_TRUST = 0.5
FINDINGS_KEPT = 16
TOLD_HORIZON = 7 * DAY_MS
SAME_AGAIN = 3.0
TELL_ABOVE = 40.0
TELL_EVERY = DAY_MS // 24
RECOVERIES = frozenset({"Password Reset", "Password Change", "Factor Enroll", "Factor Reset"})


def note(login: Observation, scene: Scene, levels: Levels, state: State) -> None:
    """What happened counts in the windows, whoever did it."""
    profile, time = scene.profile, login.time
    if not profile.first_seen:
        profile.first_seen = time
    if login.outcome == "success":
        profile.last_seen = max(profile.last_seen, time)
    if login.denied:
        profile.denials.add(time, login.count)
        profile.denial_rate.add(time, login.count)
    elif login.outcome == "failure" and not login.accepted:
        _failed(login, scene, levels, state)
    elif login.outcome == "failure" and login.operation is not None:
        profile.refusals.add(time)
        profile.refusal_rate.add(time)
    if login.around in RECOVERIES and login.outcome == "success":
        familiar = (
            login.network is not None and familiarity(levels, "subnet", login.network) == "own"
        )
        profile.recoveries = [
            *profile.recoveries[-7:],
            Recovery(time, login.around or "", login.network, familiar),
        ]


def _failed(login: Observation, scene: Scene, levels: Levels, state: State) -> None:
    profile, time = scene.profile, login.time
    profile.failures.add(time, login.count)
    profile.failure_rate.add(time, login.count)
    for address in state.address(login):
        address.failing.add(login.identity, time)
        address.failures.add(time, login.count)
    if login.network is not None:
        profile.failing_networks.add(login.network, time)
    stray = login.asn is not None and familiarity(levels, "operator", login.asn) != "own"
    if stray and profile.successes:
        organisation = state.organisation
        if login.identity not in organisation.stray_identities.members(time):
            organisation.stray_rate.add(time)
        organisation.stray_identities.add(login.identity, time)


def told_before(login: Observation, profile: Profile) -> Told:
    """How much an analyst was told of this already: findings on the identity within a day, and
    findings of the same kind (country, client, device) within a week, which count thrice.
    """
    findings, worst = profile.told.at(login.time), -inf
    for told in profile.told_constellations.values():
        if 0 <= login.time - told.time < TOLD_HORIZON:
            worst = max(worst, told.score)
    same = profile.told_constellations.get(_same(login))
    if same is not None and login.time - same.time < TOLD_HORIZON:
        findings += SAME_AGAIN
    return Told(findings, worst)


def _same(login: Observation) -> str:
    client = login.device or f"{login.os}|{login.browser}"
    if client == "None|None":
        client = str(login.asn or login.network)
    return f"{login.country}|{login.log.partition('/')[0]}|{client}"


def tell(login: Observation, assessment: Assessment, scene: Scene, state: State) -> None:
    """A finding is remembered on its identity (to rank repeats lower) and on its address."""
    profile = scene.profile
    if assessment.risk_score + REPEAT * assessment.repeated < TELL_ABOVE:
        return
    key = _same(login)
    former = profile.told_constellations.pop(key, None)
    if former is None or login.time - former.time > TELL_EVERY:
        profile.told.add(login.time)
    worst = max(assessment.score, former.score if former else -inf)
    profile.told_constellations[key] = ToldOf(login.time, worst)
    if len(profile.told_constellations) > TOLD_KEPT:
        profile.told_constellations.pop(next(iter(profile.told_constellations)))
    if assessment.risk_score < FINDING:
        return
    for address in state.address(login):
        address.findings[login.identity] = login.time
        if len(address.findings) > FINDINGS_KEPT:
            address.findings.pop(next(iter(address.findings)))


def hold(login: Observation, profile: Profile) -> Held:
    """Keeps a login too unusual to trust out of the baseline, and notes how often its kind came."""
    kind, time = _same(login), login.time
    kept = [held for held in profile.held if held.kind != kind]
    former = next((held for held in profile.held if held.kind == kind), None)
    if former is None:
        found = Held(kind, time, time, 1)
    else:
        another_day = time // DAY_MS != former.last // DAY_MS
        found = Held(kind, former.since, max(time, former.last), former.days + another_day)
    profile.held = [*kept[-(HELD_KEPT - 1) :], found]
    return found


def released(login: Observation, levels: Levels, held: Held) -> bool:
    """Whether something stronger than time speaks for a held login.

    Its own address with its own device, key or client: from the next half day on. Its own
    managed device alone: after a week in which it came on five days. Nothing else here; verdicts
    release the rest.
    """
    if login.around is not None:
        return False
    client = f"{login.log}/{login.os or '?'}/{login.browser or '?'}"
    own_device = login.device is not None and familiarity(levels, "device", login.device) == "own"
    own_client = own_device or (
        login.device is None and familiarity(levels, "client", client) == "own"
    )
    at_home = login.ip is not None and familiarity(levels, "address", login.ip) == "own"
    waited = login.time - held.since
    if at_home and own_client:
        return waited > HOLD_AT_HOME
    return own_device and login.managed and held.days >= HOLD_DAYS and waited > HOLD_AWAY


def learn(
    login: Observation,
    scene: Scene,
    levels: Levels,
    state: State,
    key: str,
    features: Sequence[Feature],
    trust: float,
) -> None:
    """Adds a login to the three levels, for what it is trusted: each constellation once an hour."""
    profile, time = scene.profile, login.time
    hour = time // 3_600_000
    _remember(login, profile)
    for address in state.address(login):
        if trust >= WELCOME_TRUST:
            address.welcome(login.identity, time)
    if profile.learned.get(key, -1) >= hour:
        return
    profile.learned.pop(key, None)
    profile.learned[key] = hour
    if len(profile.learned) > CONSTELLATIONS_KEPT:
        profile.learned.pop(next(iter(profile.learned)))
    own, peers, everyone = levels.own, levels.peers, levels.everyone
    for feature in features:
        factor, category = feature.factor, feature.key
        own.add(factor, category, levels.own_scale * trust)
        if factor not in PRIVATE:
            everyone.add(factor, category, levels.everyone_scale * trust)
            if feature.weigh:
                peers.add(factor, category, levels.peers_scale * trust)
    if login.kind != profile.kind or not profile.group or profile.successes % 16 == 0:
        profile.kind = login.kind
        profile.group = group_of(profile, login.kind)


def _remember(login: Observation, profile: Profile) -> None:
    time = login.time
    profile.successes += 1
    profile.last_seen = max(profile.last_seen, time)
    if login.country is not None:
        profile.countries.add(login.country, time)
    if login.network is not None:
        if login.network not in profile.networks.last_seen:
            profile.network_rate.add(time)
        profile.networks.add(login.network, time)
    if login.lat is not None and login.long is not None and login.interactive:
        _journey(login, profile)
    if login.session is not None and login.session not in profile.sessions:
        profile.sessions[login.session] = SessionOrigin(
            time, login.ip, login.asn, login.country, login.os
        )
        if len(profile.sessions) > SESSIONS_KEPT:
            profile.sessions.pop(next(iter(profile.sessions)))


def _journey(login: Observation, profile: Profile) -> None:
    """The last places in order of time; staying at one address only moves its time."""
    lat, long = login.lat or 0.0, login.long or 0.0
    label = ", ".join(part for part in (login.city, login.country) if part) or login.ip or "?"
    place = Place(login.time, lat, long, login.ip, login.asn, label)
    places = profile.places
    if places and places[-1].time <= login.time:
        last = places[-1]
        if last.ip == login.ip or distance_km(last.lat, last.long, lat, long) < 1:
            profile.places = [*places[:-1], place]
            return
    merged = sorted([*places, place], key=lambda p: p.time)
    profile.places = merged[-PLACES_KEPT:]


def group_of(profile: Profile, kind: str) -> str:
    """The inferred peer group: people by home city, machines by the log they work in."""
    factor = "city" if kind == "human" else "log"
    table = profile.own.tables.get(factor)
    if table is None or not table.values:
        return kind
    home = max(table.values.items(), key=lambda item: (item[1], item[0]))[0]
    return f"{kind}:{home}"
