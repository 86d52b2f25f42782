"""A state and the store it is kept in."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

from quivive.app.snapshot import PARTS, STATE_NAME, decode_parts, encode_parts
from quivive.engine.resident import Changes, Kept
from quivive.engine.state import State
from quivive.store.database import Batch, EntryRow, Store, StoreError

NAMES = (STATE_NAME, *(f"{STATE_NAME}/{name}" for name in PARTS))


def load_state(store: Store, *, judging: bool = False) -> State | None:
    """The state kept in a store, or None. What is known of an identity or an address is read when
    it is asked for. ``judging``: with the ids that were seen.

    Raises UsageError for a damaged state.
    """
    parts = store.load_all(NAMES)
    if STATE_NAME not in parts:
        return None
    state = decode_parts(parts, store.given)
    if judging:
        state.seen.restore(*store.seen())
    state.back_by(Entries(store))
    return state


def begin_state(store: Store) -> State:
    """The state to go on judging with: that of the store, or a new one that will be kept there."""
    state = load_state(store, judging=True)
    if state is None:
        state = State()
        state.back_by(Entries(store), empty=True)
    return state


def settled(store: Store) -> None:
    """Raises StoreError when logins were judged that the kept state does not know of: a server was
    cut short, and goes on with them when it is started again.
    """
    left = store.journaled()
    if left:
        raise StoreError(
            f"{store.given}: a server was cut short here, and its last logins are not learned yet;"
            " start quivive serve or quivive score on it once, then run this again"
        )


def changing(store: Store, what: str) -> AbstractContextManager[None]:
    """Keeps others from writing while a state is loaded, changed and written back."""
    return store.writing(f"quivive {what}")


class Saver:
    """Finds what has changed of a state since it was kept last."""

    def __init__(self, state: State) -> None:
        """``state`` as it was loaded, or new."""
        self.state = state
        self._kept: dict[str, int] = {}

    def take(self, others: Mapping[str, bytes] | None = None) -> Batch:
        """What has to be written for the state to be kept; ``others`` are states beside it."""
        state = self.state
        states = {**encode_parts(state), **(others or {})}
        changed = {
            name: body for name, body in states.items() if self._kept.get(name) != hash(body)
        }
        self._kept |= {name: hash(body) for name, body in changed.items()}
        return Batch(
            states=changed,
            changed={table.name: _rows(table.take()) for table in state.tables},
            swept=state.organisation.swept,
            seen=state.seen.take(),
            settled=True,
        )

    def saved(self) -> None:
        """What was taken is committed: memory may be given back."""
        for table in self.state.tables:
            table.saved()


def changed_entries(state: State) -> dict[str, tuple[list[EntryRow], list[str]]]:
    """What has changed of identities, addresses and networks since the state was loaded."""
    return {table.name: _rows(table.take()) for table in state.tables}


def save_state(store: Store, state: State) -> None:
    """Keeps a whole state in a store, as it stands."""
    store.commit(Saver(state).take())


def _rows(changes: Changes) -> tuple[list[EntryRow], list[str]]:
    return [EntryRow(*kept) for kept in changes.rows], changes.dropped


class Entries:
    """The entries of a store, as the state reads them."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def read(self, table: str, key: str) -> Kept | None:
        """One entry as it was committed last, or None."""
        row = self.store.read(table, key)
        return None if row is None else Kept(*row)

    def scan(self, table: str) -> Iterator[Kept]:
        """All entries as they were committed last."""
        return (Kept(*row) for row in self.store.scan(table))
