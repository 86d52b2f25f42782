"""The gate a model passes before it scores: first on history, then beside the active one.

Never promoted is what tells more than 110 % of a budget, or does not find a confirmed incident
that the active model finds (docs/adr, "promotion gate"). Everything else is a reason, in words, for
or against.
"""

from collections.abc import Sequence
from math import exp

from msgspec import Struct

from quivive.learn.comparison import Comparison, Incidents, Precision, Rate
from quivive.model.words import counted

PROMOTE, SHADOW, REFUSE = "promote", "shadow", "refuse"
TOLERANCE = 1.1  # of a budget
UNSURE = 0.05  # where a budget buys few findings: chance of telling so many by luck
FEW = 10.0  # findings the budget allows, under which luck is allowed for
CLEARLY = 0.05  # of a sign test
SHADOW_DAYS = 7.0
SHADOW_LOGINS = 500


class Gate(Struct, frozen=True):
    """What the gate says, and why: promote, shadow (not yet) or refuse."""

    outcome: str
    reasons: tuple[str, ...]


class HeldOut(Struct, frozen=True):
    """The comparison on verdicts that the compared weights were not learned from.

    how: in words, what was held out.
    """

    how: str
    incidents: Incidents
    precision: Precision


def on_history(found: Comparison, held_out: HeldOut | None) -> Gate:
    """The gate on replayed history: shadow, at best; or refuse.

    ``found`` compares the very model that would be promoted, ``held_out`` weights learned in the
    same way without the verdicts they are tried on; None where there are too few to hold any out.
    """
    against = _broken(found.rates) + _losing(found.incidents, found.precision, "")
    if held_out is not None:
        against += _losing(held_out.incidents, held_out.precision, f"on {held_out.how}, ")
    if against:
        return Gate(REFUSE, tuple(against))
    reasons = _said(found)
    if held_out is None:
        reasons.append("no verdict was held out: how it does on others is unknown")
    else:
        reasons.append(f"on {held_out.how}: {_told(held_out.incidents, held_out.precision)}")
    reasons.append("to be scored in shadow beside the active model before it may replace it")
    return Gate(SHADOW, tuple(reasons))


def on_shadow(found: Comparison) -> Gate:
    """The gate on what was scored live beside the active model."""
    against = _broken(found.rates) + _losing(found.incidents, found.precision, "in shadow, ")
    if against:
        return Gate(REFUSE, tuple(against))
    missing = []
    if found.days < SHADOW_DAYS:
        missing.append(f"in shadow for {found.days:.1f} days, it takes {SHADOW_DAYS:.0f}")
    if found.logins < SHADOW_LOGINS:
        missing.append(
            f"{counted(found.logins, 'login')} scored in shadow, it takes {SHADOW_LOGINS}"
        )
    if missing:
        return Gate(SHADOW, tuple(missing))
    beside = f"{counted(found.logins, 'login')} over {found.days:.0f} days in shadow"
    return Gate(PROMOTE, (beside, *_said(found)))


def breaks(rate: Rate) -> bool:
    """Whether the second model tells more than 110 % of the budget of a kind of identity.

    Where the budget buys fewer than ten findings, it takes more than luck explains: so many that
    a Poisson count of the budget's mean reaches them in fewer than one case of twenty.
    """
    allowed = rate.budget * rate.logins
    if rate.after <= TOLERANCE * allowed:
        return False
    return allowed >= FEW or _at_least(rate.after, allowed) < UNSURE


def _at_least(count: int, mean: float) -> float:
    """The chance that a Poisson count of this mean reaches ``count``."""
    term, below = exp(-mean), 0.0
    for k in range(count):
        below += term
        term *= mean / (k + 1)
    return 1.0 - below


def _broken(rates: Sequence[Rate]) -> list[str]:
    return [
        f"the budget of {rate.kind} logins: {counted(rate.after, 'finding')} of {rate.logins:,}"
        f" ({_percent(rate.after, rate.logins)}) where {100 * rate.budget:.2g} % are allowed;"
        f" the active model tells {rate.before}; findings judged to be attacks do not count"
        for rate in rates
        if breaks(rate)
    ]


def _losing(incidents: Incidents, precision: Precision, where: str) -> list[str]:
    found = []
    if incidents.lost:
        names = ", ".join(incidents.lost[:5])
        found.append(
            f"{where}{counted(len(incidents.lost), 'confirmed incident')} that the active model"
            " finds would"
            f" be missed: {names}"
        )
    if precision.broken > precision.fixed and precision.p < CLEARLY:
        found.append(
            f"{where}{precision.broken} false positives would be new and {precision.fixed} gone"
            f" (p = {precision.p:.2g}, sign test)"
        )
    return found


def _said(found: Comparison) -> list[str]:
    """What the comparison shows, for the reader of a verdict that is not a refusal."""
    reasons = [
        f"{rate.kind}: {counted(rate.before, 'finding')} now, {rate.after} then, of"
        f" {counted(rate.logins, 'login')};"
        f" the budget allows {rate.budget * rate.logins:.0f}"
        for rate in found.rates
        if rate.logins
    ]
    if found.incidents.confirmed or found.precision.judged_after:
        reasons.append(_told(found.incidents, found.precision))
    return reasons


def _told(incidents: Incidents, precision: Precision) -> str:
    found = (
        f"{incidents.before} of {incidents.confirmed} confirmed incidents found now,"
        f" {incidents.after} then (p = {incidents.p:.2g})"
    )
    if precision.judged_before and precision.judged_after:
        before = _percent(precision.right_before, precision.judged_before)
        after = _percent(precision.right_after, precision.judged_after)
        found += f"; of findings with a verdict {before} were attacks now, {after} then"
        found += f" ({precision.fixed} false positives gone, {precision.broken} new,"
        found += f" p = {precision.p:.2g})"
    return found


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole if whole else 0.0
    return f"{share:.2g} %" if share < 10 else f"{share:.0f} %"
