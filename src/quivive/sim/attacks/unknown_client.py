"""Stolen password used from a rented server by a tool that names no browser."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.clients import UNKNOWN
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    person = scene.employee()
    client, factor = UNKNOWN, scene.factor(person)
    time = scene.night(person)
    yield scene.sign_in(person, time, scene.hosting(), client, factor=factor)
    for _ in range(scene.rng.randint(1, 5)):
        time += scene.rng.uniform(30, 5000)
        yield scene.sign_in(
            person, time, scene.hosting(), client, factor=factor, interactive=False, protocol="app"
        )


ATTACK = Attack(
    techniques=("T1078.004", "T1583.003"),
    logs=("entra",),
    story="a script on a rented server logs in as a user",
    run=stage,
)
