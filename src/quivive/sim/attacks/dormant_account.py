"""An account that nobody has used for weeks comes back to life."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.person(lambda p: p.dormant and not p.account.guest, active=False)
    time = scene.any_hour(person)
    near = rng.random() < 0.5
    spot = scene.proxy(person.home.country) if near else scene.hosting()
    client = scene.stranger()
    for _ in range(rng.randint(1, 7)):
        yield scene.sign_in(person, time, spot, client, factor=scene.factor(person))
        time += rng.uniform(120, 60_000)


ATTACK = Attack(
    techniques=("T1078.004",),
    logs=("entra",),
    story="a dormant account used again",
    run=stage,
    covers=("U6",),
)
