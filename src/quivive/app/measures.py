"""What takes a look into the store to know: how right findings are, whom they hit, what waits."""

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from quivive.app.intents import ACTING
from quivive.learn.quality import Judged, quality, weights
from quivive.model.response import CONTAINMENT
from quivive.model.verdict import TRUE_POSITIVE
from quivive.store import schema, views
from quivive.store.database import Store
from quivive.store.incidents import Incidents
from quivive.store.outbox import StoredOutbox
from quivive.store.verdicts import FINDING, Verdicts

WEEK_MS = 7 * 86_400_000
FEWEST_ATTACKS = 10  # confirmed ones, under which a share of them says nothing
KINDS = ("response", "notification")


class Measures(Struct, kw_only=True):
    """Measures of a moment; None where too little is known to say.

    precision (M9), false_positives (M2), recall (M10): shares by verdicts. user_impact (M7): of
    the people who logged in within a week, the share that was kept out though it was they.
    incidents: by status, and how often they were told (M8). outbox: rows by kind and state.
    """

    precision: float | None = None
    false_positives: float | None = None
    recall: float | None = None
    verdicts: int = 0
    user_impact: float | None = None
    incidents: dict[str, int] = {}
    outbox: dict[tuple[str, str], int] = {}
    dead_letters: int = 0
    newest: int = 0


class _Details(Struct):
    identity: str = ""
    mode: str = ""


def measure(store: Store) -> Measures:
    """Looks."""
    found = Measures()
    _quality(store, found)
    horizon = Verdicts(store).horizon()
    if horizon is not None:
        found.newest = horizon[1]
        _impact(store, found, horizon[1] - WEEK_MS)
    found.incidents = Incidents(store).counts()
    for kind in KINDS:
        for state, count in StoredOutbox(store, kind).counts().items():
            found.outbox[kind, state] = count
    with store.reading() as connection:
        letters = sa.select(sa.func.count()).select_from(schema.dead_letters)
        found.dead_letters = connection.scalar(letters) or 0
    return found


def _quality(store: Store, found: Measures) -> None:
    kept = Verdicts(store)
    standing = kept.standing()
    found.verdicts = len(standing)
    if not standing:
        return
    asked = kept.asked()
    logins = kept.logins(list(standing), lessons=False)
    judged = [
        Judged(
            login.stratum,
            login.band,
            standing[event_id].verdict.kind,
            event_id in asked and asked[event_id].at_random,
        )
        for event_id, login in logins.items()
    ]
    population = kept.population()
    whole = quality(judged, population)[0]
    if whole.precision is not None and whole.false_positives is not None:
        found.precision = whole.precision.value
        found.false_positives = whole.false_positives.value
    attacks = [
        (one, weight) for one, weight in weights(judged, population) if one.kind == TRUE_POSITIVE
    ]
    if len(attacks) >= FEWEST_ATTACKS:
        told = sum(weight for one, weight in attacks if one.band == FINDING)
        found.recall = told / sum(weight for _, weight in attacks)


def _impact(store: Store, found: Measures, since: int) -> None:
    people = views.people(store, since)
    if not people:
        return
    standing = Verdicts(store).standing()
    hit = set()
    for event_id, action, body in views.decisions(store, since):
        details = msgspec.json.decode(body, type=_Details)
        verdict = standing.get(event_id)
        acted = details.mode in ACTING and action.removeprefix("decision:") in CONTAINMENT
        if acted and verdict is not None and not verdict.verdict.attack:
            hit.add(details.identity)
    found.user_impact = len(hit) / people
