"""From a candidate to the active model and back: what is kept, and what the gate says."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import Struct

from quivive.app.audit import sign
from quivive.app.errors import UsageError
from quivive.app.keeping import load_state
from quivive.app.learning import Learned, Report, shares
from quivive.app.models import model_of, switch
from quivive.engine.state import State
from quivive.learn.comparison import Compared, Comparison, compare, labels_of
from quivive.learn.promotion import PROMOTE, REFUSE, SHADOW, Gate, on_shadow
from quivive.model.verdict import Verdict
from quivive.policy.budget import Budgets
from quivive.scoring.model import encode_model
from quivive.store.database import Store
from quivive.store.models import SHIPPED_NAME, Author, Models
from quivive.store.verdicts import Verdicts

_encoder = msgspec.json.Encoder()
_reports = msgspec.json.Decoder(Report)


class _Product(Struct):
    name: str


class _Metadata(Struct):
    product: _Product


class _Event(Struct):
    time: int
    metadata: _Metadata


class _Reason(Struct):
    signal: str


class _Line(Struct):
    """What is read of an output line here."""

    event: _Event
    id: str
    identity: str
    identity_kind: str
    risk_score: float
    reasons: tuple[_Reason, ...] = ()
    finding: bool = False
    low_history: bool = False
    shadow_model: str | None = None
    shadow_risk: float = 0.0
    shadow_finding: bool = False


_lines = msgspec.json.Decoder(_Line)


class Standing(NamedTuple):
    """What the gate says of a version: on history, when it was learned, and live, in shadow."""

    report: Report
    live: Comparison
    gate: Gate


def kept_state(store: Store) -> State | None:
    """The engine's state in a store, or None."""
    return load_state(store)


def budgets_of(state: State | None) -> Budgets:
    """The budgets that the last run held."""
    held = state.thresholds.by_class if state is not None else {}
    return Budgets({of: threshold.budget for of, threshold in held.items()})


def standing_verdicts(store: Store) -> dict[str, Verdict]:
    """The verdicts that stand, by event id."""
    standing = Verdicts(store).standing()
    return {i: given.verdict for i, given in standing.items()}


def told(store: Store) -> dict[str, tuple[float, bool]]:
    """The risk of every stored login, and whether it was a finding."""
    return {line.id: (line.risk_score, line.finding) for line in _read(store)}


def keep(store: Store, learned: Learned, author: Author) -> str:
    """Keeps a candidate: in shadow when the gate lets it and no other version is there, else as a
    candidate, or as refused. Returns the status.
    """
    if learned.model is None or learned.report is None:
        raise UsageError("nothing was learned")
    models = Models(store)
    status = "refused"
    if learned.report.gate.outcome != REFUSE:
        status = "candidate" if models.named("shadow") else "shadow"
    models.add(
        learned.model.version,
        encode_model(learned.model),
        _encoder.encode(learned.report),
        learned.report.comparison.last,
        status,
        author,
    )
    return status


def report_of(store: Store, name: str) -> Report | None:
    """What is kept beside a version; None for the shipped model.

    Raises UsageError for a report that is damaged.
    """
    if name == SHIPPED_NAME:
        return None
    try:
        return _reports.decode(Models(store).comparison(name))
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UsageError(
            f"{store.path}: model {name}: damaged report: {error}; learn it anew"
        ) from None


def standing(store: Store, name: str) -> Standing:
    """What history and shadow say of a version.

    Raises UsageError for the shipped model, and for a report that is damaged.
    """
    report = report_of(store, name)
    if report is None:
        raise UsageError("the shipped model was not learned: quivive models rollback --to shipped")
    rows = [
        Compared(
            id=line.id,
            time=line.event.time,
            identity=line.identity,
            kind=line.identity_kind,
            source=line.event.metadata.product.name,
            before=line.risk_score,
            after=line.shadow_risk,
            found_before=line.finding,
            found_after=line.shadow_finding,
            low_history=line.low_history,
            reason=line.reasons[0].signal if line.reasons else "",
        )
        for line in _read(store)
        if line.shadow_model == name
    ]
    kinds = {i: verdict.kind for i, verdict in standing_verdicts(store).items()}
    labels = labels_of(((row.id, row.time, row.identity) for row in rows), kinds)
    live = compare(rows, labels, shares(budgets_of(kept_state(store)), rows))
    gate = report.gate if report.gate.outcome == REFUSE else on_shadow(live)
    if (outdated := _outdated(store, report)) is not None:
        gate = Gate(REFUSE, (outdated,))
    return Standing(report, live, gate)


