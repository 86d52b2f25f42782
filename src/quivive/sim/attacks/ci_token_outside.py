"""A pipeline's identity, used on a runner outside the build farm."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.behaviour.machines import run
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    service = scene.service("cloudtrail", lambda s: s.rhythm == "deploy")
    spot = scene.hosting() if rng.random() < 0.6 else scene.proxy("")
    time = scene.start + rng.uniform(6, 22) * 3600
    for _ in range(rng.randint(1, 3)):
        yield from run(
            rng, service, time, spot,
            [*service.calls, ("secretsmanager:ListSecrets", 0.8), ("iam:ListRoles", 0.6)],
        )  # fmt: skip
        time += rng.uniform(100, 4000)


ATTACK = Attack(
    techniques=("T1078.004", "T1195.002", "T1528"),
    logs=("cloudtrail",),
    story="a CI identity on a foreign runner",
    run=stage,
    covers=("U2", "S6"),
    weight=2.0,
)
