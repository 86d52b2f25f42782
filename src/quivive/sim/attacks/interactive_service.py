"""Somebody signs in to the console with a machine's account."""

from collections.abc import Iterator

from quivive.sim import clients
from quivive.sim.action import Action, CloudCall, Outcome
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    service = scene.service("cloudtrail", lambda s: not s.role)
    assert service.principal is not None
    time = scene.start + rng.uniform(0, DAY)
    spot = scene.proxy("") if rng.random() < 0.5 else scene.vpn()
    agent = clients.personal(rng).agent(time)
    for outcome in [Outcome.BAD_PASSWORD] * rng.randint(0, 2) + [Outcome.SUCCESS]:
        yield CloudCall(
            time=time, identity=service.name, spot=spot, principal=service.principal,
            operation="signin:ConsoleLogin", agent=agent, outcome=outcome,
        )  # fmt: skip
        time += rng.uniform(8, 60)
    for operation in rng.sample(("iam:ListUsers", "s3:ListBuckets", "iam:CreateAccessKey"), 2):
        yield CloudCall(
            time=time, identity=service.name, spot=spot, principal=service.principal,
            operation=operation, agent=agent,
        )  # fmt: skip
        time += rng.uniform(20, 200)


ATTACK = Attack(
    techniques=("T1078.004", "T1098.001"),
    logs=("cloudtrail",),
    story="a machine account in the console",
    run=stage,
    covers=("U2",),
)
