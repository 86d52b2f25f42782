"""What a login says of the logs and the organisation rather than of its identity: drift, gaps of
telemetry, and what is new to many at once. It changes no risk.
"""

from collections.abc import Sequence

from msgspec import Struct

from quivive.baseline import novelty
from quivive.baseline.backoff import Levels
from quivive.baseline.monitor import source_of
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.engine.state import State
from quivive.model.event import AuthEvent
from quivive.scoring.gathered import Gathered
from quivive.scoring.stories import AROUND, SESSION
from quivive.signals.signal import Spoken

# What colleagues met at the same address is weighed by novelty itself, in proportion to how many
# came; findings on them are what mass novelty looks like.
OF_OTHERS = frozenset({"tainted_address", "address_failures"})
DISTURBED = 0.5  # nats of trouble around a login (failures, prompts, a replayed session)


class Watched(Struct, frozen=True, array_like=True, gc=False):
    """What one judged login says of the logs.

    source: the log in words; uid: the record's id; familiar: how familiar what was;
    score: in nats. new: what was new to its identity and all else as ever, with an ``anchored`` or
    without; known: how many identities there were. elsewhere: a known identity failed from
    where it never was.
    """

    source: str
    uid: str | None
    score: float
    familiar: Sequence[tuple[str, str]] = ()
    new: Sequence[novelty.First] = ()
    anchored: bool = False
    known: int = 0
    elsewhere: bool = False


def watch(
    event: AuthEvent,
    login: Observation,
    scene: Scene,
    levels: Levels,
    said: Sequence[Spoken],
    gathered: Gathered,
    score: float,
) -> Watched:
    """What a login says, before it is learned. ``score`` is in nats."""
    new: Sequence[novelty.First] = ()
    anchored = elsewhere = False
    if login.learnable:
        new = novelty.first_times(login, scene, levels)
        if new and not _disturbed(gathered):
            new, anchored = novelty.usual_but_for(login, scene, levels, new)
        else:
            new = ()
    elif login.outcome == "failure" and not login.accepted and scene.profile.successes:
        elsewhere = novelty.elsewhere(login, levels)
    return Watched(
        _source(event),
        event.metadata.uid,
        score,
        [familiar for one in said for familiar in one.familiar],
        new,
        anchored,
        scene.organisation.known,
        elsewhere,
    )


def watch_again(event: AuthEvent, score: float) -> Watched:
    """What a login says that is like one of this hour: nothing about it is new."""
    return Watched(_source(event), event.metadata.uid, score)


def _source(event: AuthEvent) -> str:
    return source_of(event.metadata.product.name, event.metadata.log_name)


def record(watched: Watched, login: Observation, state: State) -> None:
    """Keeps what a login says of the logs."""
    state.monitor.note(login, watched.source, watched.uid, watched.familiar, watched.score)
    if watched.new:
        state.novelty.note(login, watched.new, watched.anchored, watched.known)
    elif watched.elsewhere:
        state.novelty.failed(login)


def _disturbed(gathered: Gathered) -> bool:
    """Whether anything but novelty speaks against the login."""
    groups = gathered.groups
    return any(
        e.pinned is not None or (e.weight >= DISTURBED and groups[e.signal] in (AROUND, SESSION))
        for e in gathered.evidence
        if e.signal not in OF_OTHERS
    )
