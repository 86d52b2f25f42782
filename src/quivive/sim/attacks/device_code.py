"""A device code, approved by a deceived user, gives the attacker a token of their own."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.clients import UNKNOWN, uuid
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: bool(p.factor))
    time, client = scene.at_work(person), person.laptop(scene.start)
    session = uuid(rng)
    yield scene.sign_in(
        person, time, scene.hosting(), UNKNOWN, app="Microsoft Azure CLI", factor="claim",
        session=session, protocol="device",
    )  # fmt: skip
    for _ in range(rng.randint(2, 8)):
        time += rng.uniform(600, 30_000)
        yield scene.sign_in(
            person, time, scene.hosting(), rng.choice((UNKNOWN, client)), app="Microsoft Office",
            factor="claim", session=session, interactive=False, protocol="app",
        )  # fmt: skip


ATTACK = Attack(
    techniques=("T1528", "T1566.002"),
    logs=("entra",),
    story="a phished device code",
    run=stage,
)
