"""The place databases given by ``--geoip`` or installed, read as one."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from time import gmtime, strftime

from quivive.enrich.csvfile import CsvFile
from quivive.enrich.mmdb import MmdbFile
from quivive.enrich.place import FileInfo, Place, PlaceDatabaseError, PlaceFile, fill
from quivive.enrich.private import parse_address

__all__ = ["Place", "PlaceDatabase", "PlaceDatabaseError", "day", "open_file"]

SUFFIXES = (".mmdb", ".csv", ".csv.gz")
STALE_DAYS = 180
DAY_MS = 86_400_000


class PlaceDatabase:
    """One or more database files; for every field the first file that knows it wins."""

    def __init__(self, files: Sequence[PlaceFile]) -> None:
        """Takes opened files, in order of trust."""
        self._files = tuple(files)
        self.files: tuple[FileInfo, ...] = tuple(file.info for file in files)
        self.gives: frozenset[str] = frozenset().union(*(info.gives for info in self.files))
        self._stale: list[str] = []

    @classmethod
    def open(cls, paths: Iterable[Path], *, now_ms: int | None = None) -> "PlaceDatabase":
        """Opens files and the databases in folders. Raises PlaceDatabaseError.

        With ``now_ms`` (ms UTC), files built more than 180 days before it are warned of.
        """
        files = [open_file(file) for path in paths for file in database_files(path)]
        database = cls(files)
        if now_ms is not None:
            database._stale = [warn for info in database.files if (warn := stale(info, now_ms))]
        return database

    @property
    def warnings(self) -> list[str]:
        """What an operator should know: old files, slow reading, damage met by lookups."""
        return [*self._stale, *(warning for file in self._files for warning in file.warnings)]

    def find(self, ip: str) -> Place | None:
        """What is known of an address; None if nothing, or if it is no address. Not cached."""
        parsed = parse_address(ip)
        if parsed is None:
            return None
        version, number = parsed
        known: Place | None = None
        for file in self._files:
            found = file.find(version, number)
            if found is not None:
                known = found if known is None else fill(known, found)
        return known


def open_file(path: Path) -> PlaceFile:
    """One opened database. Raises PlaceDatabaseError if it cannot be used."""
    try:
        with path.open("rb") as stream:
            start = stream.read(2)
    except OSError as error:
        raise PlaceDatabaseError(f"{path}: {error.strerror}; check the path") from None
    if not start:
        raise PlaceDatabaseError(f"{path}: empty file; download it again")
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz")):
        return CsvFile(path)
    if start == b"\x1f\x8b" or name.endswith(".zip"):
        raise PlaceDatabaseError(f"{path}: compressed; unpack it and give the .mmdb inside")
    return MmdbFile(path)


def database_files(path: Path) -> list[Path]:
    """The file itself, or every database in a folder, by name. Raises PlaceDatabaseError.

    Of "x.csv" and "x-num.csv", which ip-location-db ships with the same content, only the first.
    """
    if not path.is_dir():
        return [path]
    try:
        names = {
            file.name: file
            for file in sorted(path.iterdir())
            if file.is_file() and file.name.lower().endswith(SUFFIXES) and file.name[0] != "."
        }
    except OSError as error:
        raise PlaceDatabaseError(f"{path}: {error.strerror}; check the path") from None
    found = [
        file
        for name, file in names.items()
        if "-num." not in name or name.replace("-num.", ".") not in names
    ]
    if not found:
        raise PlaceDatabaseError(f"{path}: a folder without {', '.join(SUFFIXES)} files")
    return found


def stale(info: FileInfo, now_ms: int) -> str | None:
    """A warning if the file was built more than 180 days before ``now_ms`` (ms UTC)."""
    if info.built_ms is None:
        return None
    age = (now_ms - info.built_ms) // DAY_MS
    if age <= STALE_DAYS:
        return None
    return f"{info.path}: built {day(info.built_ms)}, {age} days ago; install a newer one"


def day(ms: int) -> str:
    """The UTC date of a time in ms, as "2026-01-31"."""
    return strftime("%Y-%m-%d", gmtime(ms / 1000))
