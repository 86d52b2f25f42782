"""What pages show of incidents and findings, read in a thread."""

from collections.abc import Iterable
from contextlib import suppress

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from quivive.app.intents import Intended, requests_of_line
from quivive.app.notices import read_line, runbook_of
from quivive.app.responding import read_intended
from quivive.model.incident import Incident
from quivive.model.response import ResponseResult
from quivive.server.console.login import Login, as_told, read
from quivive.server.console.veil import Veil
from quivive.store.database import BATCH, Store, assessments
from quivive.store.outbox import Row, StoredOutbox


class Case(Struct, kw_only=True):
    """An incident with the finding that tells most of it."""

    incident: Incident
    best: Login | None
    runbook: str

    @property
    def names(self) -> list[str]:
        """Its identities, those with most weight first."""
        found = self.incident.identities
        return sorted(found, key=lambda name: (-found[name], name))

    @property
    def more(self) -> int:
        """How many identities are not the first."""
        return len(self.incident.identities) + self.incident.more_identities - 1

    @property
    def service(self) -> str:
        """What most of its findings are about."""
        found = self.incident.services
        return max(found, key=lambda name: (found[name], name)) if found else ""


class Action(Struct, kw_only=True):
    """Something that was asked of a vendor. state: due, done or dead; due: when it is tried next
    (ms UTC). undoable: somebody may take it back.
    """

    row: Row
    intended: Intended
    due: int
    error: str
    undoable: bool

    @property
    def results(self) -> list[ResponseResult]:
        """What came of it, and of taking it back."""
        return [*self.intended.results.values(), *self.intended.undone.values()]

    @property
    def status(self) -> str:
        """In a word of words.STATUSES."""
        if self.row.state != "done":
            return self.row.state
        if self.intended.undone:
            return "undone"
        found = [r.status for r in self.intended.results.values()]
        return next(
            (s for s in ("failed", "refused", "done") if s in found), (found or ["done"])[0]
        )

    @property
    def ended(self) -> int:
        """When the last answer came (ms UTC); 0 for none yet."""
        return max((r.ended for r in self.results), default=0)


def lines(store: Store, ids: Iterable[str]) -> dict[str, bytes]:
    """The scored lines of some event ids."""
    wanted = list(ids)
    found: dict[str, bytes] = {}
    table = assessments.c
    with store.reading() as connection:
        for start in range(0, len(wanted), BATCH):
            query = sa.select(table.id, table.body).where(
                table.id.in_(wanted[start : start + BATCH])
            )
            found |= {row.id: bytes(row.body) for row in connection.execute(query)}
    return found


def cases(store: Store, incidents: Iterable[Incident], veil: Veil) -> list[Case]:
    """Incidents with their best findings."""
    some = list(incidents)
    found = lines(store, [i.best for i in some if i.best])
    made = []
    for incident in some:
        line = found.get(incident.best)
        scored = read_line(line) if line is not None else None
        book = runbook_of(incident, scored).rpartition("/")[2].removesuffix(".md")
        best = as_told(read(line, veil)) if line is not None else None
        veil.know(*incident.identities)
        made.append(Case(incident=incident, best=best, runbook=book))
    return made


def actions(store: Store, limit: int, veil: Veil) -> list[Action]:
    """The newest responses."""
    found = []
    for row, due, error in StoredOutbox(store).rows(limit=limit):
        made = _action(row, due, error, veil)
        if made is not None:
            found.append(made)
    return found


def actions_of(store: Store, scored: Iterable[bytes], veil: Veil) -> list[Action]:
    """What was asked of vendors because of some logins."""
    box, found = StoredOutbox(store), []
    for line in scored:
        with suppress(msgspec.ValidationError):
            for request in requests_of_line(line, acting=False):
                row = box.find(request.key)
                made = _action(row, 0, "", veil) if row is not None else None
                if made is not None:
                    found.append(made)
    return found


def find_action(store: Store, key: str, veil: Veil) -> Action | None:
    """One response by its key."""
    row = StoredOutbox(store).find(key)
    return None if row is None else _action(row, 0, "", veil)


def _action(row: Row, due: int, error: str, veil: Veil) -> Action | None:
    intended = read_intended(row.body)
    if intended is None:
        return None
    target = intended.request.target
    veil.alias(target.identity, target.identity, target.name, target.email, target.uid)
    undoable = any(
        r.undo and intended.undone.get(name) is None for name, r in intended.results.items()
    )
    return Action(row=row, intended=intended, due=due, error=error, undoable=undoable)
