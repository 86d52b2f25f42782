"""A workflow pushed with a stolen token reads out the repository's secrets, then is removed."""

from collections.abc import Iterator

from quivive.sim.action import Action, CodeAction
from quivive.sim.behaviour.code import job
from quivive.sim.code import PERSONAL, Runner, token
from quivive.sim.scene import Attack, NoTargetError, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person, coder = scene.coder()
    time, spot = scene.any_hour(person), scene.cheap(person)
    stolen = token(rng, PERSONAL)
    repo = next((repo for repo in coder.repos if repo.created < time), None)
    if repo is None:
        raise NoTargetError
    workflow = rng.choice(("lint-fix.yml", "ci-test.yml", "format_check.yml", "publish-test.yml"))

    def git(operation: str, at: float) -> CodeAction:
        return CodeAction(
            time=at, identity=person.email, spot=spot, operation=operation, by=coder.login,
            repo=repo.full, token=stolen, agent="git/2.34.1", details={"transport": "http"},
        )  # fmt: skip

    yield git("git.clone", time)
    yield git("git.push", time + rng.uniform(20, 300))
    time += rng.uniform(301, 330)
    secrets = (*repo.secrets, "GPG_KEY", "PUBLISH_TOKEN", "DEPLOY_SSH_KEY")
    yield from job(
        rng, scene.org.code, repo, time, "push", coder.login, Runner(""), workflow=workflow,
        secrets=secrets,
    )  # fmt: skip
    yield git("git.push", time + rng.uniform(900, 4000))


ATTACK = Attack(
    techniques=("T1552", "T1195.002", "T1528"),
    logs=("github",),
    story="secrets read out by a workflow of the attacker's",
    run=stage,
    covers=("U2", "U7", "S6"),
)
