"""A service account's token, taken out of its pod and used from the internet."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.behaviour.machines import run
from quivive.sim.places import DAY
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    service = scene.service("kubernetes", lambda s: s.rhythm == "steady")
    time, spot = scene.start + rng.uniform(0, DAY), scene.hosting()
    agent = rng.choice(("curl/8.5.0", "kubectl/v1.30.0 (linux/amd64) kubernetes/7c48c2b",
                        service.agent))  # fmt: skip
    for _ in range(rng.randint(1, 3)):
        yield from run(
            rng, service, time, spot,
            [("list secrets", 1.0), ("get secrets", 0.9), ("list pods", 0.5)], agent,
        )  # fmt: skip
        time += rng.uniform(20, 3000)


ATTACK = Attack(
    techniques=("T1528", "T1552.007", "T1078.004"),
    logs=("kubernetes",),
    story="a pod's token used outside the cluster",
    run=stage,
    covers=("U2", "S1"),
    weight=2.0,
)
