"""A job's own token, copied out of the runner and used elsewhere while it lasts."""

from collections.abc import Iterator

from quivive.sim.action import Action, CodeAction
from quivive.sim.behaviour.code import request
from quivive.sim.code import WORKFLOWS
from quivive.sim.scene import Attack, NoTargetError, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    repo = scene.repo(lambda _: True, lambda r: r.workflow)
    runs = [a for a in scene.before(repo.workflow) if isinstance(a, CodeAction) and a.token]
    if not runs:
        raise NoTargetError
    stolen = rng.choice(runs[-5:])
    time = stolen.time + rng.uniform(120, 3000)
    spot = scene.hosting() if rng.random() < 0.6 else scene.proxy("")
    agent = rng.choice(("git/2.34.1", "go-git/5.x", stolen.agent))
    assert stolen.token is not None
    for _ in range(rng.randint(1, 3)):
        yield CodeAction(
            time=time, identity=repo.workflow, spot=spot, operation="git.clone", by=WORKFLOWS,
            repo=repo.full, token=stolen.token, agent=agent, details={"transport": "http"},
        )  # fmt: skip
        time += rng.uniform(5, 90)
    for route in ("/repositories/:repository_id/actions/secrets",
                  "/repositories/:repository_id/contents/:path")[: rng.randint(1, 2)]:  # fmt: skip
        yield request(
            repo.workflow, WORKFLOWS, time, spot, "curl/8.5.0", stolen.token, route, repo.full,
            403 if rng.random() < 0.4 else 200,
        )  # fmt: skip
        time += rng.uniform(3, 60)


ATTACK = Attack(
    techniques=("T1528", "T1550.001", "T1195.002"),
    logs=("github",),
    story="a workflow's token on a foreign runner",
    run=stage,
    covers=("U2", "S6"),
)
