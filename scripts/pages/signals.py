"""signals.md: every signal, the techniques behind them, the stories that weigh them."""

import typing

from quivive.app.registry import signals
from quivive.scoring import assess, stories
from quivive.signals import pinned, sigma
from scripts.pages.markdown import page, table
from scripts.pages.names import TECHNIQUES, technique


def signals_page() -> str:
    """Every signal family with what it tells, the stories, and the ATT&CK techniques."""
    parts = [
        (
            "Each signal looks at a login beside what is usual and gives *features*, weighed by"
            " how usual they are for the identity, its peers and the organisation, or *evidence*"
            " with a weight of its own. Weights are in nats (natural logarithm of odds): above 0"
            " speaks for an attacker, below 0 for the identity itself."
        ),
        "The names in the tables are those in `reasons[].signal` and `not_evaluable`.",
    ]
    for family in signals():
        gives = " and ".join(
            word
            for word, there in (("features", family.features), ("evidence", family.evidence))
            if there is not None
        )
        rows = [(f"`{name}`", sentence) for name, sentence in family.tells.items()]
        parts.append(
            f"## {family.name}\n\n{family.title}. Gives {gives}, in the group *{family.group}*.\n\n"
            f"{table(('name', 'what it tells'), rows)}\n\nATT&CK: "
            + ", ".join(technique(t) for t in dict.fromkeys(family.attack))
        )
    parts.append(_floors())
    parts.append(_stories())
    parts.append(_techniques())
    return page("Signals", *parts)


def _techniques() -> str:
    used = sorted({t for family in signals() for t in family.attack})
    by = {t: [f.name for f in signals() if t in f.attack] for t in used}
    rows = [(technique(t), TECHNIQUES[t], ", ".join(by[t])) for t in used]
    return f"## ATT&CK techniques\n\n{table(('id', 'technique', 'families'), rows)}"


def _floors() -> str:
    rows = [
        ("`bad_address`", f"{pinned.CONFIRMED_ADDRESS:.0f}"),
        ("`leaked_credential`", f"{pinned.LEAKED_CREDENTIAL:.0f}"),
        ("`interactive_service`", f"{pinned.INTERACTIVE_SERVICE:.0f}"),
        ("`spray_success`", f"{pinned.CAMPAIGN_SUCCESS:.0f}"),
        *((f"`sigma_{level}`", f"{floor:.0f}") for level, floor in sigma.FLOORS.items() if floor),
    ]
    return (
        "## Floors\n\nThe `pinned` rules, and Sigma rules of your own, weigh nothing in the score."
        " Each sets a floor under the risk instead:\n\n"
        f"{table(('rule', 'risk at least'), rows)}\n\nA login that did not get in keeps"
        f" {assess.ATTEMPT_SHARE:.0%} of its risk, and one already told of ranks lower, pinned or"
        " not."
    )


def _stories() -> str:
    def rows(told: typing.Iterable[stories.Story]) -> str:
        return table(
            ("story", "prior", "explains the groups"),
            [(s.title, f"{s.prior:g}", ", ".join(s.explains) or "none") for s in told],
        )

    attackers = "\n\n".join(
        f"Attacker's stories of a {'person' if kind == 'human' else 'machine'} (`looks_like`):\n\n"
        + rows(told)
        for kind, told in stories.ATTACKS.items()
    )
    ordinary = "\n\n".join(
        f"Ordinary stories of a {'person' if kind == 'human' else 'machine'} (`otherwise`):\n\n"
        + rows(told)
        for kind, told in stories.ORDINARY.items()
    )
    return (
        "## Stories\n\nWeights are not simply added. Each side has several stories; each story"
        " explains some groups of evidence. An attacker's story makes what reassures in its groups"
        " count for nothing, because such an attacker can copy it. An ordinary story explains away"
        " what alarms in its groups, as far as colleagues in the same circumstance show it, at the"
        " price of its prior. The score is the attacker's stories"
        " together against the ordinary ones together.\n\n"
        f"{attackers}\n\n{ordinary}"
    )
