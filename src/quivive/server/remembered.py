"""Answers of edge checks that hold for a while."""

from collections import OrderedDict

from quivive.server.http import Reply

REMEMBERED = 20_000  # clients


class Edges:
    """The answers that are remembered, by client."""

    def __init__(self) -> None:
        """Nobody was here yet."""
        self._known: OrderedDict[bytes, tuple[int, Reply]] = OrderedDict()

    def get(self, key: bytes, now: int) -> Reply | None:
        """An answer that still holds."""
        found = self._known.get(key)
        return found[1] if found is not None and now < found[0] else None

    def put(self, key: bytes, until: int, reply: Reply) -> None:
        """Remembers an answer until a time (ms UTC)."""
        self._known[key] = (until, reply)
        self._known.move_to_end(key)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
