"""A stolen role session goes on into roles that its owner has never taken."""

from collections.abc import Iterator

from quivive.sim.action import Action, CloudCall, Outcome
from quivive.sim.behaviour.engineers import cli_agent, role_session
from quivive.sim.scene import Attack, Scene
from quivive.sim.services import letters


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: bool(p.aws_roles))
    time = scene.hour(person.home, 6, 24)
    spot = scene.hosting() if rng.random() < 0.5 else scene.proxy(person.home.country)
    who = scene.last_role(person.email, time)
    for role in rng.sample(("OrganizationAccountAccessRole", "BackupOperator", "Billing",
                            "TerraformExecution", "SecurityAudit"), 3):  # fmt: skip
        refused = rng.random() < 0.4
        yield CloudCall(
            time=time, identity=person.email, spot=spot, principal=who, operation="sts:AssumeRole",
            agent=cli_agent(person), role=role, on="ASIA" + letters(rng, 16),
            outcome=Outcome.NOT_ALLOWED if refused else Outcome.SUCCESS,
        )  # fmt: skip
        time += rng.uniform(5, 240)
        if not refused:
            who = role_session(rng, person, role, time)
            for operation in ("iam:ListRoles", "s3:ListBuckets"):
                yield CloudCall(
                    time=time, identity=person.email, spot=spot, principal=who,
                    operation=operation, agent=cli_agent(person),
                )  # fmt: skip
                time += rng.uniform(3, 60)


ATTACK = Attack(
    techniques=("T1078.004", "T1548.005", "T1550.001"),
    logs=("cloudtrail",),
    story="a stolen session chained into roles never taken",
    run=stage,
    covers=("U1",),
)
