"""What no longer fits into memory of a state without a store goes to a temporary file."""

import shutil
import tempfile
import weakref
from pathlib import Path

from quivive.app.keeping import Entries, changed_entries
from quivive.engine.state import State
from quivive.store.database import Batch, Store


class Spill:
    """Keeps a state within its bounds; the file is removed with it."""

    def __init__(self, state: State) -> None:
        """Nothing is written before there is more than the bound."""
        self.state = state
        self._store: Store | None = None

    def relieve(self) -> None:
        """Moves out of memory what is longest untouched, where there is more than the bound.

        Raises StoreUnavailable when the temporary folder is full.
        """
        state = self.state
        if not state.is_over_bounds:
            return
        backing = state.profiles.backing
        if isinstance(backing, _Spilled):
            self._store = backing.store
        elif backing is not None:
            return  # its store does this
        if self._store is None:
            folder = Path(tempfile.mkdtemp(prefix="quivive-"))
            self._store = Store(folder, lasting=False)
            entries = _Spilled(self._store)
            state.back_by(entries, empty=True)
            weakref.finalize(entries, _remove, self._store, folder)
        self._store.commit(Batch(changed=changed_entries(state), swept=state.organisation.swept))
        for table in state.tables:
            table.saved()


class _Spilled(Entries):
    """Entries of a temporary file."""


def _remove(store: Store, folder: Path) -> None:
    store.close()
    shutil.rmtree(folder, ignore_errors=True)
