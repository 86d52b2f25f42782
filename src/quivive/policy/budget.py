"""Budgets of findings, and the thresholds that hold them.

An operator says how much may be told ("human=20/day", "service=0.1%"); a controller moves the
threshold of risk so that this much is told: up by a step for each finding, down by the step's
share for each login that is none (stochastic approximation of a quantile, Robbins and Monro
1951). Over any stretch in which the threshold neither drifts nor meets a bound, the share told is
the budget, whatever the scores look like. Risks themselves never change.
"""

import re
from collections.abc import Iterable
from math import exp, log10

from msgspec import Struct, field

from quivive.baseline.tables import DAY_MS
from quivive.model.assessment import FINDING
from quivive.model.errors import ConfigurationError

CLASSES = ("human", "service")
ALL = "all"
DECIBELS = 20.0  # of the calibration: risk = -20 * log10(share of logins that score higher)
STEP = 60.0  # units of risk a week's findings may move the threshold by, shared among them
SMALLEST_STEP, LARGEST_STEP = 1.0, 12.0
FALLS_AT_MOST = 40.0  # below where the calibration puts the budget: repeats and failures rank lower
RISES_AT_MOST = 20.0  # above it: a burst must not blind for long
HIGHEST = 99.0
RATE_HALF_LIFE = 14 * DAY_MS
FIRST_DAY_SHARE = 0.005
UPDATE_EVERY = 32  # logins
LN2 = 0.6931471805599453
ALERTS = 5  # findings told of one identity within 24 hours
ALERTED_KEPT = 20_000

_WRITTEN = re.compile(
    r"(?:(?P<of>[a-z]+)\s*=\s*)?(?P<amount>\d+(?:\.\d+)?|\.\d+)\s*"
    r"(?P<unit>%|(?:findings?\s+)?(?:/|a|per)\s*(?:day|d))",
    re.IGNORECASE,
)


class BudgetError(ConfigurationError):
    """A budget that cannot be held; the message says which, why, and how one is written."""


class Budget(Struct, frozen=True):
    """So many findings a day, or such a share (0-1) of all logins."""

    amount: float
    daily: bool

    def share(self, logins_a_day: float) -> float:
        """The share of logins that may be told, at most a half."""
        return min(0.5, self.amount / max(logins_a_day, 1.0) if self.daily else self.amount)

    def __str__(self) -> str:
        """As an operator writes it."""
        return f"{self.amount:g}/day" if self.daily else f"{100 * self.amount:g}%"


class Budgets(Struct, frozen=True):
    """The budgets by class of identity ("all" for those not named); alerts: how many findings of
    one identity are told within 24 hours. Without a budget the threshold is FINDING.
    """

    by_class: dict[str, Budget] = field(default_factory=dict)
    alerts: int = ALERTS


def parse_budgets(written: Iterable[str], alerts: int = ALERTS) -> Budgets:
    """The budgets by class of identity, from texts such as "human=20/day", "0.3 %" (of all).

    Raises BudgetError for one that cannot be read, is out of bounds, or is given twice.
    """
    found: dict[str, Budget] = {}
    for text in written:
        read = _WRITTEN.fullmatch(text.strip())
        if read is None:
            raise BudgetError(
                f"budget {text!r}: not understood; write a number a day or a share,"
                ' such as "20/day", "human=20/day" or "service=0.1%"'
            )
        of = (read["of"] or ALL).lower()
        if of not in (ALL, *CLASSES):
            raise BudgetError(
                f"budget {text!r}: no class of identities {of!r};"
                " write human=, service=, or neither for all"
            )
        if of in found:
            raise BudgetError(f"budget {text!r}: a second one for {of}; give one for each class")
        found[of] = _budget(float(read["amount"]), read["unit"] != "%", text)
    if ALL in found and len(found) == 1 + len(CLASSES):
        raise BudgetError(
            "budgets: one for all, and one for each class; the first would hold for nobody:"
            " leave it out"
        )
    return Budgets(found, alerts)


def _budget(amount: float, daily: bool, text: str) -> Budget:
    if daily:
        if not 0.01 <= amount <= 1_000_000:
            raise BudgetError(f"budget {text!r}: between 0.01 and 1,000,000 findings a day")
        return Budget(amount, daily=True)
    if not 0.001 <= amount <= 50:
        raise BudgetError(f"budget {text!r}: between 0.001 and 50 % of all logins")
    return Budget(amount / 100, daily=False)


