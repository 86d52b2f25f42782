"""An operator's own lists: which networks are hosting, VPN, Tor and so on, and which are bad.

One file a kind, one address, network, range ``a-b`` or ``AS64500`` a line, comments after "#" or
";". The name says the kind: ``vpn.txt``, ``bad.netset``, or several as ``vpn-one.txt``.
"""

import re
from ipaddress import ip_network
from pathlib import Path

from msgspec import Struct

from quivive.enrich.private import parse_address
from quivive.enrich.ranges import Ranges
from quivive.model.words import counted

# The order settles which kind an address has that stands in two lists just as narrowly.
KINDS = ("tor", "vpn", "proxy", "corporate", "mobile", "residential", "hosting")
BAD = "bad"
SUFFIXES = (".txt", ".list", ".csv", ".netset", ".ipset")
MAX_WARNINGS = 100

_AS_NUMBER = re.compile(r"as([0-9]{1,10})", re.IGNORECASE)
_COMMENT = re.compile(r"[#;].*")


class AddressListError(Exception):
    """A folder or file of lists that cannot be used: "<path>: what is wrong, what to do"."""


class ListInfo(Struct, frozen=True, kw_only=True):
    """One list file as read: its kind and how many entries it holds."""

    path: Path
    kind: str
    entries: int


class AddressLists:
    """The lists of one folder. Lookups never raise; see ``warnings`` for lines left out."""

    def __init__(self) -> None:
        """Empty lists; use ``open`` to read a folder."""
        self.files: tuple[ListInfo, ...] = ()
        self.warnings: list[str] = []
        self.skipped_lines = 0
        self._kinds = Ranges()
        self._bad = Ranges()
        self._as_kinds: dict[int, int] = {}
        self._as_bad: set[int] = set()

    @classmethod
    def open(cls, folder: Path) -> "AddressLists":
        """Reads every list in a folder. Raises AddressListError.

        Lines that cannot be read are skipped and told in ``warnings`` as "file:line: …".
        """
        try:
            paths = sorted(
                path
                for path in folder.iterdir()
                if path.suffix.lower() in SUFFIXES and path.name[0] != "." and path.is_file()
            )
        except OSError as error:
            raise AddressListError(f"{folder}: {error.strerror}; check the path") from None
        lists = cls()
        lists.files = tuple(lists._read(path, kind_of_list(path)) for path in paths)
        if lists.skipped_lines > len(lists.warnings):
            lists.warnings.append(
                f"{folder}: {counted(lists.skipped_lines, 'line')} skipped in all"
            )
        lists._kinds.close()
        lists._bad.close()
        return lists

    def kind(self, ip: str, asn: int | None = None) -> str | None:
        """The kind of network of an address: its narrowest entry, else its AS number's."""
        parsed = parse_address(ip)
        at = None if parsed is None else self._kinds.find(*parsed)
        if at is None and asn is not None:
            at = self._as_kinds.get(asn)
        return None if at is None else KINDS[at]

    def is_bad(self, ip: str, asn: int | None = None) -> bool:
        """Whether the address or its autonomous system stands in a list of bad ones."""
        if asn in self._as_bad:
            return True
        parsed = parse_address(ip)
        return parsed is not None and self._bad.find(*parsed) is not None

    def _read(self, path: Path, kind: str) -> ListInfo:
        entries = 0
        try:
            with path.open(encoding="utf-8-sig", errors="replace") as stream:
                for number, line in enumerate(stream, start=1):
                    entry = _COMMENT.sub("", line).partition(",")[0].strip().strip('"')
                    if not entry:
                        continue
                    if self._add(entry, kind):
                        entries += 1
                        continue
                    self.skipped_lines += 1
                    if self.skipped_lines <= MAX_WARNINGS:
                        self.warnings.append(
                            f"{path}:{number}: skipped, no address, network, range or AS number: "
                            f"{entry[:60]!r}"
                        )
        except OSError as error:
            raise AddressListError(f"{path}: {error.strerror}; check the file") from None
        return ListInfo(path=path, kind=kind, entries=entries)

    def _add(self, entry: str, kind: str) -> bool:
        matched = _AS_NUMBER.fullmatch(entry)
        if matched:
            asn = int(matched[1])
            if kind == BAD:
                self._as_bad.add(asn)
            else:
                at = KINDS.index(kind)
                self._as_kinds[asn] = min(at, self._as_kinds.get(asn, at))
            return True
        bounds = read_range(entry)
        if bounds is None:
            return False
        if kind == BAD:
            self._bad.add(*bounds, 0)
        else:
            self._kinds.add(*bounds, KINDS.index(kind))
        return True


def kind_of_list(path: Path) -> str:
    """The kind a file's name says, up to the first "-", "_" or ".". Raises AddressListError."""
    stem = re.split(r"[-_.]", path.name.lower(), maxsplit=1)[0]
    if stem not in KINDS and stem != BAD:
        raise AddressListError(
            f"{path}: the name says no known kind; rename it to one of "
            + ", ".join(f"{kind}.txt" for kind in (*KINDS, BAD))
        )
    return stem


def read_range(entry: str) -> tuple[int, int, int] | None:
    """``(version, first, last)`` of an address, network or range "a-b"; None for anything else.

    A network of prefix 0 is refused: a list of everything is a mistake.
    """
    if "/" in entry:
        try:
            network = ip_network(entry, strict=False)
        except ValueError:
            return None
        low = parse_address(str(network.network_address))
        high = parse_address(str(network.broadcast_address))
        if network.prefixlen == 0:
            return None
    else:
        first, dash, last = entry.partition("-")
        low = parse_address(first.strip())
        high = parse_address(last.strip()) if dash else low
    if low is None or high is None or low[0] != high[0] or low[1] > high[1]:
        return None
    return low[0], low[1], high[1]
