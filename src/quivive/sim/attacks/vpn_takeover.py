"""A takeover through a commercial VPN's exit in the victim's country, in working hours."""

from collections.abc import Iterator

from quivive.sim import clients
from quivive.sim.action import Action
from quivive.sim.scene import Attack, Scene
from quivive.sim.world import Kind


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: bool(scene.org.world.find(Kind.VPN, p.home.country)))
    time = scene.at_work(person)
    client, factor = clients.personal(rng), scene.factor(person)
    for _ in range(rng.randint(1, 6)):
        yield scene.sign_in(person, time, scene.vpn(person.home.country), client, factor=factor)
        time += rng.uniform(300, 90_000)


ATTACK = Attack(
    techniques=("T1078.004", "T1090.003"),
    logs=("entra",),
    story="a takeover through a VPN in the same country",
    run=stage,
    covers=("U9",),
)
