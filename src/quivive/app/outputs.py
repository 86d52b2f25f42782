"""Where outputs may go."""

from pathlib import Path

from quivive.app.errors import UsageError
from quivive.app.keys import FOLDER
from quivive.store.database import FILE

LOCK = "lock"


def beside_store(out: Path, folder: Path | str | None) -> None:
    """Raises UsageError for an output that would take the place of a store's own file.

    folder: the state directory; a URL, or None for a store that is in none, allows all.
    """
    if folder is None:
        return
    target, home = out.resolve(), Path(folder).resolve()
    own = target.parent == home and (target.name.startswith(FILE) or target.name == LOCK)
    if own or target.parent == home / FOLDER:
        raise UsageError(f"{out}: a file of the store itself, which would be lost; name another")
