"""Keys that Quivive makes for itself: a file each, made at first use, for its owner only."""

import os
import secrets
from pathlib import Path

from quivive.app.errors import UsageError
from quivive.app.lists import home_dir
from quivive.store.database import Store

FOLDER = "keys"


def kept(path: Path, body: bytes) -> bytes:
    """The content of a key file; ``body`` is written into it, with mode 0600, when there is none.

    Of two processes that make it at once one wins, and both read the same. Raises UsageError when
    it cannot be read or written.
    """
    try:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(partial)
        except FileExistsError:
            pass
        finally:
            partial.unlink()
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path}: the key cannot be read or made ({error.strerror}); check who owns the folder"
        ) from None


def keys_of(store: Store) -> Path:
    """The folder of a store's keys: in the state directory, or, for a database elsewhere, in
    QUIVIVE_HOME.
    """
    return (store.folder or home_dir()) / FOLDER


def random_key(store: Store, name: str) -> bytes:
    """32 random bytes kept under a name, for signing what only this store reads."""
    path = keys_of(store) / name
    key = kept(path, secrets.token_bytes(32))
    if len(key) < 32:
        raise UsageError(f"{path}: {len(key)} bytes, no key; remove it")
    return key