class Threshold(Struct):
    """The controller of one budget.

    value: the risk from which a login is told. budget: the one it was set for. logins: a decayed
    count, as of ``anchor``, behind the rate; first: when the first came (ms UTC). told and seen:
    since the beginning, to say what was realised. share, step, lowest and highest follow from
    budget and rate, and are brought up to date now and then.
    """

    value: float
    budget: Budget
    first: int
    anchor: int
    logins: float = 0.0
    told: int = 0
    seen: int = 0
    share: float = FIRST_DAY_SHARE
    step: float = LARGEST_STEP
    lowest: float = 0.0
    highest: float = HIGHEST

    def rate(self) -> float:
        """Logins a day as of ``anchor``, from a decayed count that allows for its beginning."""
        age = max(self.anchor - self.first, DAY_MS)
        # The decayed sum of a steady stream of one a day that began ``age`` ago.
        one_a_day = RATE_HALF_LIFE / DAY_MS / LN2 * (1.0 - exp(-LN2 * age / RATE_HALF_LIFE))
        return self.logins / one_a_day

    def adopt(self, budget: Budget) -> None:
        """Takes over another budget.

        What was learned of how the scale and reality differ stays; the scale says the rest.
        """
        before = nominal_risk(self.share)
        self.budget = budget
        self._update()
        self.value += nominal_risk(self.share) - before

    def take(self, told: bool, time: int) -> None:
        """Counts a login: a step up for a finding, the share of a step down for one that is none.

        The fewer findings a week the budget buys, the larger the step.
        """
        if time > self.anchor:
            self.logins *= exp(-LN2 * (time - self.anchor) / RATE_HALF_LIFE)
            self.anchor = time
        self.logins += 1.0
        if self.seen % UPDATE_EVERY == 0:
            self._update()
        self.seen += 1
        self.told += told
        value = self.value + self.step * (told - self.share)
        self.value = min(self.highest, max(self.lowest, value))

    def _update(self) -> None:
        young = self.anchor - self.first < DAY_MS  # nothing is known of logins a day yet
        rate = self.rate()
        self.share = FIRST_DAY_SHARE if young and self.budget.daily else self.budget.share(rate)
        weekly = max(self.share * rate * 7, 1e-9)
        self.step = min(LARGEST_STEP, max(SMALLEST_STEP, STEP / weekly))
        nominal = nominal_risk(self.share)
        self.lowest = max(0.0, nominal - FALLS_AT_MOST)
        self.highest = min(HIGHEST, nominal + RISES_AT_MOST)


def nominal_risk(share: float) -> float:
    """The risk that this share of logins exceeds, by the calibration's own scale."""
    return -DECIBELS * log10(max(share, 1e-6))


class Thresholds(Struct):
    """The thresholds in force, and who was told of lately (for the cap)."""

    by_class: dict[str, Threshold] = field(default_factory=dict)
    alerted: dict[str, list[int]] = field(default_factory=dict)


class Telling(Struct, frozen=True, gc=False):
    """Whether a login is told, from which risk on, and whether only the cap kept it back."""

    finding: bool
    threshold: float
    capped: bool


def judge(
    risk: float,
    identity: str,
    kind: str,
    time: int,
    thresholds: Thresholds,
    budgets: Budgets,
) -> Telling:
    """Whether a login is a finding, and what that does to the threshold of its class.

    What the cap keeps back stays a login with its risk.
    """
    of = kind if kind in budgets.by_class else ALL
    budget = budgets.by_class.get(of)
    if budget is None:
        above = risk >= FINDING
        told = above and _tell(identity, time, thresholds.alerted, budgets.alerts)
        return Telling(told, FINDING, above and not told)
    held = thresholds.by_class.get(of)
    if held is None:
        held = thresholds.by_class[of] = _begin(budget, time, thresholds.by_class.get(ALL))
    elif held.budget != budget:
        held.adopt(budget)
    threshold = held.value
    above = risk >= threshold
    told = above and _tell(identity, time, thresholds.alerted, budgets.alerts)
    held.take(told, time)
    return Telling(told, threshold, above and not told)


def _begin(budget: Budget, time: int, of_all: Threshold | None) -> Threshold:
    """A new threshold: where the calibration puts the budget, or where that of all stood."""
    if of_all is not None:
        return Threshold(of_all.value, budget, time, time)
    return Threshold(FINDING if budget.daily else nominal_risk(budget.amount), budget, time, time)


def _tell(identity: str, time: int, alerted: dict[str, list[int]], alerts: int) -> bool:
    """Notes that an identity is told of, unless it was told of too often in the last 24 hours."""
    lately = [t for t in alerted.pop(identity, ()) if time - t < DAY_MS]
    told = len(lately) < alerts
    alerted[identity] = [*lately, time] if told else lately
    if len(alerted) > ALERTED_KEPT:
        alerted.pop(next(iter(alerted)))
    return told
