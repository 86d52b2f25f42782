"""An engineer's private key, used from another country."""

from collections.abc import Iterator

from quivive.sim.action import Action, ShellLogin
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: bool(p.hosts))
    time, spot = scene.any_hour(person), scene.cheap(person)
    for _ in range(rng.randint(1, 5)):
        yield ShellLogin(
            time=time, identity=person.email, spot=spot, user=person.short,
            host=rng.choice(person.hosts), fingerprint=person.fingerprint(time),
        )  # fmt: skip
        time += rng.uniform(60, 20_000)


ATTACK = Attack(
    techniques=("T1552.004", "T1021.004"),
    logs=("sshd",),
    story="a stolen ssh key used from abroad",
    run=stage,
    weight=2.0,
)
