"""What records of earlier bodies said, for bodies of the same log: machines repeat themselves."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from quivive.app.repeats import Repeats
from quivive.model.event import AuthEvent
from quivive.sources.source import Source


class Memory:
    """What one body after the other said."""

    def __init__(self, asked: str) -> None:
        """``asked``: the source that callers named."""
        self.asked = asked
        self._repeats = Repeats()

    def forget(self) -> None:
        """After a fault nobody knows what it remembers."""
        self._repeats = Repeats()

    def find(self, body: bytes, sequence: int) -> AuthEvent | None:
        """The event of a record like one before, with an id of its own."""
        found = self._repeats.find(body, sequence)
        return found if found is not None and found.metadata.uid is not None else None

    def read_by(self, source: Source, *, again: bool = True) -> None:
        """From now on records are taken for those of ``source``; ``again``: one like another says
        the same.
        """
        self._repeats.read_by(source, again=again)

    def keep(self, event: AuthEvent) -> None:
        """Remembers what came of the record that was looked for last."""
        self._repeats.keep(event)


class Memories:
    """Memories that no body uses now; used from several threads."""

    def __init__(self, most: int) -> None:
        """At most so many are kept."""
        self._idle: deque[Memory] = deque(maxlen=most)
        self._round = 0

    @contextmanager
    def lent(self, asked: str) -> Iterator[Memory]:
        """A memory for one body that is read as ``asked``."""
        began = self._round
        found = next((memory for memory in list(self._idle) if memory.asked == asked), None)
        try:
            if found is not None:
                self._idle.remove(found)
        except ValueError:  # another thread was faster
            found = None
        memory = found or Memory(asked)
        yield memory
        if self._round == began:  # after a fault nobody knows what it remembers
            self._idle.append(memory)

    def forget(self) -> None:
        """Somebody in them has to be forgotten."""
        self._round += 1
        self._idle.clear()
