"""Stages incidents in an organisation whose ordinary life has been simulated."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from quivive.sim.action import Action
from quivive.sim.attacks import attacks
from quivive.sim.organisation import Organisation
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, NoTargetError, Scene

LEARNING_DAYS = 21


@dataclass(slots=True)
class Incident:
    """One staged attack: its name, kind, techniques, first identity, and its span in Unix time."""

    name: str
    kind: str
    techniques: tuple[str, ...]
    identity: str
    first: float
    last: float
    events: int = 0


def stage(
    org: Organisation,
    usual: Sequence[Action],
    count: int,
    kinds: Sequence[str] | None,
    vendors: Sequence[str],
    spare: Collection[str] = (),
) -> tuple[list[Action], list[Incident]]:
    """That many incidents on different identities, begun after the learning days.

    Fewer where the organisation has too few fitting identities; those in ``spare`` stay out.
    Raises ValueError for an unknown kind or a window too short to learn in.
    """
    choice = _kinds(kinds, vendors)
    if count and org.days <= LEARNING_DAYS + 1:
        raise ValueError(f"days: {org.days} leave no time after {LEARNING_DAYS} days of learning")
    if count and not choice:
        raise ValueError("kinds: no wanted attack shows in the chosen logs alone")
    past: dict[str, list[Action]] = {}
    for action in usual:
        past.setdefault(action.identity, []).append(action)
    rng = org.rng("incidents")
    taken: set[str] = set(spare)
    actions: list[Action] = []
    found: list[Incident] = []
    tries = 0
    deck: list[str] = []
    while len(found) < count and tries < count * 20:
        tries += 1
        if not deck:
            deck = _deal(rng, choice)
        kind = deck.pop()
        start = org.begin + int(rng.uniform(LEARNING_DAYS, org.days - 1)) * DAY
        mine = random.Random(rng.getrandbits(64))
        before = set(taken)
        try:
            steps = list(choice[kind].run(Scene(org, mine, start, past, taken)))
        except NoTargetError:
            taken &= before
            continue
        steps = [step for step in steps if org.begin <= step.time < org.end]
        if not steps:
            taken &= before
            continue
        name = f"i{len(found) + 1:02d}"
        for step in steps:
            step.incident = name
        victim = min(taken - before)
        found.append(Incident(name, kind, choice[kind].techniques, victim,
                              min(s.time for s in steps), max(s.time for s in steps)))  # fmt: skip
        actions += steps
    return actions, found


def _kinds(kinds: Sequence[str] | None, vendors: Sequence[str]) -> dict[str, Attack]:
    known = attacks()
    if unknown := [name for name in kinds or () if name not in known]:
        raise ValueError(
            f"kinds: no such attack: {', '.join(unknown)}; there are {', '.join(known)}"
        )
    shown = {name.removesuffix("-3164") for name in vendors}
    return {
        name: attack
        for name, attack in known.items()
        if (not kinds or name in kinds) and set(attack.logs) <= shown
    }


def _deal(rng: random.Random, choice: dict[str, Attack]) -> list[str]:
    """Every kind about as often as its weight says, in a random order."""
    deck: list[str] = []
    for name, attack in choice.items():
        whole = int(attack.weight)
        deck += [name] * (whole + (rng.random() < attack.weight - whole))
    deck = deck or list(choice)
    rng.shuffle(deck)
    return deck
