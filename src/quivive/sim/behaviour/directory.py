"""Ordinary changes in the directory: forgotten passwords, new phones, new and tidy people."""

import random
from collections.abc import Iterator

from quivive.sim.action import DirectoryChange
from quivive.sim.clients import Client
from quivive.sim.organisation import Organisation
from quivive.sim.people import Person
from quivive.sim.places import DAY
from quivive.sim.world import Spot

REGISTERED = "User registered security info"
DELETED = "User deleted security info"
ADMIN_DELETED = "Admin deleted security info"
ADMIN_RESET = "Reset user password"
SELF_RESET = "Reset password (self-service)"
CHANGED = "Change password (self-service)"
METHODS = {
    "push": "Authenticator App with Notification and Code",
    "otp": "Authenticator App with Code",
    "fido": "Fido2 security key",
    "sms": "Mobile Phone SMS",
}
"""The words of a second factor in the directory's log."""

_FORGOTTEN, _BY_DESK, _EXPIRED = 0.0012, 0.0005, 0.006


def changes(org: Organisation) -> Iterator[DirectoryChange]:
    """Everything about passwords and factors that happens by itself."""
    desk = [person for person in org.people if person.department == "IT" and not person.dormant]
    for person in org.people:
        rng = org.rng("directory", person.short)
        if not person.account.guest:
            yield from _passwords(rng, org, person, desk)
        yield from _factors(rng, org, person)


def owned(
    person: Person, time: float, spot: Spot, client: Client, operation: str, detail: str = ""
) -> DirectoryChange:
    """A change that the account's owner, or somebody in their place, makes."""
    return DirectoryChange(
        time=time, identity=person.email, spot=spot, account=person.account,
        operation=operation, detail=detail, agent=client.agent(time),
    )  # fmt: skip


def helped(
    person: Person, helper: Person, time: float, spot: Spot, operation: str, detail: str = ""
) -> DirectoryChange:
    """A change that somebody of the help desk makes for them."""
    agent = helper.laptop(time).agent(time)
    return DirectoryChange(
        time=time, identity=person.email, spot=spot, account=person.account,
        operation=operation, detail=detail, by=helper.account, agent=agent,
    )  # fmt: skip


def at_desk(rng: random.Random, helper: Person, time: float) -> Spot:
    """Where the help desk works from then: the office as a rule."""
    if helper.office and rng.random() < 0.8:
        day = helper.office.city.day(time)
        return helper.office.spot(rng, day)
    return helper.at_home(rng, time)


def _passwords(
    rng: random.Random, org: Organisation, person: Person, desk: list[Person]
) -> Iterator[DirectoryChange]:
    """Changed when it is time to, reset when forgotten, by oneself or by the help desk."""
    for day in org.dates():
        roll = rng.random()
        if roll > _FORGOTTEN + _BY_DESK + _EXPIRED:
            continue
        time = person.hours(day, person.home)[0] + rng.uniform(-0.3, 8) * 3600
        if not person.employed(day) or day.weekday() not in person.weekdays or person.trip(day):
            continue
        spot = person.at_home(rng, time)
        if person.office and rng.random() < person.office_share:
            spot = person.office.spot(rng, day)
        if roll < _FORGOTTEN:
            client = person.laptop(time) if rng.random() < 0.6 else person.phone(time)
            if rng.random() < 0.2:
                yield owned(person, time - 90, spot, client, SELF_RESET, "fail")
            yield owned(person, time, spot, client, SELF_RESET)
        elif roll < _FORGOTTEN + _BY_DESK and desk:
            helper = rng.choice(desk)
            yield helped(person, helper, time, at_desk(rng, helper, time), ADMIN_RESET)
        else:
            yield owned(person, time, spot, person.laptop(time), CHANGED)


def _factors(rng: random.Random, org: Organisation, person: Person) -> Iterator[DirectoryChange]:
    """A second factor is registered on joining and with every new phone."""
    if not person.factor:
        return
    words = METHODS[person.factor]
    if person.joins in org.dates():
        time = person.hours(person.joins, person.home)[0] + rng.uniform(0.2, 3) * 3600
        yield owned(person, time, person.at_home(rng, time), person.laptop(time), REGISTERED, words)
    for since, phone in person.phones[1:]:
        if person.employed(person.home.day(since)):
            time = since + rng.uniform(600, 0.3 * DAY)
            spot = person.at_home(rng, time)
            yield owned(person, time, spot, phone, REGISTERED, words)
            if rng.random() < 0.5:
                yield owned(person, time + rng.uniform(30, 300), spot, phone, DELETED, words)
