"""Takeover through a home line in the victim's country, with the victim's browser copied."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    person = scene.employee()
    time = scene.hour(person.home, 7, 23)
    client, factor = scene.lookalike(person, time), scene.factor(person)
    where = person.home.country
    yield scene.sign_in(person, time, scene.proxy(where), client, factor=factor)
    yield from scene.come_back(
        person, time, lambda: scene.proxy(where), client, factor, scene.rng.randint(0, 6)
    )


ATTACK = Attack(
    techniques=("T1078.004", "T1090.002"),
    logs=("entra",),
    story="a takeover from the same country with the same browser",
    run=stage,
    covers=("U9",),
    weight=2.0,
)
