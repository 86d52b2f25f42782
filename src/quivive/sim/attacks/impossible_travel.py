"""The owner works at home while somebody far away logs in within the hour."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    person = scene.employee()
    time = scene.next_login(person).time + scene.rng.uniform(300, 3600)
    client, factor = scene.lookalike(person, time), scene.factor(person)
    spot = scene.proxy(scene.abroad(person))
    for _ in range(scene.rng.randint(1, 3)):
        yield scene.sign_in(person, time, spot, client, factor=factor)
        time += scene.rng.uniform(600, 9000)


ATTACK = Attack(
    techniques=("T1078.004",),
    logs=("entra",),
    story="a login from far away while the owner is at work",
    run=stage,
    covers=("U9",),
    weight=1.0,
)
