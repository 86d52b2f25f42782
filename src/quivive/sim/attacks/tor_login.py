"""A takeover through Tor exits, another at every visit."""

from collections.abc import Iterator

from quivive.sim import clients
from quivive.sim.action import Action
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee()
    client = clients.Client(kind="pc", os="Windows10", browser="Firefox", lag=40 * DAY)
    time, factor = scene.any_hour(person), scene.factor(person)
    for _ in range(rng.randint(1, 5)):
        yield scene.sign_in(person, time, scene.tor(), client, factor=factor)
        time += rng.uniform(600, 90_000)


ATTACK = Attack(
    techniques=("T1078.004", "T1090.003"),
    logs=("entra",),
    story="a takeover through Tor",
    run=stage,
)
