"""Stolen password used from another country, with visits over the days that follow."""

from collections.abc import Iterator

from quivive.sim.action import Action, Outcome
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    person = scene.employee()
    country, client = scene.abroad(person), scene.stranger()
    factor = scene.factor(person)
    time = scene.any_hour(person)
    for _ in range(scene.rng.choice((0, 0, 1, 3))):
        yield scene.sign_in(person, time, scene.cheap(person), client, outcome=Outcome.BAD_PASSWORD)
        time += scene.rng.uniform(60, 3000)
    yield scene.sign_in(person, time, scene.proxy(country), client, factor=factor)
    visits = scene.rng.randint(0, 9)
    yield from scene.come_back(person, time, lambda: scene.cheap(person), client, factor, visits)


ATTACK = Attack(
    techniques=("T1078.004",),
    logs=("entra",),
    story="a stolen password, used from abroad for days",
    run=stage,
    covers=("U9",),
    weight=2.0,
)
