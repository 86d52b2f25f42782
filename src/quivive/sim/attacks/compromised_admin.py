"""An administrator's account at odd hours: portal and directory, then a role never taken."""

from collections.abc import Iterator

from quivive.sim.action import Action, CloudCall
from quivive.sim.behaviour.directory import ADMIN_RESET, helped
from quivive.sim.behaviour.engineers import role_login, role_session
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: p.admin)
    time = scene.night(person)
    spot = scene.vpn(person.home.country) if rng.random() < 0.5 else scene.hosting()
    client, factor = scene.lookalike(person, time), scene.factor(person)
    for app in ("Azure Portal", "Microsoft Graph Command Line Tools", "Azure Portal"):
        yield scene.sign_in(
            person, time, spot, client, app=app, factor=factor,
            protocol="cli" if "Command" in app else "browser",
        )  # fmt: skip
        time += rng.uniform(60, 1500)
    for other in scene.others(rng.choice((0, 1, 2))):
        yield helped(other, person, time, spot, ADMIN_RESET)
        time += rng.uniform(30, 300)
    if person.aws_roles:
        who = role_session(rng, person, "OrganizationAccountAccessRole", time)
        agent = client.agent(time)
        yield role_login(person, who, time, spot, agent, "us-east-1")
        for operation in ("iam:ListUsers", "iam:CreateUser", "iam:AttachUserPolicy"):
            time += rng.uniform(5, 200)
            yield CloudCall(
                time=time, identity=person.email, spot=spot, principal=who,
                operation=operation, agent=agent,
            )  # fmt: skip


ATTACK = Attack(
    techniques=("T1078.004", "T1098", "T1087.004"),
    logs=("entra", "cloudtrail"),
    story="an administrator's account at night, in a role never taken",
    run=stage,
    covers=("U1", "S3"),
)
