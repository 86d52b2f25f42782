"""Several organisations evaluated at a time; weights judged on what they were not learned from."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from math import inf
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from quivive import __version__
from quivive.app.errors import UsageError
from quivive.app.evaluate import (
    Organisation,
    checked_labels,
    compare,
    score_all,
    tested,
)
from quivive.learn.detectors import detectors, missing
from quivive.learn.detectors.detector import Detector
from quivive.learn.evaluation.bootstrap import RESAMPLES
from quivive.learn.evaluation.counting import BUDGETS, Ranked, count
from quivive.learn.evaluation.labels import load_labels
from quivive.learn.evaluation.metrics import Found
from quivive.learn.evaluation.result import Compared, Evaluation, Fold, FoldAt, combined
from quivive.learn.evaluation.rows import QUIVIVE
from quivive.learn.evaluation.split import Incident, folds_of_kinds
from quivive.learn.evaluation.teaching import Taught, lessons
from quivive.learn.evidence import Example
from quivive.learn.reweigh import Reweighed, reweigh
from quivive.scoring.model import SHIPPED, Model

Advance = Callable[[int], None]
Reweigh = Callable[[Sequence[Example], Model], Reweighed]
WORTH_TELLING = 0.02  # of a weight
T = TypeVar("T")


class Settings(Struct, frozen=True):
    """How to evaluate. only, without: names of detectors to keep or to leave out, beside Quivive.

    test_from: a date or a day's number; None for the end of the first third. leave_one_out:
    "none", "kinds" or "organisations". jobs: organisations at a time, each in a process.
    """

    budgets: tuple[float, ...] = BUDGETS
    test_from: str | None = None
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    resamples: int = RESAMPLES
    leave_one_out: str = "none"
    jobs: int = 1


class Task(Struct, frozen=True):
    """The work of one process: an organisation scored and compared."""

    organisation: Organisation
    settings: Settings


class Outcome(Struct, frozen=True):
    """What came of it. teaches: its lessons for other organisations; by_then: its lessons for
    itself, of which none is of its own test window.
    """

    compared: Compared
    teaches: list[Taught]
    by_then: list[Taught]


class _Folding(Struct, frozen=True):
    """The work of one process: an organisation scored again with learned weights."""

    organisation: Organisation
    settings: Settings
    model: Model


class _Folded(Struct, frozen=True):
    incidents: list[Incident]
    ranked: Ranked


class _Plan(NamedTuple):
    """One fold: which organisation is judged, on which kinds, with what was learned."""

    number: int
    held_out: frozenset[str]
    learned: Reweighed


def chosen(settings: Settings) -> list[Detector]:
    """Fresh detectors by ``only`` and ``without``. Raises UsageError for a name there is not."""
    found = detectors()
    known = {detector.name for detector in found}
    absent = set(missing())
    if QUIVIVE in settings.without:
        raise UsageError("--without quivive: it is what is measured; name another detector")
    for name in (*settings.only, *settings.without):
        if name in absent and name in settings.only:
            raise UsageError(f"detector {name}: needs packages that are not installed;"
                             " install quivive[evaluate]")  # fmt: skip
        if name not in known | absent | {QUIVIVE}:
            raise UsageError(f"no detector {name!r}: one of {', '.join(sorted(known | absent))}")
    return [
        detector
        for detector in found
        if detector.name not in settings.without
        and (not settings.only or detector.name in settings.only)
    ]


def evaluate(
    organisations: Sequence[Organisation],
    settings: Settings,
    advance: Advance = lambda _: None,
) -> Evaluation:
    """Evaluates every organisation and puts them together.

    ``advance`` is told the bytes that were read. Raises LabelError, SplitError and UsageError.
    """
    chosen(settings)
    names = [organisation.name for organisation in organisations]
    if len(set(names)) < len(names):
        organisations = [
            replace(one, name=f"{one.name} ({number})")
            for number, one in enumerate(organisations, 1)
        ]
    for one in organisations:  # a broken file of labels shall not cost an hour of scoring
        load_labels(Path(one.labels), [Path(path) for path in one.logs])
    if settings.leave_one_out == "organisations" and len(organisations) < 2:
        raise UsageError("--leave-one-out organisations needs two organisations or more")
    work = [Task(one, settings) for one in organisations]
    scored = list(_each(carry_out, work, Outcome, settings.jobs, advance))
    absent = [name for name in missing() if name not in settings.without and not settings.only]
    found = combined([one.compared for one in scored], __version__, absent, settings.resamples)
    if settings.leave_one_out == "none":
        return found
    folds = leave_one_out(organisations, scored, settings, advance)
    return replace(found, leave_one_out=settings.leave_one_out, folds=folds)


def carry_out(work: Task, advance: Advance = lambda _: None) -> Outcome:
    """Scores and compares one organisation, and draws lessons where weights are to be learned."""
    settings = work.settings
    judges = chosen(settings)
    teaching = settings.leave_one_out != "none"
    scores = score_all(work.organisation, judges, keep_evidence=teaching, advance=advance)
    titles = [(judge.name, judge.title) for judge in judges]
    compared = compare(work.organisation, scores, titles, settings.budgets, settings.test_from)
    if not teaching:
        return Outcome(compared, [], [])
    labels = checked_labels(work.organisation, scores)
    return Outcome(
        compared,
        lessons(scores.rows, labels.until(inf)),
        lessons(scores.rows, labels.until(compared.test_from)),
    )


def leave_one_out(
    organisations: Sequence[Organisation],
    scored: Sequence[Outcome],
    settings: Settings,
    advance: Advance = lambda _: None,
    learn: Reweigh = reweigh,
) -> list[Fold]:
    """Weights learned without an organisation, or without some kinds of attack, judged on them.

    Whatever is held out, the judged organisation teaches only by its logins before its own test
    window: the labels that it is judged by are known to nobody. Raises UsageError where nothing
    is left to learn from.
    """
    kinds = sorted({i.kind for one in scored for i in one.compared.context.incidents})
    by_kind = settings.leave_one_out == "kinds"
    held_out = folds_of_kinds(kinds) if by_kind else [frozenset(kinds)]
    plans: list[_Plan] = []
    for number, one in enumerate(scored):
        for kinds_out in held_out:
            if not any(i.kind in kinds_out for i in one.compared.context.incidents):
                continue
            found = [
                _of(teacher.compared.name, lesson)
                for other, teacher in enumerate(scored)
                for lesson in (teacher.teaches if other != number else teacher.by_then)
                if (lesson.kind not in kinds_out if by_kind else other != number)
            ]
            plans.append(_Plan(number, kinds_out, learn(found, SHIPPED)))
    work = [
        _Folding(organisations[plan.number], settings, plan.learned.model)
        for plan in plans
        if plan.learned.learned
    ]
    if not work:
        why = plans[0].learned.why if plans else "no incidents to hold out"
        raise UsageError(
            f"--leave-one-out {settings.leave_one_out}: {why};"
            " give more organisations, or --test-from a later day"
        )
    again = _each(_fold, work, _Folded, settings.jobs, advance)
    folds = []
    for plan in plans:
        compared = scored[plan.number].compared
        if plan.learned.learned:
            judged = next(again)
            incidents, ranked = judged.incidents, judged.ranked
        else:
            incidents, ranked = compared.context.incidents, compared.ranked[0]
        folds.append(
            Fold(
                compared.name,
                sorted(plan.held_out) if by_kind else [compared.name],
                plan.learned.attacks,
                plan.learned.why,
                {
                    moved.signal: round(moved.weight, 4)
                    for moved in plan.learned.moved
                    if abs(moved.weight - moved.prior) > WORTH_TELLING
                },
                [
                    FoldAt(
                        shipped.budget,
                        _found(compared.context.incidents, shipped.found, plan.held_out),
                        _found(incidents, learned.found, plan.held_out),
                    )
                    for shipped, learned in zip(compared.ranked[0].at, ranked.at, strict=True)
                ],
            )
        )
    return folds


def _of(name: str, lesson: Taught) -> Example:
    """The lesson of an organisation, whose incidents are not those of the same name elsewhere."""
    return replace(lesson.example, incident=f"{name} {lesson.example.incident}")


def _found(incidents: Sequence[Incident], found: Sequence[bool], kinds: frozenset[str]) -> Found:
    mine = [hit for incident, hit in zip(incidents, found, strict=True) if incident.kind in kinds]
    return Found(sum(mine), len(mine))


def _fold(work: _Folding, advance: Advance = lambda _: None) -> _Folded:
    scores = score_all(work.organisation, (), work.model, advance=advance)
    labels = checked_labels(work.organisation, scores)
    tried = tested(scores.rows, labels, work.settings.test_from)
    ranked = count(scores.rows, tried, QUIVIVE, work.model.version, work.settings.budgets)
    return _Folded(tried.incidents, ranked)


# --- processes

_Work = TypeVar("_Work", Task, _Folding)


def _each(
    do: Callable[..., T],
    work: Sequence[_Work],
    returns: type[T],
    jobs: int,
    advance: Advance,
) -> Iterator[T]:
    """The results in order. Work and results cross to other processes as msgpack."""
    if jobs <= 1 or len(work) <= 1:
        for one in work:
            yield do(one, advance)
        return
    with ProcessPoolExecutor(min(jobs, len(work)), get_context("spawn")) as pool:
        bodies = [msgspec.msgpack.encode(one) for one in work]
        for one, body in zip(work, pool.map(_TASKS[do.__name__], bodies), strict=True):
            advance(sum(Path(path).stat().st_size for path in one.organisation.logs))
            yield msgspec.msgpack.decode(body, type=returns)


def _score_apart(body: bytes) -> bytes:
    return msgspec.msgpack.encode(carry_out(msgspec.msgpack.decode(body, type=Task)))


def _fold_apart(body: bytes) -> bytes:
    return msgspec.msgpack.encode(_fold(msgspec.msgpack.decode(body, type=_Folding)))


_TASKS = {"carry_out": _score_apart, "_fold": _fold_apart}
