"""The password is known; pushes are sent by night until the tired owner approves one."""

from collections.abc import Iterator

from quivive.sim.action import Action, Outcome
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: p.factor == "push")
    spot, client = scene.cheap(person), scene.stranger()
    time = scene.night(person)
    for _ in range(rng.randint(4, 18)):
        yield scene.sign_in(person, time, spot, client, outcome=Outcome.MFA_REQUIRED)
        time += rng.uniform(2, 10)
        refused = rng.choice((Outcome.MFA_DENIED, Outcome.MFA_TIMEOUT))
        yield scene.sign_in(person, time, spot, client, outcome=refused, factor="push")
        time += rng.uniform(20, 300)
    yield scene.sign_in(person, time, spot, client, factor="push")
    yield from scene.come_back(person, time, lambda: spot, client, "claim", rng.randint(0, 3), 2)


ATTACK = Attack(
    techniques=("T1621", "T1078.004"),
    logs=("entra",),
    story="push bombing until one is approved",
    run=stage,
)
