"""A backup checked, and put back where nothing is."""

import hashlib
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from quivive.app.audit import checking_key, verify
from quivive.app.backup import CHUNK, FORMAT, MANIFEST, SETTINGS, Manifest, Part, write
from quivive.app.errors import UsageError
from quivive.app.keys import FOLDER as KEYS
from quivive.app.keys import keys_of
from quivive.model.audit import Broken
from quivive.store.database import FILE, SCHEMA_VERSION, Store
from quivive.store.telemetry import FOLDER as TELEMETRY

MOST_MANIFEST = 256 << 20  # bytes
HIDDEN = ".restoring"


def read_manifest(backup: Path) -> Manifest:
    """The manifest of a backup. Raises UsageError for what is none, and for one of a newer
    Quivive.
    """
    with _files(backup) as files:
        return _manifest(backup, files)


def check(backup: Path) -> Manifest:
    """Reads all of a backup. Raises UsageError for the first file that is not as it was written."""
    with _files(backup) as files:
        manifest = _manifest(backup, files)
        wanted = _wanted(backup, manifest)
        for name, stream in files:
            part = _expected(backup, wanted, name)
            digest, size = hashlib.sha256(), 0
            while some := stream.read(CHUNK):
                digest.update(some)
                size += len(some)
            _same(backup, part, size, digest.hexdigest())
    _none_missing(backup, wanted)
    return manifest


def restore(backup: Path, state: Path) -> tuple[Manifest, Broken | None]:
    """Puts a backup of a store in a folder back, into a folder that is empty or not there; gives
    the first record of the audit trail that is not as it was written.

    Raises UsageError, with nothing changed, where the backup or the folder will not do.
    """
    if state.exists() and (not state.is_dir() or any(state.iterdir())):
        raise UsageError(
            f"{state}: not empty; a backup takes the place of nothing: move it away, or name"
            " another folder"
        )
    if read_manifest(backup).store != "sqlite":
        raise UsageError(
            f"{backup}: of a store in PostgreSQL; pg_restore its dump, and give the database's URL"
            " as --state: keys and telemetry are put back then"
        )
    there = state.exists()
    hidden = state / HIDDEN
    try:
        hidden.mkdir(mode=0o700, parents=True)
        if not there:
            state.chmod(0o700)
        manifest = _unpack(backup, hidden)
        with Store(hidden, create=False) as store:
            broken = _broken(store)
        for name in (KEYS, TELEMETRY, SETTINGS, FILE):  # the store last: then all is there
            if (hidden / name).exists():
                (hidden / name).rename(state / name)
    except OSError as error:
        raise UsageError(f"{error.filename or state}: {error.strerror}; nothing restored") from None
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        if not there and state.is_dir() and not any(state.iterdir()):
            state.rmdir()
    return manifest, broken


def restore_beside(
    backup: Path, store: Store, telemetry: Path | None
) -> tuple[Manifest, Broken | None]:
    """Puts back what a backup holds beside a database that pg_restore has filled: keys into their
    folder, telemetry and settings into ``telemetry``. Raises UsageError as ``restore`` does.
    """
    manifest = read_manifest(backup)
    if manifest.store != "postgresql":
        raise UsageError(f"{backup}: of a store in a folder; name a folder as --state")
    if any(part.path.startswith(f"{TELEMETRY}/") for part in manifest.files) and not telemetry:
        raise UsageError(f"{backup}: holds telemetry; say where it goes: --telemetry-dir")
    keys = keys_of(store)
    for target in (keys, telemetry):
        if target is not None and target.exists() and any(target.iterdir()):
            raise UsageError(f"{target}: not empty; a backup takes the place of nothing")
    hidden = keys.with_name(HIDDEN)
    try:
        hidden.mkdir(mode=0o700, parents=True)
        _unpack(backup, hidden)
        for name, target in ((TELEMETRY, telemetry), (KEYS, keys)):
            if (hidden / name).exists() and target is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.exists():
                    target.rmdir()
                shutil.move(hidden / name, target)
        if (hidden / SETTINGS).exists():
            shutil.move(hidden / SETTINGS, keys.with_name(SETTINGS))
    except OSError as error:
        raise UsageError(f"{error.filename or keys}: {error.strerror}; see what is there") from None
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    return manifest, _broken(store)


