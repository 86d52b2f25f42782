"""The credentials of a serverless function, read from its environment and used outside."""

from collections.abc import Iterator

from quivive.sim.action import Action, CloudCall, Outcome
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    service = scene.service("cloudtrail", lambda s: "Lambda" in s.agent)
    time, spot = scene.start + rng.uniform(0, DAY), scene.hosting()
    agent = rng.choice(("aws-cli/2.13.0 Python/3.11.4 Linux/6.2.0 exe/x86_64.ubuntu.22",
                        service.agent))  # fmt: skip
    who = scene.last_role(service.name, time)
    wanted = ("sts:GetCallerIdentity", "s3:ListBuckets", "ssm:DescribeParameters",
              "lambda:ListFunctions", "secretsmanager:ListSecrets")  # fmt: skip
    for operation in wanted[: rng.randint(2, 5)]:
        refused = rng.random() < 0.4 and operation != "sts:GetCallerIdentity"
        yield CloudCall(
            time=time, identity=service.name, spot=spot, principal=who, operation=operation,
            agent=agent, outcome=Outcome.NOT_ALLOWED if refused else Outcome.SUCCESS,
        )  # fmt: skip
        time += rng.uniform(2, 90)


ATTACK = Attack(
    techniques=("T1552.005", "T1550.001", "T1648"),
    logs=("cloudtrail",),
    story="a function's credentials used outside",
    run=stage,
    covers=("U2", "S2"),
)
