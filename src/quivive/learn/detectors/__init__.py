"""Reference detectors: methods from products and papers, measured beside Quivive.

Each module offers one as its constant ``DETECTOR``; a new file needs no list to be edited.
"""

import importlib
import pkgutil
from functools import cache
from importlib.util import find_spec

from quivive.learn.detectors.detector import Detector, Entry

__all__ = ["detectors", "missing"]


@cache
def _entries() -> tuple[Entry, ...]:
    found = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        entry = getattr(loaded, "DETECTOR", None)
        if isinstance(entry, Entry):
            found.append(entry)
    return tuple(found)


def _installed(entry: Entry) -> bool:
    return all(find_spec(package) is not None for package in entry.needs)


def detectors() -> list[Detector]:
    """Fresh instances of every detector whose packages are installed, by module name."""
    return [entry.make() for entry in _entries() if _installed(entry)]


def missing() -> list[str]:
    """The names of those left out because a package of theirs is not installed."""
    return [entry.name for entry in _entries() if not _installed(entry)]
