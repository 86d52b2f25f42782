"""The health of what a state directory holds."""

from pathlib import Path

from quivive.app.doctor import Check
from quivive.app.keeping import load_state
from quivive.learn.health import Health, health
from quivive.store.database import Store, StoreError


def stored_health(folder: Path | str, now: int | None = None) -> Health:
    """Drift, gaps and events by the state kept in a folder. ``now`` (ms UTC): as in find_gaps.

    Raises StoreError for a folder without a store or a store without a state, and UsageError for
    a damaged state.
    """
    with Store(folder, create=False) as store:
        state = load_state(store)
        given = store.given
    if state is None:
        raise StoreError(
            f"{given}: nothing was learned here yet; run quivive score --state {given}"
        )
    return health(state.monitor, state.novelty, now)


def telemetry(folder: Path | str) -> list[Check]:
    """What ``quivive doctor`` says of the gaps that a state shows; nothing when it has no state.

    Raises what stored_health raises, but for that.
    """
    try:
        with Store(folder, create=False) as store:
            given = store.given
        gaps = stored_health(folder).gaps
    except StoreError:
        return []
    if not gaps:
        return [Check(name="telemetry", level="ok", text="no gaps in the logs scored so far")]
    rest = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    return [
        Check(
            name="telemetry",
            level="warn",
            text=f"{gaps[0].text}{rest}",
            remedy=f"quivive drift --state {given}",
        )
    ]
