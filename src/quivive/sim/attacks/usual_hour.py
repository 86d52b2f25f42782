"""A service's credential copied whole: same time, same calls, same agent, other network."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.behaviour.machines import run
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    service = scene.service(rng.choice(("entra", "cloudtrail", "kubernetes", "sshd")))
    spot = scene.hosting()
    day = int((scene.start - scene.org.begin) // DAY)
    for number in range(rng.randint(1, 4)):
        time = scene.org.begin + (day + number) * DAY + service.at + rng.uniform(20, 120)
        yield from run(rng, service, time, spot)


ATTACK = Attack(
    techniques=("T1078.004", "T1036"),
    logs=("entra", "cloudtrail", "kubernetes", "sshd"),
    story="a copied machine credential at its usual hour",
    run=stage,
    covers=("U2",),
    weight=2.0,
)
