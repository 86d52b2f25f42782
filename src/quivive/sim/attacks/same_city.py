"""Takeover through a proxy on the victim's own operator in the victim's own city."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    person = scene.employee()
    time = scene.hour(person.home, 7, 23)
    client, factor = scene.lookalike(person, time), scene.factor(person)
    home = person.leases[-1][1].prefix
    assert home is not None
    for _ in range(scene.rng.randint(1, 5)):
        yield scene.sign_in(person, time, home.any(scene.rng), client, factor=factor)
        time += scene.rng.uniform(0.05, 1.5) * DAY


ATTACK = Attack(
    techniques=("T1078.004", "T1090.002"),
    logs=("entra",),
    story="a takeover from next door: same city, operator and browser",
    run=stage,
    covers=("U9",),
)
