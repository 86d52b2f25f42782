"""``simulate``: an organisation, its ordinary life, attacks on it, and their logs."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from quivive.sim import organisation
from quivive.sim.action import Action
from quivive.sim.behaviour import machines, noise, staff
from quivive.sim.organisation import Organisation
from quivive.sim.staging import stage
from quivive.sim.writing import EMITTERS, VENDORS, Summary, write


def simulate(
    out: Path,
    *,
    seed: int = 1,
    people: int = 600,
    services: int = 16,
    days: int = 60,
    incidents: int = 51,
    kinds: Sequence[str] | None = None,
    vendors: Sequence[str] = VENDORS,
) -> Summary:
    """Simulate an organisation into the folder ``out``; the same arguments give the same bytes.

    ``kinds`` limits the attacks to those named. Raises ValueError for a kind or vendor that does
    not exist, or a window too short to learn in.
    """
    if unknown := [name for name in vendors if name not in EMITTERS]:
        raise ValueError(f"vendors: no such log: {', '.join(unknown)}")
    org = organisation.build(seed, people, services, days)
    usual = ordinary(org)
    staged, found = stage(org, usual, incidents, kinds, vendors)
    return write(out, org, [*usual, *staged], found, vendors)


def ordinary(org: Organisation) -> list[Action]:
    """Everything that happens without an attacker, in time order."""
    scale = max(0.1, len(org.people) / 700)
    made = chain(
        *(staff.days(org, person) for person in org.people),
        *(machines.runs(org, service) for service in org.services),
        noise.guesses(org, 75 * scale),
        noise.sprays(org, 14 * scale),
    )
    return sorted(
        (a for a in made if org.begin <= a.time < org.end), key=lambda action: action.time
    )
