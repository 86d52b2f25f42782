"""What a login that took the short road teaches: it happened once more, and when.

The first of its hour taught the rest. Only what reads exact times or new names is left to the long
way of learning: a place, from which a journey is timed, and a session that was not met before.
"""

from quivive.baseline.observation import Observation
from quivive.baseline.profile import Profile
from quivive.engine.slots import come
from quivive.engine.state import group_before
from quivive.engine.taught import Taught


def teaches_little(login: Observation, profile: Profile) -> bool:
    """Whether a repeat moves neither a place nor a session of its identity."""
    if login.lat is not None and login.interactive:
        return False
    return login.session is None or login.session in profile.sessions


def again(login: Observation, profile: Profile) -> Taught:
    """Counts a repeat that ``teaches_little``."""
    profile.successes += 1
    profile.last_seen = max(profile.last_seen, login.time)
    come(login, profile, 1.0)
    group = group_before(profile, login)
    return Taught((), login.constellation, group, 1.0, False, False, None, False)
