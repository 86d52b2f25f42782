"""``simulate``: an organisation, its ordinary life, attacks on it, and their logs."""

from collections.abc import Sequence
from datetime import date
from itertools import chain
from operator import attrgetter
from pathlib import Path

from quivive.sim import organisation
from quivive.sim.action import Action
from quivive.sim.behaviour import code, directory, machines, noise, staff
from quivive.sim.organisation import Organisation
from quivive.sim.staging import stage
from quivive.sim.writing import VENDORS, Summary, emitters, write


def simulate(
    out: Path,
    *,
    seed: int = 1,
    people: int = 600,
    services: int = 16,
    days: int = 60,
    incidents: int = 56,
    kinds: Sequence[str] | None = None,
    vendors: Sequence[str] = VENDORS,
    first: date = organisation.FIRST_DAY,
) -> Summary:
    """Simulate an organisation into the folder ``out``; the same arguments give the same bytes.

    ``kinds`` limits the attacks to those named; ``first`` is the first day. Raises ValueError for a
    kind or vendor that does not exist, or a window too short to learn in.
    """
    if unknown := [name for name in vendors if not emitters(name)]:
        raise ValueError(f"vendors: no such log: {', '.join(unknown)}")
    org = organisation.build(seed, people, services, days, first=first)
    usual = ordinary(org)
    staged, found = stage(org, usual, incidents, kinds, vendors)
    return write(out, org, [*usual, *staged], found, vendors)


def ordinary(org: Organisation) -> list[Action]:
    """Everything that happens without an attacker, in time order."""
    scale = max(0.1, len(org.people) / 700)
    made = list(
        chain(
            *(staff.days(org, person) for person in org.people),
            *(machines.runs(org, service) for service in org.services),
            noise.guesses(org, 75 * scale),
            noise.sprays(org, 14 * scale),
            directory.changes(org),
            code.machines(org),
        )
    )
    made += code.responses(org, made)
    begin, end = org.begin, org.end
    return sorted((a for a in made if begin <= a.time < end), key=attrgetter("time"))
