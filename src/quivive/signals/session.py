"""Whether a session stays where it began."""

from collections.abc import Sequence

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.model.assessment import Evidence
from quivive.signals.signal import Signal, familiarity

REPLAY = ("T1539", "T1550.004")
CHANGED_SYSTEM = 3.0


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """A session id met on another operating system."""
    origin = scene.profile.sessions.get(login.session) if login.session else None
    if origin is None or login.ip is None or login.ip == origin.ip:
        return ()
    # A session may roam with its laptop; it never changes its operating system.
    if not login.os or not origin.os or login.os == origin.os:
        return ()
    known = login.asn is not None and familiarity(levels, "operator", login.asn) == "own"
    return (
        Evidence(
            signal="session",
            weight=CHANGED_SYSTEM * (0.25 if known else 1.0),
            text=f"session begun on {origin.os} at {origin.ip} ({origin.country or '?'})"
            f" continues on {login.os} at {login.ip} ({login.country or '?'})",
            attack=REPLAY,
        ),
    )


SIGNAL = Signal(
    name="session",
    group="session",
    title="Whether a session stays where it began",
    tells={
        "session": "One session id on two operating systems: a replayed token.",
    },
    attack=REPLAY,
    evidence=evidence,
)
