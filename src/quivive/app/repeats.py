"""Records that say again what one before them said are not understood anew."""

from quivive.model.event import AuthEvent
from quivive.sources.source import Source
from quivive.sources.varying import Apart, Varying, again, is_certain, take_apart

KEPT = 4_096  # records remembered of an input and source, about two kilobytes each
LOOKS = 1_024  # after so many looks,
WORTH = 128  # fewer finds than this are not worth
REST = 16_384  # the next so many looks
WAITING = 256  # records that are looked for and not parsed yet, at most: a few


class Repeats:
    """What the records of one input said, by all their bytes but what varies.

    Where a log hardly repeats itself, it rests for a while.
    """

    def __init__(self) -> None:
        self._by_source: dict[str, dict[bytes, AuthEvent]] = {}
        self._known: dict[bytes, AuthEvent] = {}
        self._varying: Varying | None = None
        self._apart: dict[int, tuple[Apart, Varying]] = {}  # by number, until it is parsed
        self._looked = self._found = self._resting = 0

    def read_by(self, source: Source, *, again: bool = True) -> None:
        """From now on records are taken for those of ``source``; ``again``: one like another says
        the same.
        """
        varying = source.varying if again else None
        if varying != self._varying:
            self._known = self._by_source.setdefault(source.name, {})
            self._varying = varying

    def find(self, body: bytes, sequence: int) -> AuthEvent | None:
        """The event of a record like one before; None for one that has to be parsed."""
        if self._varying is None:
            return None
        if self._resting:
            self._resting -= 1
            return None
        self._looked += 1
        if self._looked == LOOKS:
            if self._found < WORTH:
                self._resting = REST
                self._known.clear()
                self._apart.clear()
            self._looked = self._found = 0
            return None
        apart = take_apart(body, self._varying)
        if apart is None:
            return None
        like = self._known.get(apart.rest)
        if like is None:
            if len(self._apart) >= WAITING:
                self._apart.clear()  # of records that gave no event
            self._apart[sequence] = apart, self._varying
            return None
        self._found += 1
        return again(like, apart, sequence)

    def keep(self, event: AuthEvent) -> None:
        """Remembers what came of a record that was looked for."""
        looked = self._apart.pop(event.metadata.sequence or 0, None) if self._apart else None
        if looked is None:
            return
        apart, varying = looked
        # Otherwise it was taken apart for another source.
        if varying != self._varying or not is_certain(apart, varying):
            return
        if again(event, apart, event.metadata.sequence or 0) != event:
            return  # a member of that name stands elsewhere in it
        if len(self._known) >= KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[apart.rest] = event
