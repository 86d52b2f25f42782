"""A session cookie stolen from the browser, replayed elsewhere with the same agent and device."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    person = scene.employee()
    time = scene.any_hour(person)
    stolen = scene.last_login(person, time)
    elsewhere = scene.rng.random() < 0.5
    spot = scene.hosting() if elsewhere else scene.proxy(person.home.country)
    for _ in range(scene.rng.randint(1, 8)):
        yield scene.sign_in(
            person, time, spot, stolen.client, factor="claim" if person.factor else "",
            session=stolen.session, interactive=False, protocol="app",
        )  # fmt: skip
        time += scene.rng.uniform(300, 20_000)


ATTACK = Attack(
    techniques=("T1550.004", "T1539"),
    logs=("entra",),
    story="a stolen session cookie, replayed",
    run=stage,
    covers=("U9",),
    weight=2.0,
)
