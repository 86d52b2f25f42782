"""The ids of the newest events, so that one that comes again changes nothing."""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

SEEN_KEPT = 500_000
DIGEST = 12  # bytes: two of all ids alike are as likely as a broken disk


class NewlySeen(NamedTuple):
    """Digests in order of their coming, the number of the first of them, and that of the oldest
    one that is still remembered.
    """

    number: int
    digests: bytes
    oldest: int


class Seen:
    """Digests of ids by their coming, about 100 bytes each; beyond the bound the oldest quarter is
    forgotten.
    """

    def __init__(self) -> None:
        self._digests: dict[bytes, None] = {}
        self._next = 0
        self._taken = 0

    def __eq__(self, other: object) -> bool:
        """Whether the same ids are remembered, in the same order."""
        return isinstance(other, Seen) and list(self._digests) == list(other._digests)

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._digests)

    def again(self, key: str) -> bool:
        """Whether an id has come before; from now on it has."""
        digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest()
        digests = self._digests
        if digest in digests:
            return True
        digests[digest] = None
        self._next += 1
        if len(digests) > SEEN_KEPT:
            for old in list(islice(digests, SEEN_KEPT // 4)):
                del digests[old]
        return False

    def whole(self) -> bytes:
        """All digests, oldest first."""
        return b"".join(self._digests)

    def take(self) -> NewlySeen | None:
        """What has come since the last time; None when nothing has."""
        count = self._next - self._taken
        if not count:
            return None
        oldest = self._next - len(self._digests)
        new = list(islice(reversed(self._digests), count))  # those beyond the bound are gone
        self._taken = self._next
        return NewlySeen(self._next - len(new), b"".join(reversed(new)), oldest)

    def restore(self, chunks: Iterable[tuple[int, bytes]], oldest: int) -> None:
        """Remembers what was taken: (number of the first, digests), in order."""
        for number, digests in chunks:
            for n in range(len(digests) // DIGEST):
                if number + n >= oldest:
                    self._digests[digests[n * DIGEST : (n + 1) * DIGEST]] = None
            self._next = self._taken = number + len(digests) // DIGEST
