"""An employee on the own laptop at home, by night, in applications never opened before."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.apps import APPS, BACKGROUND
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee()
    fresh = [name for name in APPS if name not in person.apps and name not in BACKGROUND]
    time = scene.night(person)
    for app in rng.sample(fresh, 3) * rng.randint(1, 2):
        yield scene.sign_in(
            person, time, person.at_home(rng, time), person.laptop(time), app=app,
            factor="claim" if person.factor else "",
        )  # fmt: skip
        time += rng.uniform(100, 2500)


ATTACK = Attack(
    techniques=("T1078.004", "T1213"),
    logs=("entra",),
    story="an insider at night, in applications new to them",
    run=stage,
    covers=("U4",),
)
