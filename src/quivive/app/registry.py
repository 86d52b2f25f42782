"""Finds every component: one constant a module (``SOURCE``, ``SIGNAL``…), plus entry points.

A new component needs no list to be edited. Third parties register the same constant under the
entry-point group ``quivive.sources`` and so on.
"""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, TypeVar

import quivive.fetch
import quivive.notify
import quivive.respond
import quivive.signals
import quivive.sources
from quivive.app.maps import shipped_maps
from quivive.notify.notifier import Notifier
from quivive.signals.signal import Signal
from quivive.sources.source import Source

if TYPE_CHECKING:  # imports an HTTP client, which most commands need not wait for
    from quivive.fetch.fetcher import Fetcher
    from quivive.respond.response import Action


class _Component(Protocol):
    @property
    def name(self) -> str: ...


_C = TypeVar("_C", bound=_Component)


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


def _named(package: ModuleType, constant: str, kind: type[_C], what: str) -> dict[str, _C]:
    """The components of a package by name. Raises TypeError for a constant of another type."""
    known: dict[str, _C] = {}
    for found in _constants(package, constant):
        if not isinstance(found, kind):
            raise TypeError(f"{found!r} is registered as {what} but is no {kind.__name__}")
        known[found.name] = found
    return known


@cache
def sources() -> dict[str, Source]:
    """Every log source by name: those in code, then the shipped field maps.

    Raises TypeError for an entry point that gives none.
    """
    known = _named(quivive.sources, "SOURCE", Source, "a log source")
    return known | {source.name: source for source in shipped_maps() if source.name not in known}


@cache
def signals() -> tuple[Signal, ...]:
    """Every signal, by name. Raises TypeError for an entry point that gives none."""
    return tuple(_named(quivive.signals, "SIGNAL", Signal, "a signal").values())


@cache
def actions() -> "dict[str, Action]":
    """Every vendor that contains identities, by name.

    Raises TypeError for an entry point that gives none.
    """
    from quivive.respond.response import Action

    return _named(quivive.respond, "ACTION", Action, "a response")


@cache
def fetchers() -> "dict[str, Fetcher]":
    """Every vendor whose log is fetched, by name.

    Raises TypeError for an entry point that gives none.
    """
    from quivive.fetch.fetcher import Fetcher

    return _named(quivive.fetch, "FETCHER", Fetcher, "a fetcher")


@cache
def notifiers() -> dict[str, Notifier]:
    """Every channel by name. Raises TypeError for an entry point that gives none."""
    return _named(quivive.notify, "NOTIFIER", Notifier, "a notifier")
