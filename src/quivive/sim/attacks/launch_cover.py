"""On the days of a launch, among many new guests, a guest account in other hands."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, NoTargetError, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    launch = scene.org.launch
    if launch is None:
        raise NoTargetError
    opened = (launch - scene.org.first).days * DAY + scene.org.begin
    scene.start = opened + rng.randrange(1, 5) * DAY
    person = scene.person(lambda p: p.account.guest and p.joins >= launch, active=False)
    time, client = scene.any_hour(person), scene.stranger()
    for _ in range(rng.randint(1, 5)):
        yield scene.sign_in(person, time, scene.cheap(person), client, factor=scene.factor(person))
        time += rng.uniform(600, 50_000)


ATTACK = Attack(
    techniques=("T1078.004", "T1199"),
    logs=("entra",),
    story="a guest account taken over in the rush of a launch",
    run=stage,
    covers=("U3", "S5"),
    weight=0.5,
)
