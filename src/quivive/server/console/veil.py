"""Pseudonyms: who may not see names sees the same stand-in for the same name everywhere."""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address, ip_network

import sqlalchemy as sa

from quivive.app.keys import random_key
from quivive.store.database import Store, assessments
from quivive.store.schema import BATCH, entries

KEY = "pseudonyms"
REMEMBERED = 50_000  # handles
HANDLE = 16  # hexadecimal digits
SHOWN = 8
SHORTEST_NAME = 3  # a shorter one would be replaced inside other words
_HANDLE = re.compile(rf"[0-9a-f]{{{HANDLE}}}")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_ADDRESSES = (
    re.compile(r"(?<![\w:.])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:.])"),
    re.compile(r"(?<![\w.])(?<![A-Za-z]/)(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)"),
)


class Names:
    """Identities by handle: what stands in URLs, so that no name gets into logs and histories."""

    def __init__(self, store: Store) -> None:
        """The key is the store's own, so that a handle stays the same."""
        self.store = store
        self._key = random_key(store, KEY)
        self._known: OrderedDict[str, str] = OrderedDict()

    def handle(self, identity: str) -> str:
        """What names an identity in a URL."""
        digest = hmac.digest(self._key, identity.encode("utf-8", "surrogatepass"), hashlib.sha256)
        found = digest.hex()[:HANDLE]
        self._known[found] = identity
        self._known.move_to_end(found)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found

    @staticmethod
    def is_handle(text: str) -> bool:
        """Whether a text has the form of a handle."""
        return _HANDLE.fullmatch(text) is not None

    def identity(self, handle: str) -> str | None:
        """The identity of a handle: remembered, or else looked for among all. It blocks."""
        known = self._known.get(handle)
        if known is not None:
            return known
        return next((name for name in self._all() if self.handle(name) == handle), None)

    def _all(self) -> Iterator[str]:
        profiles = entries["profiles"]
        queries = (sa.select(profiles.c.key), sa.select(assessments.c.identity).distinct())
        with self.store.reading() as connection:
            for query in queries:
                yield from connection.scalars(query.execution_options(yield_per=BATCH))


class Veil:
    """What one visitor may see of names and addresses."""

    def __init__(self, names: Names, *, drawn: bool) -> None:
        """``drawn``: pseudonyms stand for names, and addresses are cut."""
        self.names = names
        self.drawn = drawn
        self._hidden: dict[str, str] = {}

    def know(self, *names: str | None) -> None:
        """Names that may stand in the middle of other texts."""
        if self.drawn:
            for name in names:
                if name and len(name) >= SHORTEST_NAME:
                    self._hidden[name] = self.identity(name)

    def alias(self, identity: str, *names: str | None) -> None:
        """Other names of an identity: the same stands for them."""
        if self.drawn:
            shown = self.identity(identity)
            for name in names:
                if name and len(name) >= SHORTEST_NAME:
                    self._hidden[name] = shown

    def identity(self, name: str | None) -> str:
        """A name, or what stands for it."""
        if not name:
            return ""
        return f"id-{self.names.handle(name)[:SHOWN]}" if self.drawn else name

    def address(self, given: str | None) -> str:
        """An address, or the network that it is cut to (/24 or /48)."""
        if not given or not self.drawn:
            return given or ""
        return _cut(given) or "an address"

    def text(self, said: str | None) -> str:
        """Free text: without names, mail addresses and whole addresses."""
        if not said or not self.drawn:
            return said or ""
        for name in sorted(self._hidden, key=len, reverse=True):
            said = said.replace(name, self._hidden[name])
        said = _EMAIL.sub(lambda found: self.identity(found[0]), said)
        for pattern in _ADDRESSES:
            said = pattern.sub(lambda found: _cut(found[0]) or found[0], said)
        return said


def _cut(given: str) -> str:
    """The network of an address; "" for what is none."""
    try:
        address = ip_address(given)
    except ValueError:
        return ""
    if isinstance(address, IPv4Address):
        return given.rsplit(".", 1)[0] + ".x"
    return str(ip_network((address, 48), strict=False))
