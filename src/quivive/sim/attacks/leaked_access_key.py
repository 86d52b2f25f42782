"""An access key found in a repository: who am I, and what is here?"""

from collections.abc import Iterator

from quivive.sim.action import Action, CloudCall, Outcome
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    service = scene.service("cloudtrail", lambda s: bool(s.credential) and not s.role)
    time, spot = scene.start + rng.uniform(0, DAY), scene.hosting()
    agent = rng.choice(
        ("aws-cli/1.22.34 Python/3.10.6 Linux/5.15.0-56-generic botocore/1.23.34",
         "Boto3/1.26.5 Python/3.11.2 Linux/6.1.0-kali9-amd64 Botocore/1.29.5",
         service.agent)
    )  # fmt: skip
    assert service.principal is not None
    for operation in ("sts:GetCallerIdentity", "s3:ListBuckets", "iam:ListUsers",
                      "iam:ListAttachedUserPolicies", "ec2:DescribeInstances", "ses:GetSendQuota",
                      "secretsmanager:ListSecrets")[: rng.randint(3, 7)]:  # fmt: skip
        allowed = operation == "sts:GetCallerIdentity" or rng.random() < 0.4
        yield CloudCall(
            time=time, identity=service.name, spot=spot, principal=service.principal,
            operation=operation, agent=agent,
            outcome=Outcome.SUCCESS if allowed else Outcome.NOT_ALLOWED,
        )  # fmt: skip
        time += rng.uniform(1, 40)


ATTACK = Attack(
    techniques=("T1078.004", "T1552.001", "T1087.004", "T1580"),
    logs=("cloudtrail",),
    story="a leaked access key and an inventory",
    run=stage,
    covers=("U2", "U7"),
    weight=2.0,
)
