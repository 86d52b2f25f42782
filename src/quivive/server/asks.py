"""What waits to be judged: the events of requests, and who waits for their answers."""

from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter

from quivive.model.event import AuthEvent
from quivive.model.origin import Origin
from quivive.model.record import Reject
from quivive.server.judging import Answer
from quivive.store.access import Kept
from quivive.store.batch import Writes


class Ask:
    """Events of one request, in order, and who waits for what becomes of them."""

    def __init__(
        self,
        name: str,
        events: Sequence[AuthEvent],
        done: Callable[["Sequence[Answer] | Exception"], None],
        *,
        rejects: Sequence[Reject] = (),
        answer: "Callable[[Sequence[Answer]], Kept] | None" = None,
        origin: Origin | None = None,
        also: Writes | None = None,
    ) -> None:
        """name: of the input; answer: what is kept for a request that comes again; origin: what is
        passed on with all that is asked because of it; also: writes with the last of it.
        """
        self.name = name
        self.events = events
        self.done = done
        self.rejects = rejects
        self.answer = answer
        self.origin = origin
        self.also = also
        self.answers: list[Answer] = []
        self.failed: Exception | None = None
        self.faults = 0
        self.at = perf_counter()


class Asks:
    """What waits, first come first served: logins asked about, and events sent in bulk.

    Not locked: that is for whoever uses it from several threads.
    """

    def __init__(self, most_events: int) -> None:
        """most_events: as many logins, and as many bulk events, may wait."""
        self.most_events = most_events
        self.urgent: deque[Ask] = deque()
        self.bulk: deque[Ask] = deque()
        self.bulk_events = 0

    def put(self, ask: Ask, *, urgent: bool) -> bool:
        """Takes an ask in; False when too many wait. While nothing else waits in bulk, a request
        of any size may.
        """
        if urgent:
            if len(self.urgent) >= self.most_events:
                return False
            self.urgent.append(ask)
            return True
        if self.bulk and self.bulk_events + len(ask.events) > self.most_events:
            return False
        self.bulk_events += len(ask.events)
        self.bulk.append(ask)
        return True

    def clear(self) -> list[Ask]:
        """Everything that waited, in order; nothing does any more."""
        found = [*self.urgent, *self.bulk]
        self.urgent.clear()
        self.bulk.clear()
        self.bulk_events = 0
        return found
