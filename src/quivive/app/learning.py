"""Learning a model from verdicts: weights, then calibrations by replay, then the comparison.

Nothing here changes what scores: a candidate comes out, with what the gate says of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from quivive.app.history import Replay, Row, replay
from quivive.engine.beside import Beside, Scale, scale_of
from quivive.engine.judged import Scored
from quivive.enrich.enricher import Enricher
from quivive.learn import evidence
from quivive.learn.comparison import (
    DAY_MS,
    TRUE,
    Compared,
    Comparison,
    Label,
    compare,
    incidents,
    labels_of,
    precision,
)
from quivive.learn.promotion import Gate, HeldOut, on_history
from quivive.learn.reweigh import FEWEST_ATTACKS, Reweighed, reweigh
from quivive.learn.trees import Example, train
from quivive.model.event import AuthEvent
from quivive.model.verdict import Verdict
from quivive.model.words import counted
from quivive.policy.budget import ALL, CLASSES, FIRST_DAY_SHARE, Budgets
from quivive.scoring.model import SHIPPED, Model
from quivive.scoring.trees import values_of

SPLIT = 0.7  # share of the incidents, by time, that weights are learned from when there are many
HELD_OUT = 4  # incidents that must be left after the split; else the verdicts are dealt into folds
MOVED_TOLD = 8
WARM_UP = 14 * DAY_MS

History = Callable[[], Iterable[tuple[str, AuthEvent]]]
Say = Callable[[str], None]


class Judged(NamedTuple):
    """A login with a verdict, and with all that was said of it."""

    id: str
    scored: Scored
    label: Label
    by: str


class Task(NamedTuple):
    """What to learn from, and how it is judged.

    verdicts: by event id; told: the risk and whether it was a finding, of logins scored live.
    """

    history: History
    verdicts: Mapping[str, Verdict]
    active: Model
    name: str
    enricher: Enricher
    budgets: Budgets
    aliases: dict[str, str]
    told: Mapping[str, tuple[float, bool]] = {}
    say: Say = lambda _: None


class Report(Struct, frozen=True):
    """What is kept beside a version: how it was compared, and what the gate said.

    against: the version it was compared with. weights: factor before and after, of every signal
    whose factor changed; moved: why, in words, the furthest moved first.
    """

    against: str
    learned_from: dict[str, int]
    weights: dict[str, tuple[float, float]]
    comparison: Comparison
    gate: Gate
    held_out: HeldOut | None = None
    moved: tuple[str, ...] = ()


class Learned(NamedTuple):
    """A candidate with its report, or what is missing for one."""

    missing: list[str]
    model: Model | None = None
    report: Report | None = None


def learn_weights(task: Task, *, recalibrate: bool = False) -> Learned:
    """A candidate with weights learned from verdicts, around the shipped ones.

    With fewer than eight confirmed incidents there is none, unless ``recalibrate`` asks for the
    active weights with calibrations renewed on history.
    """
    active = replace(task.active, trees="")
    task.say("replaying history with the active model")
    now = _replay(task, active, in_full=True)
    judged = _judged(now, task.verdicts)
    result = _fit(judged, active)
    missing = [] if result.learned else _missing(result, judged, task.verdicts)
    if missing and not recalibrate:
        return Learned(missing)
    weights, held_out, then = active.weights, None, now
    if result.learned:
        weights = result.model.weights
        task.say("replaying history with weights learned without the verdicts they are tried on")
        held_out = _held_out(task, active, judged)
        task.say("replaying history with the learned weights")
        then = _replay(task, replace(active, weights=weights))
    scale = scale_of(then.state)
    model = Model(
        version=task.name,
        weights=weights,
        calibrations=scale.calibrations,
        thresholds={of: round(found.value, 3) for of, found in scale.thresholds.items()},
        trees=task.active.trees,
    )
    rows = [
        _compared(old, new.risk, new.finding) for old, new in zip(now.rows, then.rows, strict=True)
    ]
    moved = tuple(m.why() for m in result.moved[:MOVED_TOLD] if m.weight != m.prior)
    return Learned(missing, model, _report(task, model, rows, judged, held_out, moved))


def learn_trees(task: Task, scale: Scale) -> Learned:
    """A candidate that is the active model with trees to rank its findings.

    ``scale`` is that of the active model. Raises TreesError when there are too few verdicts.
    """
    task.say("replaying history with the active model")
    active = replace(task.active, trees="")
    judged = _judged(_replay(task, active, in_full=True), task.verdicts)
    text = train([_example(login, active) for login in judged])
    model = Model(
        version=task.name,
        weights=active.weights,
        calibrations=scale.calibrations,
        thresholds={of: round(found.value, 3) for of, found in scale.thresholds.items()},
        trees=text,
    )
    task.say("replaying history with the trees beside it")
    now = _replay(task, active, [model])
    rows = [_compared(row, *row.others[0]) for row in now.rows]
    return Learned([], model, _report(task, model, rows, judged, None))


def shares(budgets: Budgets, rows: Sequence[Row | Compared]) -> dict[str, float]:
    """The share of logins that may be told, by kind of identity: five in a thousand unless a
    budget says otherwise.
    """
    days = max(1.0, (rows[-1].time - rows[0].time) / DAY_MS) if rows else 1.0
    found = {}
    for kind in CLASSES:
        budget = budgets.by_class.get(kind)
        logins = sum(row.kind == kind for row in rows)
        if budget is None:
            budget, logins = budgets.by_class.get(ALL), len(rows)
        found[kind] = FIRST_DAY_SHARE if budget is None else budget.share(logins / days)
    return found


def _replay(
    task: Task, model: Model, onlookers: Sequence[Model] = (), *, in_full: bool = False
) -> Replay:
    besides = [Beside(other, model, task.budgets, Scale()) for other in onlookers]
    keep = task.verdicts.keys() if in_full else ()
    return replay(task.history(), task.enricher, model, task.budgets, task.aliases, besides, keep)


def _judged(found: Replay, verdicts: Mapping[str, Verdict]) -> list[Judged]:
    """The logins of a replay that have a verdict, in order of time."""
    kinds = {event_id: word.kind for event_id, word in verdicts.items()}
    labels = labels_of(((row.id, row.time, row.identity) for row in found.rows), kinds)
    return [Judged(i, found.logins[i], label, verdicts[i].by) for i, label in labels.items()]


def _fit(judged: Iterable[Judged], active: Model) -> Reweighed:
    """The weights that some verdicts speak for. The prior is the shipped model, which never saw
    any of them; ``active`` is the model that weighed the evidence.
    """
    examples = [
        evidence.Example(
            evidence=evidence.raw_of(one.scored.gathered, active.weights),
            kind=one.scored.login.kind,
            attack=one.label.verdict == TRUE,
            source=one.by,
            incident=one.label.incident or one.scored.login.identity,
        )
        for one in judged
    ]
    return reweigh(examples, SHIPPED)


def _confirmed(judged: Iterable[Judged]) -> list[str]:
    """The confirmed incidents, by the time of their first login."""
    found = dict.fromkeys(one.label.incident for one in judged if one.label.verdict == TRUE)
    return list(found)


def _missing(
    result: Reweighed, judged: Sequence[Judged], verdicts: Mapping[str, Verdict]
) -> list[str]:
    found = [f"{result.why}: judge more, attacks and others (quivive verdict ask names some)"]
    elsewhere = len(verdicts) - len(judged)
    if elsewhere:
        found.append(
            f"{counted(elsewhere, 'verdict is', 'verdicts are')} on logins that are not in this"
            " history: learn from all of it"
        )
    return found


class _Trial(NamedTuple):
    """Logins to learn from, and the ids of those to try on."""

    taught: list[Judged]
    tried: frozenset[str]


def _trials(judged: Sequence[Judged]) -> tuple[list[_Trial], str]:
    """What is learned from and tried on, with how that was chosen in words.

    With enough incidents, the past teaches and what came after is tried. With few, incidents and
    the identities of other verdicts are dealt into folds: each is tried on weights that know
    nothing of it, though perhaps of what came later. None where even that leaves too few.
    """
    confirmed = _confirmed(judged)
    taught = int(SPLIT * len(confirmed))
    if taught >= FEWEST_ATTACKS and len(confirmed) - taught >= HELD_OUT:
        late = set(confirmed[taught:])
        since = min(one.scored.login.time for one in judged if one.label.incident in late)
        tried = frozenset(
            one.id
            for one in judged
            if one.label.incident in late
            or (one.scored.login.time >= since and not one.label.incident)
        )
        before = [o for o in judged if o.id not in tried and o.scored.login.time < since]
        day = datetime.fromtimestamp(since / 1000, UTC).date().isoformat()
        return [_Trial(before, tried)], (
            f"the {counted(len(tried), 'verdict')} on logins since {day}, with weights learned"
            " from the"
            f" {len(before)} before"
        )
    spare = len(confirmed) - FEWEST_ATTACKS
    if spare <= 0:
        return [], ""
    folds = ceil(len(confirmed) / spare)
    fold_of = {incident: n % folds for n, incident in enumerate(confirmed)}
    names = sorted({one.scored.login.identity for one in judged if not one.label.incident})
    dealt = {identity: n % folds for n, identity in enumerate(names)}
    numbers = [
        fold_of[one.label.incident] if one.label.incident else dealt[one.scored.login.identity]
        for one in judged
    ]
    trials = [
        _Trial(
            [one for one, number in zip(judged, numbers, strict=True) if number != fold],
            frozenset(o.id for o, number in zip(judged, numbers, strict=True) if number == fold),
        )
        for fold in range(folds)
    ]
    return trials, (
        f"all {len(judged)} verdicts, each tried on weights learned without its incident (dealt"
        f" into {folds} parts: too few for a split by time)"
    )


def _held_out(task: Task, active: Model, judged: Sequence[Judged]) -> HeldOut | None:
    """The active model against weights that were learned without what they are tried on."""
    trials, how = _trials(judged)
    results = [_fit(trial.taught, active) for trial in trials]
    if not results or not all(result.learned for result in results):
        return None
    trial_of = {event_id: n for n, trial in enumerate(trials) for event_id in trial.tried}
    found = _replay(task, active, [result.model for result in results])
    rows = [
        _compared(row, *row.others[trial_of[row.id]]) for row in found.rows if row.id in trial_of
    ]
    labels = {login.id: login.label for login in judged}
    return HeldOut(how, incidents(rows, labels), precision(rows, labels))


def _compared(row: Row, risk: float, finding: bool) -> Compared:
    return Compared(
        row.id,
        row.time,
        row.identity,
        row.kind,
        row.source,
        row.risk,
        risk,
        row.finding,
        finding,
        row.low_history,
        row.reason,
    )


def _report(
    task: Task,
    model: Model,
    rows: Sequence[Compared],
    judged: Sequence[Judged],
    held_out: HeldOut | None,
    moved: tuple[str, ...] = (),
) -> Report:
    labels = {login.id: login.label for login in judged}
    first, last = (rows[0].time, rows[-1].time) if rows else (0, 0)
    warm = first + min(WARM_UP, (last - first) // 3)
    comparison = compare(rows, labels, shares(task.budgets, rows), since=warm)
    before = task.active.weights
    return Report(
        against=task.active.version,
        learned_from={
            "logins": len(rows),
            "verdicts": len(judged),
            "incidents": len(_confirmed(judged)),
        },
        weights={
            signal: (before.get(signal, 1.0), model.weights.get(signal, 1.0))
            for signal in sorted({*before, *model.weights})
            if before.get(signal, 1.0) != model.weights.get(signal, 1.0)
        },
        comparison=comparison,
        gate=on_history(comparison, held_out),
        held_out=held_out,
        moved=moved,
    )


def _example(one: Judged, model: Model) -> Example:
    scored = one.scored
    reasons = scored.assessment.reasons
    return Example(
        values=values_of(scored.login, scored.gathered, scored.assessment.history, model.weights),
        attack=one.label.verdict == TRUE,
        identity=scored.login.identity,
        incident=one.label.incident,
        shape=reasons[0].signal if reasons else "",
    )
