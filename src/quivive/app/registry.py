"""Finds every component: one constant a module (``SOURCE``, ``SIGNAL``…), plus entry points.

A new component needs no list to be edited. Third parties register the same constant under the
entry-point group ``quivive.sources`` and so on.
"""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING

import quivive.notify
import quivive.respond
import quivive.signals
import quivive.sources
from quivive.app.maps import shipped_maps
from quivive.notify.notifier import Notifier
from quivive.signals.signal import Signal
from quivive.sources.source import Source

if TYPE_CHECKING:  # imports an HTTP client, which most commands need not wait for
    from quivive.respond.response import Action


def _constants(package: ModuleType, constant: str) -> list[object]:
    found: list[object] = []
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        if not module.name.startswith("_"):
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            if hasattr(loaded, constant):
                found.append(getattr(loaded, constant))
    group = package.__name__.replace("_", ".")
    found.extend(point.load() for point in sorted(entry_points(group=group), key=lambda p: p.name))
    return found


@cache
def sources() -> dict[str, Source]:
    """Every log source by name: those in code, then the shipped field maps.

    Raises TypeError for an entry point that gives none.
    """
    known: dict[str, Source] = {}
    for found in _constants(quivive.sources, "SOURCE"):
        if not isinstance(found, Source):
            raise TypeError(f"{found!r} is registered as a log source but is no Source")
        known[found.name] = found
    return known | {source.name: source for source in shipped_maps() if source.name not in known}


@cache
def signals() -> tuple[Signal, ...]:
    """Every signal, by name. Raises TypeError for an entry point that gives none."""
    known: dict[str, Signal] = {}
    for found in _constants(quivive.signals, "SIGNAL"):
        if not isinstance(found, Signal):
            raise TypeError(f"{found!r} is registered as a signal but is no Signal")
        known[found.name] = found
    return tuple(known.values())


@cache
def actions() -> "dict[str, Action]":
    """Every vendor that contains identities, by name.

    Raises TypeError for an entry point that gives none.
    """
    from quivive.respond.response import Action

    known: dict[str, Action] = {}
    for found in _constants(quivive.respond, "ACTION"):
        if not isinstance(found, Action):
            raise TypeError(f"{found!r} is registered as a response but is no Action")
        known[found.name] = found
    return known


@cache
def notifiers() -> dict[str, Notifier]:
    """Every channel by name. Raises TypeError for an entry point that gives none."""
    known: dict[str, Notifier] = {}
    for found in _constants(quivive.notify, "NOTIFIER"):
        if not isinstance(found, Notifier):
            raise TypeError(f"{found!r} is registered as a notifier but is no Notifier")
        known[found.name] = found
    return known
