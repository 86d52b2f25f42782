"""An attacker in no hurry: nine small steps before the takeover, to make it look usual.

Each takeover is judged twice, with the steps before it and without, all else being the same. What
the steps gain is the share of takeovers that are no finding because of them.

In this company everybody names a device, so that no step passes the gate. In a simulated
organisation some do pass it: there the steps make the takeover itself harder to find, and the
attacker not, because the steps are told about. `make bench-detection` measures both.
"""

from functools import cache

from benchmarks.poisoning import poisoning
from quivive.app.scoring import decode_state, encode_state
from quivive.engine.judged import Scored
from quivive.model.assessment import FINDING
from quivive.model.event import AuthEvent
from tests.scenario.company import (
    FAR,
    PEOPLE,
    Company,
    Person,
    Place,
    at,
    company,
    engine,
    login,
    ordinary,
)

MOST_GAINED = 0.05
MEASURED_NATS_LOST = 0.1
MARGIN_NATS = 0.9

PROXIES = {
    "CA": Place("CA", "Ottawa", 45.42, -75.69, 5645, "TekSavvy", "69.165.3"),
    "GB": Place("GB", "Leeds", 53.8, -1.55, 5607, "Sky", "90.201.3"),
}
SERVERS = {
    "CA": Place("CA", "Montreal", 45.5, -73.56, 212238, "Datacamp", "37.19.4"),
    "GB": Place("GB", "Manchester", 53.48, -2.24, 212238, "Datacamp", "37.19.5"),
}
VICTIMS = (PEOPLE[0], PEOPLE[3], PEOPLE[5], PEOPLE[9], PEOPLE[17], PEOPLE[20])
FIRST, TAKEOVER = 42, 55  # a Monday, and the Sunday after two working weeks


def steps(person: Person) -> list[AuthEvent]:
    """Three logins each from the victim's own network, a line in the same country, and a server
    there; in working hours, with a client that names itself as the victim's does.
    """
    country = person.homes[0].country
    places = [person.homes[0], PROXIES[country], SERVERS[country]]
    return [
        copied(person, FIRST + n + 2 * (n // 5), 16 + person.shift + n % 3, places[n // 3])
        for n in range(9)
    ]


def takeover(person: Person) -> AuthEvent:
    """The login that the steps prepare: from far away, with the client they made usual."""
    return copied(person, TAKEOVER, 16 + person.shift, FAR[VICTIMS.index(person)])


def copied(person: Person, day: int, hour: float, place: Place) -> AuthEvent:
    return login(person.name, at(day, hour), place, ip=place.ip(77), agent=person.agent, claim=True)


@cache
def before() -> bytes:
    return encode_state(company().engine.state)


@cache
def judged() -> list[tuple[Scored, Scored]]:
    """Each takeover without the steps before it, and with them."""
    life = ordinary(FIRST, TAKEOVER, seed=5)
    usual = Company(engine(decode_state(before(), "test")))
    usual.sees(life)
    after = encode_state(usual.engine.state)
    found = []
    for person in VICTIMS:
        spared = Company(engine(decode_state(after, "test")))
        prepared = Company(engine(decode_state(before(), "test")))
        prepared.sees(life, steps(person))
        found.append((spared.judges(takeover(person)), prepared.judges(takeover(person))))
    return found


def is_found(scored: Scored) -> bool:
    """By the risk that policy decides on: what was told of the steps ranks it lower in a list."""
    return scored.assessment.undamped >= FINDING


def test_steps_before_a_takeover_gain_less_than_five_points() -> None:
    without = sum(is_found(spared) for spared, _ in judged()) / len(VICTIMS)
    with_steps = sum(is_found(prepared) for _, prepared in judged()) / len(VICTIMS)
    assert without > 0.8
    assert without - with_steps < MOST_GAINED
    for spared, prepared in judged():  # and it looks about as odd as ever
        lost = spared.assessment.score - prepared.assessment.score
        assert lost < MEASURED_NATS_LOST + MARGIN_NATS


def test_where_steps_pass_the_gate_the_attacker_is_found_all_the_same() -> None:
    """A simulated organisation: of eight attackers, found by any of their logins at 0.5 %."""
    of, with_steps, without = poisoning(seeds=(31,))["any login of the attacker, at 0.5 %"]
    assert of == 8
    assert without >= 6
    assert (without - with_steps) / of < MOST_GAINED
