"""When in the hour a machine comes: counted for every slot, however often its logins repeat."""

from quivive.baseline.observation import Observation
from quivive.baseline.profile import Profile
from quivive.signals.rhythm import SLOT_MS, SLOTS


def come(login: Observation, profile: Profile, trust: float, *, counted: bool = False) -> None:
    """Counts the slot of the hour in which a machine came, once an hour each.

    Its constellation teaches once an hour, so that of a job that runs every minute only the first
    slot would ever be known. ``counted``: the login teaches its slot with all the rest.
    """
    if login.kind == "human":
        return
    hour, slot = divmod(login.time // SLOT_MS, SLOTS)
    if hour < profile.slots_hour:
        return
    if hour > profile.slots_hour:
        profile.slots_hour, profile.slots = hour, 0
    if profile.slots >> slot & 1:
        return
    profile.slots |= 1 << slot
    if not counted:
        profile.own.add("slot", str(slot), profile.own.scale(login.time) * trust)
