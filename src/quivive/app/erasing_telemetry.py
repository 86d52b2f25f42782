"""Erasing an identity from the files of telemetry: its rows go, and its names in those of others.

A file is written anew beside the old one and takes its place, so that a crash leaves each as it was
or as it should be; running the erasure again finishes it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from quivive.app.errors import UsageError
from quivive.app.telemetry import folder_of
from quivive.store.database import Store, StoreError
from quivive.store.telemetry import Parts, positions

if TYPE_CHECKING:
    import pyarrow as pa

Rewrite = Callable[[bytes], bytes | None]


def erase_rows(store: Store, identity: str, rewrite: Rewrite, given: str | None = None) -> int:
    """Deletes an identity's rows, and rewrites what else names it; how many rows were deleted.

    given: the folder, where it is not the store's own. Raises UsageError where the telemetry is not
    to be found or cannot be read, StoreUnavailable where it cannot be written; nothing of the store
    is changed yet.
    """
    if given is None and store.folder is None:
        if positions(store):
            raise UsageError(_elsewhere(store.given))
        return 0
    folder = folder_of(store, given)
    if not folder.is_dir():
        if given is not None or positions(store):
            raise UsageError(_elsewhere(str(folder)))
        return 0
    if not any(folder.glob("day=*/run-*.parquet")):
        return 0
    try:
        parts = Parts(folder)
        import pyarrow.compute as pc
        import pyarrow.parquet as pq
    except (ImportError, StoreError):
        raise UsageError(
            f"{folder}: telemetry cannot be read: install quivive[analytics]; nothing was changed"
        ) from None
    gone = 0
    for file, _, _, _ in list(parts.files()):
        table = _read(pq, file)
        rest = table.filter(pc.not_equal(table["identity"], identity))
        fresh = _renamed(rest, rewrite)
        gone += table.num_rows - rest.num_rows
        if fresh is not None or rest.num_rows < table.num_rows:
            parts.rewrite(file, fresh if fresh is not None else rest)
    return gone


def _elsewhere(where: str) -> str:
    return (
        f"{where}: telemetry was written for this store, and is not here: name its folder with"
        " --telemetry-dir; nothing was changed"
    )


def _read(parquet: "object", file: Path) -> "pa.Table":
    import pyarrow as pa

    try:
        return parquet.read_table(file, partitioning=None)  # type: ignore[attr-defined]
    except (pa.ArrowException, OSError) as error:
        text = " ".join(str(error).split())[:200]
        raise UsageError(
            f"{file}: damaged: {text}; restore it, or remove it, then run this again"
        ) from None


def _renamed(table: "pa.Table", rewrite: Rewrite) -> "pa.Table | None":
    """The table with a stand-in wherever a text names somebody; None where none does."""
    import pyarrow as pa

    changed = False
    for number, field in enumerate(table.schema):
        column = table.column(number).combine_chunks()
        if pa.types.is_string(field.type):
            fresh = _texts(column, rewrite)
        elif field.name == "reasons":
            fresh = _reasons(column, rewrite)
        else:
            continue
        if fresh is not None:
            changed = True
            table = table.set_column(number, field.name, fresh)
    return table if changed else None


def _texts(column: "pa.Array", rewrite: Rewrite) -> "pa.Array | None":
    """Each different text is looked at once."""
    import pyarrow as pa

    coded = column.dictionary_encode()
    words, changed = [], False
    for word in coded.dictionary.to_pylist():
        fresh = rewrite(word.encode())
        changed = changed or fresh is not None
        words.append(word if fresh is None else fresh.decode())
    if not changed:
        return None
    return pa.array(words, pa.string()).take(coded.indices)


def _reasons(column: "pa.ListArray", rewrite: Rewrite) -> "pa.Array | None":
    import pyarrow as pa

    found, changed = column.to_pylist(), False
    for reasons in found:
        for reason in reasons or ():
            fresh = rewrite((reason["text"] or "").encode())
            if fresh is not None:
                reason["text"], changed = fresh.decode(), True
    return pa.array(found, column.type) if changed else None
