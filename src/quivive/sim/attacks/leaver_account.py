"""Somebody who has left still gets in: from home, then with a script for the files."""

from collections.abc import Iterator

from quivive.sim import clients
from quivive.sim.action import Action
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.person(lambda p: p.leaves <= scene.day and not p.account.guest, active=False)
    time = scene.hour(person.home, 18, 25)
    client = person.pc or clients.personal(rng)
    for _ in range(rng.randint(2, 7)):
        yield scene.sign_in(
            person, time, person.at_home(rng, time), client,
            app="SharePoint Online Web Client Extensibility", factor=scene.factor(person),
        )  # fmt: skip
        time += rng.uniform(300, 70_000)


ATTACK = Attack(
    techniques=("T1078.004",),
    logs=("entra",),
    story="an account used after its owner left",
    run=stage,
    covers=("U4", "U6"),
)
