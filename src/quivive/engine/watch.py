"""What a login says of the logs and the organisation rather than of its identity: drift, gaps of
telemetry, and what is new to many at once. It changes no risk.
"""

from collections.abc import Iterable, Sequence

from quivive.baseline import novelty
from quivive.baseline.backoff import Levels
from quivive.baseline.monitor import source_of
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.engine.state import State
from quivive.model.event import AuthEvent
from quivive.scoring.assess import Gathered
from quivive.scoring.stories import AROUND, SESSION
from quivive.signals.signal import Spoken

# What colleagues met at the same address is weighed by novelty itself, in proportion to how many
# came; findings on them are what mass novelty looks like.
OF_OTHERS = frozenset({"tainted_address", "address_failures"})
DISTURBED = 0.5  # nats of trouble around a login (failures, prompts, a replayed session)


def watch(
    event: AuthEvent,
    login: Observation,
    scene: Scene,
    levels: Levels,
    said: Sequence[Spoken],
    gathered: Gathered,
    score: float,
    state: State,
) -> None:
    """Counts one judged login, before it is learned. ``score`` is in nats."""
    _note(event, login, (f for one in said for f in one.familiar), score, state)
    if login.learnable:
        new = novelty.first_times(login, scene, levels)
        if new and not _disturbed(gathered):
            new, anchored = novelty.usual_but_for(login, scene, levels, new)
            if new:
                state.novelty.note(login, new, anchored, state.organisation.known)
    elif login.outcome == "failure" and not login.accepted and scene.profile.successes:
        if novelty.elsewhere(login, levels):
            state.novelty.failed(login)


def watch_again(event: AuthEvent, login: Observation, score: float, state: State) -> None:
    """Counts a login like one of this hour: nothing about it is new."""
    _note(event, login, (), score, state)


def _note(
    event: AuthEvent,
    login: Observation,
    familiar: Iterable[tuple[str, str]],
    score: float,
    state: State,
) -> None:
    metadata = event.metadata
    source = source_of(metadata.product.name, metadata.log_name)
    state.monitor.note(login, source, metadata.uid, familiar, score)


def _disturbed(gathered: Gathered) -> bool:
    """Whether anything but novelty speaks against the login."""
    groups = gathered.groups
    return any(
        e.pinned is not None or (e.weight >= DISTURBED and groups[e.signal] in (AROUND, SESSION))
        for e in gathered.evidence
        if e.signal not in OF_OTHERS
    )
