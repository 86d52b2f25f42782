"""Many passwords tried on one account; it is locked for a while, then opens."""

from collections.abc import Iterator

from quivive.sim.action import Action, Outcome
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee()
    spot, client = scene.cheap(person), scene.stranger()
    time = scene.any_hour(person)
    for number in range(rng.randint(8, 30)):
        locked = number % 11 == 10
        yield scene.sign_in(
            person, time, spot, client, app="OfficeHome",
            outcome=Outcome.LOCKED if locked else Outcome.BAD_PASSWORD,
        )  # fmt: skip
        time += rng.uniform(4, 60) if not locked else rng.uniform(600, 1200)
    yield scene.sign_in(person, time, spot, client, factor=scene.factor(person))


ATTACK = Attack(
    techniques=("T1110.001", "T1078.004"),
    logs=("entra",),
    story="brute force on one account that ends in a success",
    run=stage,
)
