"""A backup: everything of an installation that cannot be had again, with a manifest of it.

A backup is a folder, or a tar file of one: ``manifest.json`` with the SHA-256 of every file, the
store as of one instant (``quivive.sqlite``, journal and outbox included), ``keys/``,
``telemetry/`` and, in ``settings/``, the files that were named. It appears under its name only when
it is whole.
"""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import msgspec
from msgspec import Struct

from quivive import __version__
from quivive.app.audit import checking_key, named_key, sign, verify
from quivive.app.errors import UsageError
from quivive.app.keys import FOLDER as KEYS
from quivive.app.keys import keys_of
from quivive.model.audit import Entry
from quivive.store import audit
from quivive.store.copying import copy
from quivive.store.database import FILE, SCHEMA_VERSION, Store, StoreError
from quivive.store.telemetry import FOLDER as TELEMETRY
from quivive.store.telemetry import Parts
from quivive.store.verdicts import Verdicts

FORMAT = "quivive.backup.1"
MANIFEST = "manifest.json"
SETTINGS = "settings"
CHUNK = 1 << 20
TAR = (".tar", ".tar.gz", ".tgz")


class Part(Struct, frozen=True):
    """One file: its path in the backup, its size in bytes, and where it was."""

    path: str
    size: int
    sha256: str
    was: str = ""


class Manifest(Struct, frozen=True, kw_only=True):
    """What is in a backup. made: ms UTC. schema: version of the store. newest: time of its newest
    login (ms UTC), records: of its audit trail, broken: the first that is not as it was written.
    """

    format: str
    quivive: str
    schema: int
    store: str
    of: str
    made: int
    files: tuple[Part, ...]
    newest: int | None = None
    records: int = 0
    broken: str | None = None
    left_out: tuple[str, ...] = ()


class Asked(NamedTuple):
    """What to take along. telemetry: its folder, None for none; also: settings and other files."""

    telemetry: Path | None
    also: Sequence[Path]
    by: str
    now: int


def is_tar(path: Path) -> bool:
    """Whether a name is that of a tar file."""
    return path.name.endswith(TAR)


def make(store: Store, out: Path, asked: Asked) -> Manifest:
    """Makes a backup of a store, whether or not something is at work on it.

    Raises UsageError where ``out`` is there already or cannot be written, StoreError for a damaged
    store.
    """
    if out.exists():
        raise UsageError(f"{out}: is there already; a backup takes the place of nothing")
    _apart(store, out, asked)
    folder = out.with_name(f"{out.name}.partial")
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise UsageError(
            f"{folder}: is there already; if no other backup is at work, remove it"
        ) from None
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}; choose another place") from None
    try:
        _record(store, out, asked)
        manifest = _fill(store, folder, asked)
        _written(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        if is_tar(out):
            _pack(folder, manifest, out)
        else:
            _sync(folder)
            folder.rename(out)
            _sync(out.parent)
    except OSError as error:
        where = error.filename or out
        raise UsageError(f"{where}: {error.strerror}; no backup was made") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def _apart(store: Store, out: Path, asked: Asked) -> None:
    """A backup within what is backed up would be part of the next one."""
    target = out.resolve()
    for folder in (store.folder, asked.telemetry, *asked.also):
        if folder is not None and folder.is_dir() and folder.resolve() in target.parents:
            raise UsageError(f"{out}: within {folder}, which is backed up; choose another place")


def _record(store: Store, out: Path, asked: Asked) -> None:
    """The trail says who took a copy of everything; a store that is full can be copied, too."""
    entry = Entry(time=asked.now, actor=asked.by, action="backup", subject=str(out)[:512])
    try:
        with store.transaction() as connection:
            audit.append(connection, [entry])
        sign(store)
    except StoreError:
        return


def _fill(store: Store, folder: Path, asked: Asked) -> Manifest:
    parts: list[Part] = []
    keys = keys_of(store)
    parts += [
        _taken(path, folder, f"{KEYS}/{path.name}")
        for path in (sorted(keys.iterdir()) if keys.is_dir() else ())
        if path.is_file() and not path.suffix[1:].isdecimal()  # none that is being made
    ]
    if store.folder is not None:
        copy(store, folder / FILE)
        with Store(folder, create=False) as copied:
            newest, records, broken = _facts(copied)
        parts.append(_part(folder / FILE, FILE, str(store.path)))
    else:
        newest, records, broken = _facts(store)
    # After the store: what is in files and not known to it is written again under the same names.
    if asked.telemetry is not None:
        for path, *_ in Parts(asked.telemetry).files() if asked.telemetry.is_dir() else ():
            name = f"{TELEMETRY}/{path.parent.name}/{path.name}"
            try:
                parts.append(_taken(path, folder, name))
            except FileNotFoundError:
                continue  # it became too old meanwhile
    for number, given in enumerate(asked.also):
        parts += _named(given, folder, number)
    return Manifest(
        format=FORMAT,
        quivive=__version__,
        schema=SCHEMA_VERSION,
        store="sqlite" if store.folder is not None else "postgresql",
        of=store.given,
        made=asked.now,
        files=tuple(sorted(parts, key=lambda part: part.path)),
        newest=newest,
        records=records,
        broken=broken,
        left_out=tuple(_left_out(store)),
    )


def _left_out(store: Store) -> Iterator[str]:
    if store.folder is None:
        yield "the database: pg_dump"
    if (key := named_key()) is not None:
        yield f"the key that QUIVIVE_AUDIT_KEY names: {key}"


def _facts(store: Store) -> tuple[int | None, int, str | None]:
    """The time of the newest login, how many records the audit trail has, and where it is broken,
    if it is.
    """
    horizon = Verdicts(store).horizon()
    newest = None if horizon is None else horizon[1]
    try:
        found = verify(store, checking_key(store))
    except UsageError as error:
        return newest, 0, str(error)
    broken = found.broken
    said = None if broken is None else f"record {broken.seq}: {broken.what}"
    return newest, found.records, said


def _named(given: Path, folder: Path, number: int) -> Iterator[Part]:
    if not given.exists():
        raise UsageError(f"{given}: nothing there; check the path")
    inner = sorted(p for p in given.rglob("*") if p.is_file()) if given.is_dir() else [given]
    for path in inner:
        below = path.relative_to(given.parent)
        yield _taken(path, folder, f"{SETTINGS}/{number}/{below.as_posix()}")


def _taken(path: Path, folder: Path, name: str) -> Part:
    target = folder / name
    with path.open("rb") as stream:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        size, digest = write(stream, target)
    return Part(name, size, digest, str(path.absolute()))


def _part(path: Path, name: str, was: str) -> Part:
    path.chmod(0o600)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    return Part(name, path.stat().st_size, digest, was)


def write(stream: IO[bytes], target: Path) -> tuple[int, str]:
    """Writes a new file for its owner alone, and onto the disk; its size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        while some := stream.read(CHUNK):
            out.write(some)
            digest.update(some)
            size += len(some)
        out.flush()
        os.fsync(out.fileno())
    return size, digest.hexdigest()


def _written(target: Path, body: bytes) -> None:
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(body)
        out.flush()
        os.fsync(out.fileno())


def _pack(folder: Path, manifest: Manifest, out: Path) -> None:
    packed = folder / f"packed{out.suffix}"
    opened = os.open(packed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as stream:
        with tarfile.open(fileobj=stream, mode="w" if out.suffix == ".tar" else "w:gz") as tar:
            for name in (MANIFEST, *(part.path for part in manifest.files)):
                tar.add(folder / name, name, recursive=False)
        stream.flush()
        os.fsync(stream.fileno())
    packed.rename(out)
    _sync(out.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
