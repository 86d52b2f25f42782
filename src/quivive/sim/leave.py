"""Leave and illness: when somebody does not work although the day is a working day."""

import random
from datetime import date, timedelta

from quivive.sim.people import Person

_ILLNESS = 0.009
_SOUTH = frozenset({"AU", "ZA", "AR", "BR"})


def plan(rng: random.Random, person: Person, first: date, days: int) -> None:
    """Draw the absences of one person in the window.

    Everybody is ill for a few days now and then. Leave at home is a week in most of the year, two
    or three in summer, and the days between the years; a few are away for months. Those who live
    in Israel work from Sunday to Thursday.
    """
    if person.home.country == "IL" and person.weekdays == frozenset(range(5)):
        person.weekdays = frozenset({6, 0, 1, 2, 3})
    if person.account.guest:
        return
    last = first + timedelta(days=days - 1)
    day = first
    while day <= last:
        length = _absence(rng, person, day)
        if length:
            person.absences.append((day, day + timedelta(days=length - 1)))
        day += timedelta(days=max(1, length))
    if rng.random() < 0.006:
        person.absences.append((first + timedelta(days=rng.randrange(days)), date.max))


def _absence(rng: random.Random, person: Person, day: date) -> int:
    """How many days an absence that begins that day lasts, 0 for none."""
    if day.weekday() > 4:
        return 0
    if rng.random() < _ILLNESS:
        return rng.choice((1, 1, 1, 2, 2, 3, 5))
    if (day.month, day.day) in ((12, 22), (12, 23)) and rng.random() < 0.35:
        return 11
    if day.weekday():
        return 0
    summer = (1, 2) if person.home.country in _SOUTH else (7, 8)
    if day.month in summer:
        return rng.choice((5, 12, 12, 19)) if rng.random() < 0.17 else 0
    return 5 if rng.random() < 0.02 else 0
