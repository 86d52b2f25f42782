"""Guests are compared with guests, from their first login on; everybody else with their city."""

import msgspec

from quivive.app.registry import signals
from quivive.baseline.profile import GUESTS
from quivive.engine.engine import Engine
from quivive.engine.judged import Scored
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent, UserType
from tests.scenario.company import (
    BUCHAREST,
    PEOPLE,
    TORONTO,
    UNKNOWN_CLIENT,
    at,
    in_order,
    login,
    ordinary,
)

BACKGROUND = in_order(ordinary(0, 20, people=PEOPLE[:10]))


def as_guest(event: AuthEvent) -> AuthEvent:
    user = msgspec.structs.replace(event.user, type="Guest", type_id=UserType.OTHER)
    return msgspec.structs.replace(event, user=user)


def after(*last: AuthEvent) -> tuple[Engine, Scored]:
    """The engine after some weeks and the ``last`` logins, and what it said of the last one."""
    made = Engine(State(), Enricher(None, None), signals())
    said = [made.step(event) for event in (*BACKGROUND, *last)]
    assert said[-1] is not None
    return made, said[-1]


def test_a_guest_is_a_peer_of_guests_and_an_employee_of_the_city() -> None:
    made, said = after(as_guest(login("visitor", at(20, 15), BUCHAREST)))
    profiles = made.state.profiles
    assert profiles[said.login.identity].group == GUESTS
    others = {profile.group for name, profile in profiles.items() if name != said.login.identity}
    assert GUESTS not in others
    assert all(group.startswith("human:") for group in others)


def test_a_guest_made_an_employee_leaves_the_guests() -> None:
    hours = [login("visitor", at(20 + n, 15), BUCHAREST) for n in range(17)]
    made, said = after(as_guest(hours[0]), *hours[1:])
    assert made.state.profiles[said.login.identity].group not in (GUESTS, "")


def test_what_guests_do_makes_no_guest_unusual() -> None:
    guests = [
        as_guest(login(f"visitor{n}", at(20 + n // 4, 9 + n % 4), TORONTO, agent=UNKNOWN_CLIENT))
        for n in range(24)
    ]
    last = login("visitor24", at(27, 16), TORONTO, agent=UNKNOWN_CLIENT)
    _, guest = after(*guests, as_guest(last))
    _, employee = after(*guests, last)
    assert guest.assessment.score < employee.assessment.score - 0.5
