"""An application's secret, used from somewhere else."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.behaviour.machines import run
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    service = scene.service("entra")
    spot = rng.choice((scene.hosting(), scene.vpn(), scene.proxy("")))
    time = scene.start + rng.uniform(0, DAY)
    for _ in range(rng.randint(2, 10)):
        yield from run(rng, service, time, spot)
        time += rng.uniform(60, 30_000)


ATTACK = Attack(
    techniques=("T1078.004", "T1552.001"),
    logs=("entra",),
    story="an application's secret used from elsewhere",
    run=stage,
    covers=("U2", "U7"),
    weight=2.0,
)
