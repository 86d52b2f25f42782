"""A deploy key, read from a server's disk, used from somewhere else."""

from collections.abc import Iterator
from dataclasses import replace

from quivive.sim.action import Action
from quivive.sim.behaviour.code import deployed
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    repo = scene.repo(lambda r: r.deploy is not None, lambda r: r.deploy_identity)
    assert repo.deploy is not None
    time = scene.start + rng.uniform(0, DAY)
    spot = scene.hosting() if rng.random() < 0.6 else scene.proxy("")
    for _ in range(rng.randint(1, 6)):
        use = deployed(repo, repo.deploy, time, spot)
        yield replace(use, operation="git.clone") if rng.random() < 0.7 else use
        time += rng.uniform(30, 40_000)


ATTACK = Attack(
    techniques=("T1552.004", "T1213.003"),
    logs=("github",),
    story="a server's deploy key used from elsewhere",
    run=stage,
    covers=("U2", "U7"),
)