def _outdated(store: Store, report: Report) -> str | None:
    """Why a comparison says nothing of the model that is active now, or None."""
    active = Models(store).active()
    if report.against == active:
        return None
    return f"it was compared with {report.against}, and {active} is active now: learn anew"


def put_in_shadow(store: Store, name: str, author: Author) -> None:
    """Puts a version into shadow, also one that was retired.

    Raises UsageError where the gate or another version bars it.
    """
    models = Models(store)
    status = next((v.status for v in models.names() if v.name == name), None)
    report = report_of(store, name) if status in ("candidate", "retired") else None
    if report is None or status is None:
        raise UsageError(
            f"{name} is {'in shadow already' if status == 'shadow' else status or 'no version'}:"
            " only a candidate or a retired version goes into shadow"
        )
    if (outdated := _outdated(store, report)) is not None:
        raise UsageError(f"{name}: {outdated}")
    if (former := models.named("shadow")) is not None:
        raise UsageError(f"{former} is in shadow: promote or retire it first")
    model_of(models, name)
    models.move(name, status, "shadow", "put in shadow", author)
    sign(store)


def retire(store: Store, name: str, author: Author) -> None:
    """Takes a version out of shadow, or a candidate away. Raises UsageError for others."""
    models = Models(store)
    status = next((v.status for v in models.names() if v.name == name), None)
    if status not in ("shadow", "candidate"):
        raise UsageError(f"{name} is {status or 'no version'}: only a candidate can be retired")
    models.move(name, status, "retired", "retired", author)
    sign(store)


def promote(store: Store, name: str, author: Author, *, force: bool = False) -> Gate:
    """Makes a version the active one if the gate lets it, or ``force`` does, and says what the
    gate said. Nothing is changed when the outcome is not "promote" and nothing forces it.
    """
    models = Models(store)
    status = next((v.status for v in models.names() if v.name == name), None)
    if name == SHIPPED_NAME:
        raise UsageError(
            f"{name} is always there: quivive models rollback --to {name} returns to it"
        )
    if status == "active":
        raise UsageError(f"{name} is active already")
    if status is None:
        raise UsageError(f"{name} is no version: quivive models list names them")
    gate = standing(store, name).gate
    if gate.outcome == PROMOTE and status != "shadow":
        gate = Gate(SHADOW, (f"{name} is {status}, not in shadow",))
    if gate.outcome == PROMOTE or force:
        switch(store, name, "promoted", author, forced=gate.outcome != PROMOTE)
        sign(store)
    return gate


def roll_back(store: Store, author: Author, to: str | None = None) -> tuple[str, str]:
    """Returns to the version that was active before, or to ``to``; says from which to which.

    The version that is left need not be readable. Raises UsageError when nothing was active
    before.
    """
    models = Models(store)
    target = to or models.before()
    if target is None:
        raise UsageError("the shipped model is active: there is nothing to roll back")
    active = models.active()
    if target == active:
        raise UsageError(f"{target} is active already")
    activated = {c.version for c in models.history() if c.status == "active"} | {SHIPPED_NAME}
    if target not in activated:
        raise UsageError(
            f"{target} was never active: only a promotion makes it so (quivive models promote)"
        )
    switch(store, target, "rolled back to", author)
    sign(store)
    return active, target


def _read(store: Store) -> Iterator[_Line]:
    for event_id, body in store.history():
        try:
            yield _lines.decode(body)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise UsageError(
                f"{store.path}: login {event_id}: damaged: {error}; restore the store"
            ) from None
