"""A runner of the attacker's joins the farm; the next jobs bring their secrets to it."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.behaviour.code import job, registered
from quivive.sim.code import FINE_GRAINED, Runner, token
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person, coder = scene.coder()
    time, spot = scene.any_hour(person), scene.cheap(person)
    yield registered(person, coder, time, spot, token(rng, FINE_GRAINED))
    runner = Runner(rng.choice(("runner-4", "runner-1a", "build-tmp", "vps-2201")), scene.hosting())
    repos = [repo for repo in scene.org.code.repos if repo.created < time]
    for repo in rng.sample(repos, min(len(repos), rng.randint(1, 3))):
        time += rng.uniform(300, 9000)
        yield from job(
            rng, scene.org.code, repo, time, "workflow_dispatch", coder.login, runner,
            workflow=rng.choice(repo.known(time)), by_hand=spot,
        )  # fmt: skip


ATTACK = Attack(
    techniques=("T1195.002", "T1078.004", "T1552"),
    logs=("github",),
    story="a foreign machine registered as a runner",
    run=stage,
    covers=("U2", "S6"),
)
