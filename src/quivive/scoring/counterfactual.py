"""What would have had to be otherwise for a login to be no finding."""

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.tables import OTHER
from quivive.model.assessment import FINDING, Evidence
from quivive.scoring.calibrate import Calibration
from quivive.scoring.gathered import Gathered
from quivive.scoring.stories import score_of
from quivive.scoring.weigh import Weighed
from quivive.signals.rhythm import minutes

WORTH_CHANGING = 0.3  # nats
MOST_CHANGES = 3

_SUBJECTS = {
    "country": "the country",
    "city": "the city",
    "network": "the network",
    "address": "the address",
    "network_kind": "the kind of network",
    "os": "the operating system",
    "client": "the client",
    "device": "the device",
    "application": "the application",
    "operation": "the operation",
    "host": "the host",
    "role": "the role",
    "credential": "the credential",
    "acting": "who acts through it",
    "hour": "the hour",
    "schedule": "the minute",
    "weekday": "the day",
    "absence": "the last login",
    "auth_method": "the way of authenticating",
    "vendor_risk": "the vendor's risk",
    "sensitivity": "the operation",
    "company": "the owner's sign-in",
    "continuity": "the session",
    "roaming": "where the key is used",
}
# Whose categories are no names.
_CIRCUMSTANCES = frozenset(
    {"company", "continuity", "roaming", "auth_method", "absence", "weekday"}
)


def counterfactual_of(
    login: Observation, gathered: Gathered, levels: Levels, calibration: Calibration
) -> str | None:
    """The smallest change, by strongest evidence first, that would have made this no finding."""
    changed: list[str] = []
    without: list[str] = []
    everything: list[Weighed | Evidence] = [*gathered.weighed, *gathered.evidence]
    for told in sorted(everything, key=lambda one: -one.weight):
        if told.weight <= WORTH_CHANGING or len(changed) == MOST_CHANGES:
            break
        without.append(told.feature.signal if isinstance(told, Weighed) else told.signal)
        if isinstance(told, Weighed):
            signal = told.feature.signal
            subject = _SUBJECTS.get(signal) or f"the {signal.replace('_', ' ')}"
            changed.append(f"{subject} been {_usual(told, levels)}")
        else:
            changed.append(f"there been no {told.signal.replace('_', ' ')}")
        if calibration.risk(score_of(gathered.sums(without), login.kind)) < FINDING:
            return f"no finding had {' and '.join(changed)}"
    return None


def _usual(told: Weighed, levels: Levels) -> str:
    """What would have been usual instead: the identity's most frequent categories, in the same
    log (or country, or system) where it has any.
    """
    feature = told.feature
    if feature.factor.endswith("?"):
        return "one used before"
    if feature.signal in _CIRCUMSTANCES:
        return "as usual"
    table = levels.own.tables.get(feature.factor)
    if table is None or not table.values:
        return "known"
    best = sorted(table.values.items(), key=lambda item: (-item[1], item[0]))
    parent, within = feature.given or ("", "")
    within += "/" if within else ""
    parents = levels.own.tables.get(parent)
    # "signIns/background" is another log than "signIns".
    others = tuple(f"{p}/" for p in parents.values if p.startswith(within)) if parents else ()
    near: list[str] = []
    names: list[str] = []
    for key, count in best:
        here = bool(within) and key.startswith(within) and not key.startswith(others)
        whole = here or feature.factor == "log"
        name = key.removeprefix(within) if whole else key.rpartition("/")[2]
        name = _named(feature.factor, name)
        if count / levels.own_scale <= 0.5 or name == "?" or key == OTHER:
            continue
        for found in (names, near) if here else (names,):
            if name not in found:
                found.append(name)
    names = near or names
    return "the usual " + " or ".join(names[:3]) if names else "known"


def _named(factor: str, name: str) -> str:
    """A category in the words of a counterfactual."""
    if not name.isdecimal():
        return name
    if factor == "slot":
        return minutes(int(name))
    if factor == "hour":
        return f"{int(name):02d}h UTC"
    return f"AS{name}" if factor == "asn" else name
