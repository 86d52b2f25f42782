"""The result of an evaluation, as it is written to JSON and shown in the report."""

from collections.abc import Sequence

from msgspec import Struct

from quivive.learn.evaluation.bootstrap import RESAMPLES
from quivive.learn.evaluation.counting import Operated, Ranked
from quivive.learn.evaluation.metrics import (
    Context,
    DetectorResult,
    Found,
    Metric,
    measured,
    operational,
)
from quivive.learn.evaluation.review import ForNothing, Missed, together

REVIEWED_AT = 0.005


class Compared(Struct, frozen=True):
    """The counts of one organisation. first, test_from, test_to: ms UTC."""

    name: str
    logs: list[str]
    logins: int
    learning_logins: int
    identities: int
    services: int
    rejected: int
    first: int
    test_from: int
    test_to: int
    context: Context
    ranked: list[Ranked]
    operated: Operated
    missed: list[Missed]
    for_nothing: list[ForNothing]


class OrganisationResult(Struct, frozen=True):
    """One organisation: its shape, every detector in it, and M1 to M10.

    logins: all that were scored; judged: those of the test window; attack_logins: of these, an
    attacker's. first, test_from, test_to: ms UTC.
    """

    name: str
    logs: list[str]
    logins: int
    judged: int
    attack_logins: int
    identities: int
    services: int
    rejected: int
    incidents: int
    first: int
    test_from: int
    test_to: int
    detectors: list[DetectorResult]
    metrics: list[Metric]


class FoldAt(Struct, frozen=True):
    """Held-out incidents found at a budget: with the shipped weights, and with the learned ones."""

    budget: float
    shipped: Found
    learned: Found


class Fold(Struct, frozen=True):
    """Weights learned without something, judged on it.

    held_out: an organisation's name or kinds of attack; taught: incidents learned from; why: what
    spoke for the weights, or why they stayed as they were; weights: those that moved.
    """

    organisation: str
    held_out: list[str]
    taught: int
    why: str
    weights: dict[str, float]
    at: list[FoldAt]


class Evaluation(Struct, frozen=True):
    """A whole evaluation: organisations one by one and together.

    left_out: detectors whose packages are not installed. reviewed_at: the budget of ``missed`` and
    ``for_nothing``. resamples: of the intervals. leave_one_out: what the folds hold out.
    """

    quivive: str
    budgets: list[float]
    resamples: int
    reviewed_at: float
    organisations: list[OrganisationResult]
    detectors: list[DetectorResult]
    metrics: list[Metric]
    missed: list[Missed]
    for_nothing: list[ForNothing]
    left_out: list[str]
    leave_one_out: str = "none"
    folds: list[Fold] = []


def combined(
    compared: Sequence[Compared],
    version: str,
    left_out: Sequence[str] = (),
    resamples: int = RESAMPLES,
) -> Evaluation:
    """Organisations one by one, and together as if an analyst watched all of them."""

    def detector(number: int, among: Sequence[Compared]) -> DetectorResult:
        return measured([(one.context, one.ranked[number]) for one in among], resamples)

    numbers = range(len(compared[0].ranked))
    return Evaluation(
        version,
        [at.budget for at in compared[0].ranked[0].at],
        resamples,
        REVIEWED_AT,
        [
            OrganisationResult(
                one.name,
                one.logs,
                one.logins,
                one.context.logins,
                one.context.attack_logins,
                one.identities,
                one.services,
                one.rejected,
                len(one.context.incidents),
                one.first,
                one.test_from,
                one.test_to,
                [detector(number, [one]) for number in numbers],
                operational([one.operated]),
            )
            for one in compared
        ],
        [detector(number, compared) for number in numbers],
        operational([one.operated for one in compared]),
        [miss for one in compared for miss in one.missed],
        together([part for one in compared for part in one.for_nothing]),
        list(left_out),
    )
