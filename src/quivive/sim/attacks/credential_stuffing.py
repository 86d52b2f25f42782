"""Leaked pairs tried slowly, each from another address, over days; one still works."""

from collections.abc import Iterator

from quivive.sim import clients
from quivive.sim.action import Action, Outcome
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee()
    time = scene.any_hour(person)
    for other in scene.others(rng.randint(8, 22)):
        yield scene.sign_in(
            other, time, scene.proxy(scene.abroad(person)), clients.personal(rng),
            app="OfficeHome", outcome=Outcome.BAD_PASSWORD,
        )  # fmt: skip
        time += rng.expovariate(1 / 9_000)
    client, factor = clients.personal(rng), scene.factor(person)
    where = rng.choice((person.home.country, scene.abroad(person)))
    yield scene.sign_in(person, time, scene.proxy(where), client, factor=factor)
    yield from scene.come_back(
        person, time, lambda: scene.proxy(where), client, factor, rng.randint(0, 3), 4
    )


ATTACK = Attack(
    techniques=("T1110.004", "T1078.004"),
    logs=("entra",),
    story="slow stuffing from many addresses, then a hit",
    run=stage,
    covers=("U3", "S4"),
)
