"""What a login teaches, once it has been judged: windows always, baselines only if trusted."""

from collections.abc import Sequence
from math import inf

from quivive.baseline.backoff import Levels
from quivive.baseline.geometry import distance_km
from quivive.baseline.lesson import Before
from quivive.baseline.observation import Observation
from quivive.baseline.profile import (
    CONSTELLATIONS_KEPT,
    GUESTS,
    PLACES_KEPT,
    SESSIONS_KEPT,
    SIGNED_IN_KEPT,
    Place,
    Profile,
    Recovery,
    Scene,
    SessionOrigin,
    ToldOf,
    Waiting,
)
from quivive.baseline.tables import DAY_MS
from quivive.engine.arrive import fail, failed_at
from quivive.engine.probation import wait
from quivive.engine.prompts import answer
from quivive.engine.shared import Delta
from quivive.engine.slots import come
from quivive.engine.state import State, group_before
from quivive.model.assessment import FINDING, Assessment
from quivive.scoring.assess import Told
from quivive.signals.elsewhere import is_credential, main_product, whereabouts
from quivive.signals.exploration import unfamiliar
from quivive.signals.signal import Spoken, familiarity

TOLD_KEPT = 16
WELCOME_TRUST = 0.5
TOLD_HORIZON = 7 * DAY_MS
SAME_AGAIN = 3.0
NEWS_FOR = 20 * DAY_MS // 24  # so that the same hour of the next day is another day
TELL_ABOVE = 40.0
TELL_EVERY = DAY_MS // 24
OPEN_ABOVE = 60.0  # one login in a thousand: told under any budget that leaves something to tell
OPEN_FOR = DAY_MS
RECOVERIES = frozenset({"Password Reset", "Password Change", "Factor Enroll", "Factor Reset"})


def note(login: Observation, scene: Scene, levels: Levels, state: State, delta: Delta) -> None:
    """What happened counts in the windows, whoever did it."""
    profile, time = scene.profile, login.time
    if not profile.first_seen:
        profile.first_seen = time
    if login.outcome == "success":
        profile.last_seen = max(profile.last_seen, time)
        if login.around is None:
            _explored(login, levels, profile)
        if login.country is not None and login.log.partition("/")[0] == main_product(profile):
            profile.main_countries.add(login.country, time)
            if login.asn is not None:
                profile.main_operators.add(login.asn, time)
        if login.network is not None and login.around is None and not is_credential(login):
            _signed_in(login, profile)
    answer(login, profile)
    if login.denied:
        profile.denials.add(time, login.count)
        profile.denial_rate.add(time, login.count)
    elif login.outcome == "failure" and not login.accepted:
        _failed(login, scene, levels, state, delta)
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


def _signed_in(login: Observation, profile: Profile) -> None:
    for where in whereabouts(login):
        profile.signed_in.pop(where, None)
        profile.signed_in[where] = login.time
    while len(profile.signed_in) > SIGNED_IN_KEPT:
        profile.signed_in.pop(next(iter(profile.signed_in)))


def _explored(login: Observation, levels: Levels, profile: Profile) -> None:
    for key in unfamiliar(login, levels):
        if key not in profile.explored.last_seen:
            profile.explored_rate.add(login.time)
        profile.explored.add(key, login.time)


def _failed(login: Observation, scene: Scene, levels: Levels, state: State, delta: Delta) -> None:
    profile, time = scene.profile, login.time
    profile.failures.add(time, login.count)
    profile.failure_rate.add(time, login.count)
    failed = failed_at(login)
    if failed is not None:
        fail(failed, state)
    if login.network is not None:
        profile.failing_networks.add(login.network, time)
    stray = login.asn is not None and familiarity(levels, "operator", login.asn) != "own"
    delta.stray = stray and profile.successes > 0


