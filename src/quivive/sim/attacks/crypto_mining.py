"""An engineer's long-lived key, used from another country to start large machines."""

from collections.abc import Iterator

from quivive.sim.action import Action, CloudCall, Outcome
from quivive.sim.behaviour.engineers import iam_user
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: p.iam_user)
    time, spot = scene.night(person), scene.cheap(person)
    who = iam_user(person)
    agent = "aws-cli/2.15.30 Python/3.11.8 Linux/5.10.0-28-cloud-amd64 exe/x86_64.debian.11"
    yield CloudCall(
        time=time, identity=person.email, spot=spot, principal=who, agent=agent,
        operation="sts:GetCallerIdentity",
    )  # fmt: skip
    for region in rng.sample(("us-west-2", "eu-north-1", "ap-south-1", "sa-east-1"), 3):
        for operation in ("ec2:DescribeInstanceTypeOfferings", "ec2:RunInstances"):
            time += rng.uniform(2, 90)
            full = operation == "ec2:RunInstances" and rng.random() < 0.3
            yield CloudCall(
                time=time, identity=person.email, spot=spot, principal=who, agent=agent,
                operation=operation, region=region,
                outcome=Outcome.NOT_ALLOWED if full else Outcome.SUCCESS,
            )  # fmt: skip


ATTACK = Attack(
    techniques=("T1078.004", "T1496", "T1578.002"),
    logs=("cloudtrail",),
    story="a stolen key starts miners in unused regions",
    run=stage,
    covers=("U7", "U10"),
)
