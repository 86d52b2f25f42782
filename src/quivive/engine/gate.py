"""What a login counts for: what is too unusual is held, and what speaks for it releases it."""

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import (
    CONSTELLATIONS_KEPT,
    AddressState,
    Held,
    Judged,
    Profile,
    Scene,
)
from quivive.baseline.tables import DAY_MS
from quivive.engine.learn import alike
from quivive.signals.signal import familiarity

HELD_KEPT = 8
HOLD_AT_HOME = DAY_MS // 2
HOLD_AWAY = 7 * DAY_MS
HOLD_DAYS = 5
RELEASED_TRUST = 0.5
VOUCHED_FOR = 90 * DAY_MS  # what an analyst found in order is learned this long without asking
TAINTED_FOR = 90 * DAY_MS  # addresses are given to somebody else in time
SHARED_BY = 5  # identities at home on an address before an attacker's login says little of it


def hold(login: Observation, profile: Profile) -> Held:
    """Keeps a login too unusual to trust out of the baseline, and notes how often its kind came."""
    kind, time = alike(login), login.time
    kept = [held for held in profile.held if held.kind != kind]
    former = next((held for held in profile.held if held.kind == kind), None)
    if former is None:
        found = Held(kind, time, time, 1)
    else:
        another_day = time // DAY_MS != former.last // DAY_MS
        found = Held(kind, former.since, max(time, former.last), former.days + another_day)
    profile.held = [*kept[-(HELD_KEPT - 1) :], found]
    return found


def first_of_hour(login: Observation, key: str, profile: Profile) -> bool:
    """Whether a held login is the first of its constellation in its hour: only that would teach."""
    hour = login.time // 3_600_000
    if max(profile.learned.get(key, -1), profile.held_hours.get(key, -1)) >= hour:
        return False
    profile.held_hours.pop(key, None)
    profile.held_hours[key] = hour
    if len(profile.held_hours) > CONSTELLATIONS_KEPT:
        profile.held_hours.pop(next(iter(profile.held_hours)))
    return True


def judged(login: Observation, scene: Scene) -> str | None:
    """What verdicts say of a login before it is learned: "hostile", "in order", or nothing."""
    profile, address = scene.profile, scene.address
    found: Judged | None = profile.judged.get(alike(login)) if profile.judged else None
    if found is not None:
        if found.network in (None, login.network):
            if found.hostile:
                return "hostile"
            if login.time - found.time < VOUCHED_FOR:
                return "in order"
    if address is not None and address.hostile and _tainted(login, address):
        return "hostile"
    return None


def _tainted(login: Observation, address: AddressState) -> bool:
    """Whether an attacker came from an address that is neither the identity's own nor shared."""
    if login.identity in address.good or len(address.good) >= SHARED_BY:
        return False
    return any(login.time - time < TAINTED_FOR for time in address.hostile.values())


def trusted(
    login: Observation, scene: Scene, levels: Levels, unusual: bool, pinned: bool
) -> tuple[float, bool]:
    """What a login counts for, 0 when it is held; and whether the gate or a verdict spoke of it.

    ``unusual`` is what the gate says; what an analyst answers for passes it at half trust, unless
    a rule is ``pinned`` to the login.
    """
    said = judged(login, scene)
    if not unusual and said != "hostile":
        return 1.0, said is not None
    if said == "in order" and not pinned:
        return RELEASED_TRUST, True
    held = hold(login, scene.profile)
    return RELEASED_TRUST if said is None and released(login, levels, held) else 0.0, True


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
