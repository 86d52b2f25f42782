"""A mapping of names to what is known of them, of which only the part in use is in memory.

Generations make a least-recently-used order that costs a hit one lookup: ``young`` holds what was
touched since the last turn (a save, or the daily sweep), then comes what was touched since that
sweep, then what was not. What is touched counts as changed. With a backing, saving drops the
longest untouched beyond the bound.

What is idle is forgotten when it is next asked for, by the last sweep before: the same entries are
forgotten, at the same logins, wherever they were kept meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Generic, NamedTuple, Protocol, TypeVar, overload

import msgspec

T = TypeVar("T", bound=msgspec.Struct)
D = TypeVar("D")

_encoder = msgspec.msgpack.Encoder()


class Kept(NamedTuple):
    """An entry as it is saved.

    until: the time (ms UTC) from which on a sweep forgets it, None for never; swept: the sweep
    since which it was touched, 0 for none: that one does not forget it any more.
    """

    key: str
    body: bytes
    until: int | None
    swept: int


class Backing(Protocol):
    """Where entries are kept that are not in memory."""

    def read(self, table: str, key: str) -> Kept | None:
        """One entry as it was saved last, or None."""

    def scan(self, table: str) -> Iterator[Kept]:
        """All entries as they were saved last, by key."""


class Changes(NamedTuple):
    """What has to be saved of a table, and the names that are no more."""

    rows: list[Kept]
    dropped: list[str]


class Resident(MutableMapping[str, T], Generic[T]):
    """Names to structs of one kind; see the module."""

    def __init__(
        self,
        name: str,
        kind: type[T],
        until: Callable[[T], int | None],
        refresh: Callable[[T, int], None],
        bound: int,
        *,
        frozen: bool = False,
    ) -> None:
        """``until`` says from which time (ms UTC) on a sweep forgets an entry, None for never;
        ``refresh(entry, swept)`` does what a sweep does to an entry that stays. ``frozen``: an
        entry changes only by being set anew.
        """
        self._frozen = frozen
        self.name = name
        self.bound = bound
        self.young: dict[str, T] = {}
        self._rest: dict[str, T] = {}  # touched since the last sweep
        self._old: dict[str, T] = {}
        self._until = until
        self._refresh = refresh
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._backing: Backing | None = None
        self._elsewhere = False  # whether anything is there that is not in memory
        self._swept = 0
        self._unsaved: dict[str, None] = {}
        self._dropped: dict[str, None] = {}
        self._absent: set[str] = set()

    @overload
    def get(self, key: str) -> T | None: ...
    @overload
    def get(self, key: str, default: D) -> T | D: ...
    def get(self, key: str, default: D | None = None) -> T | D | None:
        """The entry of a name, or ``default``."""
        found = self.young.get(key)
        if found is not None:
            return found
        found = self._touch(key)
        return default if found is None else found

    def __getitem__(self, key: str) -> T:
        """The entry of a name. Raises KeyError."""
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: str, entry: T) -> None:
        """Keeps an entry under a name."""
        self._rest.pop(key, None)
        self._old.pop(key, None)
        self.young[key] = entry
        self._unsaved[key] = None
        self._dropped.pop(key, None)
        self._absent.discard(key)

    def __delitem__(self, key: str) -> None:
        """Forgets a name. Raises KeyError."""
        if self.get(key) is None:
            raise KeyError(key)
        del self.young[key]
        self._forget(key)

    def __contains__(self, key: object) -> bool:
        """Whether there is an entry of the name."""
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        """All names: those in memory first, the others by name."""
        return (key for key, _ in self.entries())

    def __len__(self) -> int:
        """How many there are; without those in memory alone this reads all of them."""
        return sum(1 for _ in self.entries())

    def entries(self) -> Iterator[tuple[str, T]]:
        """All names with their entries, without counting as a touch; what the last sweep forgot is
        left out.
        """
        here = {key: entry for key, entry in self._old.items() if not self._idle(entry)}
        here |= self._rest | self.young
        yield from here.items()
        if self._backing is not None:
            for kept in self._backing.scan(self.name):
                if kept.key not in here and kept.key not in self._old:
                    if kept.key not in self._dropped and not self._forgotten(kept):
                        yield kept.key, self._decoder.decode(kept.body)

    def sweep(self, time: int) -> None:
        """Forgets what is idle at ``time`` (ms UTC): each entry when it is next asked for."""
        self._swept = time
        self._turn()
        self._old.update(self._rest)
        self._rest = {}

    def restore(self, entries: Mapping[str, T], swept: int) -> None:
        """Keeps entries that were touched since the sweep of ``swept`` (ms UTC), as not saved."""
        self._swept = swept
        self._rest.update(entries)
        self._unsaved.update(dict.fromkeys(entries))

    def back_by(self, backing: Backing, swept: int, *, empty: bool = False) -> None:
        """From now on what is not in memory is read there; ``swept`` is the time of the last sweep.

        What is in memory already stays, as not saved yet. ``empty``: nothing is there yet.
        """
        self._backing = backing
        self._elsewhere = not empty
        self._swept = swept
        self._absent.clear()

    @property
    def backing(self) -> Backing | None:
        """Where what is not in memory is read, if anywhere."""
        return self._backing

    @property
    def in_memory(self) -> int:
        """How many entries are in memory."""
        return len(self.young) + len(self._rest) + len(self._old)

    def take(self) -> Changes:
        """What has changed since the last time. It is in memory until ``saved`` is called."""
        rows = []
        for key in self._unsaved:
            entry, swept = self.young.get(key) or self._rest.get(key), self._swept
            if entry is None:
                entry, swept = self._old[key], 0
                if self._idle(entry):
                    self._dropped[key] = None
                    continue
            rows.append(Kept(key, _encoder.encode(entry), self._until(entry), swept))
        changes = Changes(rows, list(self._dropped))
        for key in self._dropped:
            self._old.pop(key, None)
        self._unsaved = {}
        self._absent.update(self._dropped)
        self._dropped = {}
        self._turn()
        return changes

    def saved(self) -> None:
        """What was taken is in the backing: what is longest untouched may leave memory."""
        self._absent = set(self._dropped)
        if self._backing is None:
            return
        for generation in (self._old, self._rest):
            over = self.in_memory - self.bound
            if over > 0:
                for key in [k for k in generation if k not in self._unsaved][:over]:
                    del generation[key]
                    self._elsewhere = True

    def _touch(self, key: str) -> T | None:
        """An entry that was not touched since the last turn, or None."""
        entry = self._rest.pop(key, None)
        if entry is None:
            entry = self._awake(key)
            if entry is None:
                return None
        self.young[key] = entry
        if not self._frozen:
            self._unsaved[key] = None
        return entry

    def _awake(self, key: str) -> T | None:
        """An entry that was not touched since the last sweep, as that one left it, or None."""
        entry = self._old.pop(key, None)
        if entry is None:
            if self._backing is None or not self._elsewhere or key in self._absent:
                return None
            kept = self._backing.read(self.name, key)
            if kept is None or self._forgotten(kept):
                self._absent.add(key)
                return None
            entry = self._decoder.decode(kept.body)
            if kept.swept == self._swept:
                return entry
        elif self._idle(entry):
            self._forget(key)
            return None
        self._refresh(entry, self._swept)
        return entry

    def _forgotten(self, kept: Kept) -> bool:
        return kept.until is not None and kept.until <= self._swept and kept.swept < self._swept

    def _idle(self, entry: T) -> bool:
        until = self._until(entry)
        return until is not None and self._swept >= until

    def _forget(self, key: str) -> None:
        self._unsaved.pop(key, None)
        self._dropped[key] = None
        self._absent.add(key)

    def _turn(self) -> None:
        self._rest.update(self.young)
        self.young = {}
