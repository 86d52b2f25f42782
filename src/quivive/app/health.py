"""The health of what a state directory holds."""

from pathlib import Path

from quivive.app.lists import Finding
from quivive.app.scoring import STATE_NAME, decode_state
from quivive.learn.health import Health, health
from quivive.store.database import Store, StoreError


def stored_health(folder: Path, now: int | None = None) -> Health:
    """Drift, gaps and events by the state kept in a folder. ``now`` (ms UTC): as in find_gaps.

    Raises StoreError for a folder without a store or a store without a state, and UsageError for
    a damaged state.
    """
    with Store(folder, create=False) as store:
        kept = store.load(STATE_NAME)
    if kept is None:
        raise StoreError(
            f"{folder}: nothing was learned here yet; run quivive score --state {folder}"
        )
    state = decode_state(kept, str(folder))
    return health(state.monitor, state.novelty, now)


def telemetry(folder: Path) -> list[Finding]:
    """What ``quivive doctor`` says of the gaps that a state shows; nothing when it has no state.

    Raises what stored_health raises, but for that.
    """
    try:
        gaps = stored_health(folder).gaps
    except StoreError:
        return []
    if not gaps:
        return [Finding(name="telemetry", level="ok", text="no gaps in the logs scored so far")]
    rest = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    return [
        Finding(
            name="telemetry",
            level="warn",
            text=f"{gaps[0].text}{rest}",
            remedy=f"quivive drift --state {folder}",
        )
    ]