def told_before(login: Observation, profile: Profile) -> Told:
    """How much an analyst was told of this already: findings on the identity within a day, and
    findings of the same kind (country, client, device) within a week, which count thrice.
    """
    success = login.outcome == "success"
    findings, worst = profile.told.at(login.time), -inf
    rules = _rules_told(login, profile) if login.sigma else 0.0
    if not success:
        findings += profile.told_attempts.at(login.time)
    if not profile.told_constellations:
        return Told(findings, worst, rules=rules)
    kind, open_case, same = alike(login), 0.0, None
    for name, told in profile.told_constellations.items():
        if success and not told.success:
            continue  # who got in after attempts that were told of is news
        since = login.time - told.time
        if since >= TOLD_HORIZON:
            continue
        if since >= 0:
            worst = max(worst, told.risk)
            here = name == kind or (told.ip is not None and told.ip == login.ip)
            if here and since < OPEN_FOR and told.risk >= OPEN_ABOVE:
                open_case = max(open_case, told.risk)
        if name == kind:
            same = told
    if same is None:
        return Told(findings, worst, open_case=open_case, rules=rules)
    later = login.time - same.news >= NEWS_FOR
    return Told(findings + SAME_AGAIN, worst, later, open_case, rules)


def _rules_told(login: Observation, profile: Profile) -> float:
    """How much the same rules of the operator's count as told: thrice, within a day."""
    told = profile.told_rules.get(_rules_of(login))
    return SAME_AGAIN if told is not None and 0 <= login.time - told < OPEN_FOR else 0.0


def _rules_of(login: Observation) -> str:
    return "|".join(match.id for match in login.sigma)


def alike(login: Observation) -> str:
    """What makes logins of one identity the same to an analyst: country, product, client."""
    client = login.device or f"{login.os}|{login.browser}"
    if client == "None|None":
        client = str(login.asn or login.network)
    return f"{login.country}|{login.log.partition('/')[0]}|{client}"


def tell(login: Observation, assessment: Assessment, profile: Profile, delta: Delta) -> None:
    """A finding is remembered on its identity (to rank repeats lower) and on its address."""
    if login.sigma and assessment.risk_score >= FINDING and not _rules_told(login, profile):
        profile.told_rules.pop(_rules_of(login), None)
        profile.told_rules[_rules_of(login)] = login.time
        if len(profile.told_rules) > TOLD_KEPT:
            profile.told_rules.pop(next(iter(profile.told_rules)))
    learned = assessment.undamped
    if assessment.without_rules is not None:
        learned = assessment.without_rules
    if learned < TELL_ABOVE:
        return
    key, success = alike(login), login.outcome == "success"
    former = profile.told_constellations.pop(key, None)
    if former is not None and login.time - former.time >= TOLD_HORIZON:
        former = None
    if former is not None and success and not former.success:
        former = None  # attempts that were told of are forgotten once one got in
    if former is None or login.time - former.time > TELL_EVERY:
        (profile.told if success else profile.told_attempts).add(login.time)
    news = login.time
    if former is not None and assessment.repeated and assessment.risk_score < FINDING:
        news = former.news
    if former is not None and former.success and not success:
        # An attempt does not hide who got in.
        told = ToldOf(login.time, former.risk, True, news, former.ip)
    else:
        worst = max(learned, former.risk if former else 0.0)
        told = ToldOf(login.time, worst, success, news, login.ip)
    profile.told_constellations[key] = told
    if len(profile.told_constellations) > TOLD_KEPT:
        profile.told_constellations.pop(next(iter(profile.told_constellations)))
    if min(assessment.risk_score, learned) >= FINDING:
        delta.finding = True
        delta.comes_from(login.ip, login.network)


def learn(
    login: Observation,
    scene: Scene,
    levels: Levels,
    state: State,
    key: str,
    said: Sequence[Spoken],
    trust: float,
    waits: bool,
    delta: Delta,
) -> tuple[Before, bool]:
    """Adds a login to the three levels, for what it is trusted: each constellation once an hour.

    ``waits``: what it counts for is put off (probation.py). Gives what stood there before, and
    whether it was the first of its hour.
    """
    profile, time = scene.profile, login.time
    hour = time // 3_600_000
    kind, group = profile.kind, profile.group
    countries, networks = profile.countries.last_seen, profile.networks.last_seen
    country, network = countries.get(login.country or ""), networks.get(login.network or "")
    peers = group_before(profile, login)
    replaced, dropped, session = _remember(login, profile)
    delta.known += profile.successes == 1
    welcomed: tuple[int | None, ...] = ()
    delta.comes_from(login.ip, login.network)
    if trust >= WELCOME_TRUST:
        delta.welcome = True
        welcomed = _welcomed(login, scene, state)
    learned = profile.learned.get(key)
    counted = learned is None or learned < hour
    come(login, profile, trust, counted=counted)
    if counted:
        profile.learned.pop(key, None)
        profile.learned[key] = hour
        if len(profile.learned) > CONSTELLATIONS_KEPT:
            profile.learned.pop(next(iter(profile.learned)))
        if waits:
            found = tuple((f.factor, f.key, f.shared) for one in said for f in one.features)
            early = wait(profile, Waiting(time, key, peers, trust, found))
            delta.matured = [*delta.matured, *early]
        else:
            delta.group = peers
            _count(levels, said, trust, delta)
        if login.kind != kind or not group or profile.successes % 16 == 0:
            profile.kind = login.kind
            profile.group = GUESTS if login.guest else group_of(profile, login.kind)
    regrouped = profile.group if profile.group != group else None
    return (
        Before(
            country, network, welcomed, replaced, dropped, session, learned, kind, group, regrouped
        ),
        counted,
    )


