"""Guessing at one person's password on a host, until it is right."""

from collections.abc import Iterator

from quivive.sim.action import Action, Outcome, ShellLogin
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: bool(p.hosts))
    time, spot, host = scene.any_hour(person), scene.cheap(person), rng.choice(person.hosts)
    for _ in range(rng.randint(6, 25)):
        yield ShellLogin(
            time=time, identity=person.email, spot=spot, user=person.short, host=host,
            outcome=Outcome.BAD_PASSWORD,
        )  # fmt: skip
        time += rng.uniform(2, 90)
    yield ShellLogin(time=time, identity=person.email, spot=spot, user=person.short, host=host)


ATTACK = Attack(
    techniques=("T1110.001", "T1021.004"),
    logs=("sshd",),
    story="ssh guessing that ends in a success",
    run=stage,
)
