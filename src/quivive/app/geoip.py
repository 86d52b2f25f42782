"""Installed place databases: where they live, installing them, and how they stand."""

import gzip
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from quivive.app.doctor import Check
from quivive.app.errors import UsageError
from quivive.app.lists import home_dir, list_status
from quivive.enrich.places import (
    SUFFIXES,
    PlaceDatabase,
    PlaceDatabaseError,
    database_files,
    day,
    open_file,
    stale,
)

_EDITION = re.compile(r"[-_.]?20[0-9]{2}[-_]?[0-9]{2}(?:[-_]?[0-9]{2})?")

_SOURCES = "DB-IP City Lite (free, CC-BY-4.0: name DB-IP.com) or MaxMind GeoLite2-City"
_AS_SOURCES = "GeoLite2-ASN, or asn-ipv4.csv and asn-ipv6.csv of @ip-location-db/asn"


def geoip_dir(home: Path | None = None) -> Path:
    """Where installed place databases live."""
    return (home or home_dir()) / "geoip"


def installed(home: Path | None = None) -> list[Path]:
    """The installed database files, by name; empty if there are none."""
    folder = geoip_dir(home)
    if not folder.is_dir():
        return []
    names = (file.name for file in folder.iterdir())
    if not any(name[0] != "." and name.lower().endswith(SUFFIXES) for name in names):
        return []
    return database_files(folder)


def install(source: Path, home: Path | None = None) -> list[Path]:
    """Copies a database, or every database in a folder, into the data directory.

    Each is opened and probed first; all of them replace their predecessors, or none does. A
    predecessor has the same name up to a date ("dbip-city-lite-2026-05.mmdb"). A ``.mmdb.gz`` is
    unpacked. Raises UsageError with what is wrong and what to do.
    """
    target = geoip_dir(home)
    staged: list[tuple[Path, Path]] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for file in _found(source):
            packed = file.name.lower().endswith(".mmdb.gz")
            name = file.name[:-3] if packed else file.name
            if not name.lower().endswith(SUFFIXES):
                name += ".mmdb"
            copy = _stage(file, target, name, unpack=packed)
            staged.append((copy, target / name))
            _check(copy, file)
        for copy, final in staged:
            copy.replace(final)
        _drop_editions(target, [final for _, final in staged])
    except PlaceDatabaseError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        place = error.filename or target
        raise UsageError(f"{place}: {error.strerror}; check path and rights") from None
    finally:
        for copy, _ in staged:
            copy.unlink(missing_ok=True)
    return [final for _, final in staged]


def _found(source: Path) -> list[Path]:
    if source.is_dir():
        packed = sorted(source.glob("*.mmdb.gz"))
        try:
            return [*database_files(source), *packed]
        except PlaceDatabaseError:
            if packed:
                return packed
            raise
    return [source]


def _stage(file: Path, folder: Path, name: str, *, unpack: bool) -> Path:
    """A synced copy under a hidden temporary name that keeps the suffix."""
    handle, text = tempfile.mkstemp(prefix=".new-", suffix="-" + name, dir=folder)
    copy = Path(text)
    try:
        with os.fdopen(handle, "wb") as out:
            with gzip.open(file) if unpack else file.open("rb") as stream:
                shutil.copyfileobj(stream, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
        copy.chmod(0o644)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        copy.unlink(missing_ok=True)
        raise PlaceDatabaseError(f"{file}: truncated or damaged gzip; download it again") from None
    except OSError:
        copy.unlink(missing_ok=True)
        raise
    return copy


def _drop_editions(folder: Path, fresh: list[Path]) -> None:
    """Removes older editions, which would otherwise be asked first or beside the fresh files."""
    names = {file.name for file in fresh}
    series = {_EDITION.sub("", name) for name in names}
    for file in folder.iterdir():
        if file.name not in names and _EDITION.sub("", file.name) in series:
            file.unlink()


def _check(copy: Path, source: Path) -> None:
    try:
        open_file(copy)
    except PlaceDatabaseError as error:
        raise PlaceDatabaseError(str(error).replace(str(copy), str(source))) from None


def open_places(
    paths: Sequence[Path], home: Path | None = None, *, now_ms: int | None = None
) -> PlaceDatabase | None:
    """The databases named, else the installed ones; None if there are neither.

    With ``now_ms`` (ms UTC) old files are warned of. Raises UsageError.
    """
    try:
        files = paths or installed(home)
        return PlaceDatabase.open(files, now_ms=now_ms) if files else None
    except PlaceDatabaseError as error:
        raise UsageError(str(error)) from None


def status(home: Path | None, now_ms: int) -> list[Check]:
    """What is installed, how old it is, and what the missing parts cost in detection."""
    return [*_place_checks(home, now_ms), *list_status(home)]


def _place_checks(home: Path | None, now_ms: int) -> list[Check]:
    checks: list[Check] = []
    gives: set[str] = set()
    placed_versions: set[int] = set()
    try:
        paths = installed(home)
    except PlaceDatabaseError as error:
        paths = []
        checks.append(Check(name="geoip", level="warn", text=str(error)))
    for path in paths:
        try:
            file = open_file(path)
        except PlaceDatabaseError as error:
            remedy = f"quivive geoip install FILE, with a good copy of {path.name}"
            checks.append(Check(name=path.name, level="warn", text=str(error), remedy=remedy))
            continue
        info = file.info
        gives |= info.gives
        if "country" in info.gives:
            placed_versions.update(info.versions)
        built = f"built {day(info.built_ms)}" if info.built_ms else "build date not stated"
        protocols = " and ".join(f"IPv{version}" for version in info.versions)
        old = stale(info, now_ms)
        checks.append(
            Check(
                name=path.name,
                level="warn" if old or file.warnings else "ok",
                text="; ".join(
                    [f"{info.kind} database, {protocols}, {built}"]
                    + [warning.removeprefix(f"{path}: ") for warning in file.warnings]
                    + (["older than 180 days: places may have moved"] if old else [])
                ),
                remedy=f"quivive geoip install FILE, with a newer {path.name}" if old else None,
            )
        )
    return [*checks, *_missing_places(gives, placed_versions)]


def _missing_places(gives: set[str], versions: set[int]) -> list[Check]:
    """What no installed database tells, and what that costs."""
    checks: list[Check] = []
    if "country" not in gives:
        checks.append(
            Check(
                name="places",
                level="missing",
                text="no place database: country, city, distance and impossible travel are not "
                "evaluable for logs that carry no place of their own (CloudTrail, Kubernetes, "
                "sshd, Windows and others)",
                remedy=f"quivive geoip install FILE, with {_SOURCES}",
            )
        )
    elif "lat" not in gives:
        checks.append(
            Check(
                name="places",
                level="missing",
                text="countries only: city, distance and impossible travel are not evaluable for "
                "logs that carry no place of their own",
                remedy=f"quivive geoip install FILE, with {_SOURCES}",
            )
        )
    checks.extend(
        Check(
            name=f"places-ipv{version}",
            level="missing",
            text=f"no place database for IPv{version}: logins from such addresses have no place",
            remedy=f"quivive geoip install FILE, with the IPv{version} file of the database",
        )
        for version in sorted({4, 6} - versions if versions else set())
    )
    if "asn" not in gives:
        checks.append(
            Check(
                name="networks",
                level="missing",
                text="no network (ASN) data: a change of network operator and logins from hosting "
                "networks are not evaluable for logs that do not state the operator",
                remedy=f"quivive geoip install FILE, with {_AS_SOURCES}",
            )
        )
    return checks
