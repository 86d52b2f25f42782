"""Logs for a game day: a small organisation's ordinary life, and attacks on chosen days."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quivive.sim import organisation
from quivive.sim.action import Action
from quivive.sim.attacks import attacks
from quivive.sim.build import ordinary
from quivive.sim.organisation import Organisation
from quivive.sim.places import DAY
from quivive.sim.scene import NoTargetError, Scene
from quivive.sim.staging import Incident
from quivive.sim.writing import Summary, write


@dataclass(frozen=True, slots=True)
class Plan:
    """What is rehearsed. attacks: kind and day (0 is the first) of each, in order of time.

    ends: the day after which nothing more is written, so that history is long and the rest short.
    """

    seed: int
    people: int
    days: int
    vendors: tuple[str, ...]
    attacks: tuple[tuple[str, int], ...]
    services: int = 16
    ends: int | None = None


@dataclass(slots=True)
class Rehearsal:
    """What was written, for whom, and which of it is an attack."""

    folder: Path
    organisation: Organisation
    summary: Summary
    incidents: list[Incident] = field(default_factory=list)

    @property
    def logs(self) -> list[str]:
        """The paths of the logs."""
        return [str(self.folder / name) for name in self.summary.records]


Change = Callable[[list[Action]], Iterable[Action]]


def rehearse(out: Path, plan: Plan, change: Change | None = None) -> Rehearsal:
    """Writes the logs of a plan into ``out``; the same plan gives the same bytes.

    ``change``: what else becomes of all actions, in order of time. Raises ValueError for an attack
    that does not exist or finds nobody in this organisation.
    """
    known = attacks()
    org = organisation.build(plan.seed, plan.people, plan.services, plan.days)
    usual = ordinary(org)
    past: dict[str, list[Action]] = {}
    for action in usual:
        past.setdefault(action.identity, []).append(action)
    taken: set[str] = set()
    made: list[Action] = list(usual)
    incidents: list[Incident] = []
    for number, (kind, day) in enumerate(plan.attacks, 1):
        if kind not in known:
            raise ValueError(f"no such attack: {kind}; there are {', '.join(known)}")
        rng = random.Random(f"{plan.seed}:game day:{number}")
        before = set(taken)
        try:
            steps = list(known[kind].run(Scene(org, rng, org.begin + day * DAY, past, taken)))
        except NoTargetError:
            raise ValueError(
                f"seed {plan.seed}: nobody in an organisation of {plan.people} people fits"
                f" {kind.replace('_', ' ')}; take another seed or more people"
            ) from None
        name = f"i{number:02d}"
        for step in steps:
            step.incident = name
        first, last = min(s.time for s in steps), max(s.time for s in steps)
        whose = min(taken - before)
        incidents.append(Incident(name, kind, known[kind].techniques, whose, first, last))
        made += steps
    made.sort(key=lambda action: action.time)
    if plan.ends is not None:
        end = org.begin + plan.ends * DAY
        made = [action for action in made if action.time < end or action.incident]
    written: Sequence[Action] = list(change(made)) if change is not None else made
    return Rehearsal(out, org, write(out, org, written, incidents, plan.vendors), incidents)