def _broken(store: Store) -> Broken | None:
    try:
        return verify(store, checking_key(store)).broken
    except UsageError as error:
        return Broken(seq=0, what=str(error))


def _unpack(backup: Path, folder: Path) -> Manifest:
    with _files(backup) as files:
        manifest = _manifest(backup, files)
        wanted = _wanted(backup, manifest)
        for name, stream in files:
            part = _expected(backup, wanted, name)
            target = folder / part.path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _same(backup, part, *write(stream, target))
    _none_missing(backup, wanted)
    return manifest


Files = Iterator[tuple[str, IO[bytes]]]


@contextmanager
def _files(backup: Path) -> Iterator[Files]:
    """The files of a backup, the manifest first."""
    if backup.is_dir():
        yield _of_folder(backup)
        return
    try:
        stream = backup.open("rb")
    except OSError as error:
        raise UsageError(f"{backup}: {error.strerror}; check the path") from None
    try:
        with stream, tarfile.open(fileobj=stream, mode="r|*") as tar:
            yield _of_tar(backup, tar)
    except (tarfile.TarError, EOFError, BadGzipFile, zlib.error) as error:
        raise UsageError(f"{backup}: no whole tar file ({error}); take another backup") from None


def _of_folder(backup: Path) -> Files:
    first = backup / MANIFEST
    if not first.is_file():
        raise UsageError(f"{backup}: no backup: it has no {MANIFEST}")
    found = sorted(p for p in backup.rglob("*") if not p.is_dir() or p.is_symlink())
    for path in [first, *(p for p in found if p != first)]:
        name = path.relative_to(backup).as_posix()
        if path.is_symlink() or not path.is_file():
            raise UsageError(f"{backup}: {name}: no ordinary file; a backup holds nothing else")
        try:
            with path.open("rb") as stream:
                yield name, stream
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None


def _of_tar(backup: Path, tar: tarfile.TarFile) -> Files:
    for member in tar:
        stream = tar.extractfile(member) if member.isreg() else None
        if stream is None:
            raise UsageError(f"{backup}: {member.name}: no ordinary file; no backup of Quivive's")
        yield member.name, stream


def _manifest(backup: Path, files: Files) -> Manifest:
    name, stream = next(files, (None, None))
    if name != MANIFEST or stream is None:
        raise UsageError(f"{backup}: no backup: it does not begin with {MANIFEST}")
    body = stream.read(MOST_MANIFEST)
    try:
        said = msgspec.json.decode(body)
        form = said.get("format") if isinstance(said, dict) else None
        if form != FORMAT:
            raise UsageError(
                f"{backup}: {MANIFEST}: format {str(form)[:40]!r}, this Quivive reads {FORMAT};"
                " use the Quivive that made it"
            )
        manifest = msgspec.convert(said, Manifest)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{backup}: {MANIFEST}: damaged: {error}") from None
    if manifest.schema > SCHEMA_VERSION:
        raise UsageError(
            f"{backup}: a store of version {manifest.schema}, this Quivive reads"
            f" {SCHEMA_VERSION}; use Quivive {manifest.quivive[:40]}, which made it"
        )
    return manifest


def _wanted(backup: Path, manifest: Manifest) -> dict[str, Part]:
    for part in manifest.files:
        path = PurePosixPath(part.path)
        known = part.path == FILE or path.parts[:1] in ((KEYS,), (TELEMETRY,), (SETTINGS,))
        if not known or ".." in path.parts or "\\" in part.path or str(path) != part.path:
            raise UsageError(f"{backup}: {MANIFEST}: {part.path!r} is no file of a backup")
    return {part.path: part for part in manifest.files}


def _expected(backup: Path, wanted: dict[str, Part], name: str) -> Part:
    part = wanted.pop(name, None)
    if part is None:
        raise UsageError(f"{backup}: {name}: not in the manifest, or there twice; nothing restored")
    return part


def _same(backup: Path, part: Part, size: int, digest: str) -> None:
    if (size, digest) != (part.size, part.sha256):
        raise UsageError(
            f"{backup}: {part.path}: not as it was written (SHA-256 {digest[:16]}…, the manifest"
            f" says {part.sha256[:16]}…); take another backup"
        )


def _none_missing(backup: Path, wanted: dict[str, Part]) -> None:
    if wanted:
        name = min(wanted)
        raise UsageError(f"{backup}: {name}: missing; take another backup")
