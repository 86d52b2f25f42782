"""Logins by what people call them: a plain id, or a full name where several have that id."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from quivive.model.naming import full_name, parted
from quivive.store.database import BATCH, Store, assessments
from quivive.store.errors import StoreError


class AmbiguousName(StoreError):  # noqa: N818
    """An id that several logins have; the message gives the name of each."""


class Named(NamedTuple):
    """A login as it is kept: ``id`` is unique; ``event_id`` is what its vendor calls it."""

    id: str
    event_id: str
    source: str
    time: int

    @property
    def full(self) -> str:
        """Its full name."""
        return full_name(self.source, self.event_id)

    def __str__(self) -> str:
        """For people: full name and time."""
        at = datetime.fromtimestamp(self.time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        return f"{self.full} (of {at})"


def named(store: Store, names: Sequence[str]) -> dict[str, list[Named]]:
    """The logins that each of some names may mean, by time: those whose id it is, or the one whose
    full name it is. A name that means none is left out.
    """
    parts = {name: found for name in names if (found := parted(name)) is not None}
    wanted = list(dict.fromkeys((*names, *(event_id for _, event_id in parts.values()))))
    by_id: dict[str, list[Named]] = {}
    table = assessments.c
    columns = (table.id, table.plain, table.source, table.time)
    with store.reading() as connection:
        for start in range(0, len(wanted), BATCH // 4):
            some = wanted[start : start + BATCH // 4]
            for which in (table.id.in_(some), table.plain.in_(some)):
                for row in connection.execute(sa.select(*columns).where(which)):
                    login = Named(row.id, row.plain or row.id, row.source, row.time)
                    by_id.setdefault(login.event_id, []).append(login)
                    if login.id != login.event_id:
                        by_id.setdefault(login.id, []).append(login)
    meant: dict[str, list[Named]] = {}
    for name in names:
        logins = set(by_id.get(name, ()))
        if name in parts:
            source, event_id = parts[name]
            same = by_id.get(event_id, ())
            exact = {i for i in same if i.source == source}
            # Of a login whose line was damaged when the store was brought up, nobody knows.
            logins = exact or logins or {i for i in same if not i.source}
        if logins:
            meant[name] = sorted(logins, key=lambda login: (login.time, login.id))
    return meant


def find(store: Store, name: str) -> str | None:
    """Under what a login is kept that somebody named; None when there is none.

    Raises AmbiguousName when several logins have that id.
    """
    logins = named(store, [name]).get(name, [])
    if len(logins) > 1:
        raise AmbiguousName(ambiguous(name, logins))
    return logins[0].id if logins else None


def ambiguous(name: str, logins: Sequence[Named]) -> str:
    """What is to be said of an id that several logins have."""
    listed = ", ".join(map(str, logins))
    return (
        f"{len(logins)} logins of different products have the id {name}: {listed};"
        " give the full name of the one you mean"
    )


def spoken(store: Store, ids: Sequence[str]) -> dict[str, str]:
    """What to call logins that are kept under ``ids`` so that everybody is understood: that, or
    the full name where another login has the same id.
    """
    said = {event_id: event_id for event_id in ids}
    for event_id, logins in named(store, list(said)).items():
        if len(logins) > 1:
            said[event_id] = next((i.full for i in logins if i.id == event_id), event_id)
    return said


def others(store: Store, login_id: str) -> list[Named]:
    """The logins that have the same vendor's id as one that is kept under ``login_id``."""
    parts = parted(login_id)
    tried = [login_id] if parts is None else [login_id, parts[1]]
    found = {login for logins in named(store, tried).values() for login in logins}
    mine = next((login for login in found if login.id == login_id), None)
    if mine is None:
        return []
    same = (login for login in found if login.event_id == mine.event_id and login != mine)
    return sorted(same, key=lambda login: (login.time, login.id))