def _welcomed(login: Observation, scene: Scene, state: State) -> tuple[int | None, ...]:
    """When the identity was last welcome at the login's address and in its network."""
    found: list[int | None] = []
    for key, address in ((login.ip, scene.address), (login.network, scene.network)):
        if key is not None:
            time = state.pending.welcome(key, login.identity)
            if time is None and address is not None:
                time = address.good.get(login.identity)
            found.append(time)
    return tuple(found)


def _count(levels: Levels, said: Sequence[Spoken], trust: float, delta: Delta) -> None:
    levels.own.add_all([one.own for one in said], levels.own_scale * trust)
    delta.trust = trust
    delta.said = [one.packed for one in said]


def _remember(login: Observation, profile: Profile) -> tuple[Place | None, Place | None, bool]:
    """Moves the identity's windows, places and sessions on.

    Gives the place that was replaced, the one that was dropped, and whether the session is new.
    """
    time = login.time
    profile.successes += 1
    profile.last_seen = max(profile.last_seen, time)
    if login.country is not None:
        profile.countries.add(login.country, time)
    if login.network is not None:
        if login.network not in profile.networks.last_seen:
            profile.network_rate.add(time)
        profile.networks.add(login.network, time)
    place = place_of(login)
    replaced, dropped = (None, None) if place is None else journey(place, profile)
    if login.session is None or login.session in profile.sessions:
        return replaced, dropped, False
    profile.sessions[login.session] = origin_of(login)
    if len(profile.sessions) > SESSIONS_KEPT:
        profile.sessions.pop(next(iter(profile.sessions)))
    return replaced, dropped, True


def origin_of(login: Observation) -> SessionOrigin:
    """Where the session of a login would begin."""
    return SessionOrigin(
        login.time, login.ip, login.asn, login.country, login.os, login.browser, login.device
    )


def place_of(login: Observation) -> Place | None:
    """Where a login puts its person, if it says so."""
    if login.lat is None or login.long is None or not login.interactive:
        return None
    label = ", ".join(part for part in (login.city, login.country) if part) or login.ip or "?"
    return Place(login.time, login.lat, login.long, login.ip, login.asn, label)


def journey(place: Place, profile: Profile) -> tuple[Place | None, Place | None]:
    """The last places in order of time; staying at one address only moves its time.

    Gives the place that was replaced and the one that was dropped.
    """
    places = profile.places
    if places and places[-1].time <= place.time:
        last = places[-1]
        if at_one(last, place):
            profile.places = [*places[:-1], place]
            return last, None
    merged = sorted([*places, place], key=lambda p: p.time)
    profile.places = merged[-PLACES_KEPT:]
    return None, merged[0] if len(merged) > PLACES_KEPT else None


def at_one(one: Place, other: Place) -> bool:
    """Whether two places are one: the same address, or within a kilometre."""
    return one.ip == other.ip or distance_km(one.lat, one.long, other.lat, other.long) < 1


def group_of(profile: Profile, kind: str) -> str:
    """The inferred peer group: people by home city, machines by the log they work in. (Guests,
    who come from everywhere, are peers wherever they live.)
    """
    factor = "city" if kind == "human" else "log"
    table = profile.own.tables.get(factor)
    if table is None or not table.values:
        return kind
    home = max(table.values.items(), key=lambda item: (item[1], item[0]))[0]
    return f"{kind}:{home}"
