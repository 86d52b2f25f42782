"""A service's key walks from host to host where the service has no business."""

from collections.abc import Iterator

from quivive.sim.action import Action, ShellLogin
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, Scene
from quivive.sim.staff import HOSTS
from quivive.sim.world import Spot


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    service = scene.service("sshd")
    time = scene.start + rng.uniform(0, DAY)
    fresh = [host for host in HOSTS if host not in service.hosts]
    spot = Spot(f"10.20.{rng.randrange(1, 4)}.{rng.randrange(10, 250)}")
    for host in rng.sample(fresh, min(len(fresh), rng.randint(2, 4))):
        yield ShellLogin(
            time=time, identity=service.name, spot=spot, user=service.name, host=host,
            fingerprint=service.credential,
        )  # fmt: skip
        time += rng.uniform(20, 900)


ATTACK = Attack(
    techniques=("T1021.004", "T1552.004"),
    logs=("sshd",),
    story="a service key moves sideways to new hosts",
    run=stage,
    covers=("U2",),
)
