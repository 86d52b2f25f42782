"""An engineer in working hours on the own laptop, reading what is not theirs to read."""

from collections.abc import Iterator

from quivive.sim.action import Action, CloudCall, ClusterCall, Outcome
from quivive.sim.behaviour.engineers import (
    cli_agent,
    cluster_groups,
    kubectl,
    role_login,
    role_session,
)
from quivive.sim.scene import Attack, Scene
from quivive.sim.staff import NAMESPACES


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: bool(p.aws_roles) and bool(p.cluster_user))
    time = scene.at_work(person)
    spot = person.office.spot(rng, scene.day) if person.office else person.at_home(rng, time)
    role = "Billing" if rng.random() < 0.5 else person.aws_roles[-1]
    who = role_session(rng, person, role, time)
    yield role_login(person, who, time - 5, spot, cli_agent(person), "us-east-1")
    for operation in rng.sample(
        ("s3:GetBucketPolicy", "secretsmanager:ListSecrets", "secretsmanager:GetSecretValue",
         "rds:DescribeDBSnapshots", "rds:ModifyDBSnapshotAttribute",
         "dynamodb:ExportTableToPointInTime"), 4
    ):  # fmt: skip
        refused = rng.random() < 0.25
        yield CloudCall(
            time=time, identity=person.email, spot=spot, principal=who, operation=operation,
            agent=cli_agent(person), outcome=Outcome.NOT_ALLOWED if refused else Outcome.SUCCESS,
        )  # fmt: skip
        time += rng.uniform(20, 900)
    foreign = [name for name in NAMESPACES if name not in person.namespaces]
    for _ in range(rng.randint(2, 5)):
        yield ClusterCall(
            time=time, identity=person.email, spot=spot, user=person.cluster_user,
            groups=cluster_groups(person), operation=rng.choice(("list secrets", "get secrets")),
            namespace=rng.choice(foreign), agent=kubectl(person, time),
        )  # fmt: skip
        time += rng.uniform(10, 300)


ATTACK = Attack(
    techniques=("T1078.004", "T1552.007", "T1530"),
    logs=("cloudtrail", "kubernetes"),
    story="an insider in working hours, on data that is not theirs",
    run=stage,
    covers=("U4",),
)
