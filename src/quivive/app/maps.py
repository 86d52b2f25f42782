"""Field maps from files: those that are shipped, and one given with ``--map``."""

from importlib.resources import files
from pathlib import Path

from quivive.sources.mapped import MapError, read_map, source_from_map
from quivive.sources.source import Source


def load_map(path: str | Path) -> Source:
    """The source that a map file describes.

    Raises MapError naming the file, the place in it and what to write instead.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise MapError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise MapError(f"{path}: no UTF-8 text; a map is a YAML file") from None
    return source_from_map(read_map(text, str(path)))


def shipped_maps() -> list[Source]:
    """One source for each map in ``quivive/sources/maps``."""
    folder = files("quivive.sources") / "maps"
    return [
        source_from_map(read_map(entry.read_text(encoding="utf-8"), entry.name))
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".yaml")
    ]
