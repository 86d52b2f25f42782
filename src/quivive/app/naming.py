"""Names for logins as they are judged: plain ids, as long as each names one login only."""

from itertools import islice

from quivive.model.event import AuthEvent
from quivive.model.naming import full_name, plain_id, source_of
from quivive.store.database import Store

REMEMBERED = 32_768  # names given last: more than are ever judged and not in the store yet


class Names:
    """Gives each login its name. A store that only one source writes to is never asked."""

    def __init__(self, store: Store | None = None) -> None:
        """``store``: where the logins before are; without one, only those named last count."""
        self._store = store
        self._sources: set[str] | None = None
        self._given: dict[str, str] = {}  # by plain id: the source of the login that has it

    def name(self, log: str, event: AuthEvent) -> str:
        """What a login is called, new or known; ``log`` is its input's name.

        Raises StoreUnavailable when the store cannot be asked now.
        """
        event_id = plain_id(log, event)
        if event.metadata.uid is None:
            return event_id
        source = source_of(event)
        owner = self._given.get(event_id)
        if owner is None:
            owner = self._owner(event_id, source) or source
            given = self._given
            given[event_id] = owner
            if len(given) > REMEMBERED:
                for old in list(islice(given, REMEMBERED // 2)):
                    del given[old]
        return event_id if owner == source else full_name(source, event_id)

    def _owner(self, event_id: str, source: str) -> str | None:
        """The source of the login that is kept under a plain id, if there is one and it is known
        of which source it is.
        """
        if self._store is None:
            return None
        if self._sources is None:
            self._sources = self._store.sources()
        self._sources.add(source)
        return self._store.source_of(event_id) if len(self._sources) > 1 else None
