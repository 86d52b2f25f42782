"""A developer's kubeconfig, used from an address outside."""

from collections.abc import Iterator

from quivive.sim.action import Action, ClusterCall, Outcome
from quivive.sim.behaviour.engineers import cluster_groups, kubectl
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: bool(p.cluster_user))
    time = scene.hour(person.home, 0, 24)
    spot = scene.cheap(person) if rng.random() < 0.6 else scene.proxy(person.home.country)
    same = rng.random() < 0.4
    agent = kubectl(person, time) if same else "kubectl/v1.29.2 (linux/amd64) kubernetes/4b8e819"
    for operation in rng.choices(
        ("create selfsubjectrulesreviews", "list pods", "list secrets", "get secrets",
         "create pods/exec", "list nodes", "create daemonsets"), k=rng.randint(3, 9)
    ):  # fmt: skip
        refused = rng.random() < 0.2
        yield ClusterCall(
            time=time, identity=person.email, spot=spot, user=person.cluster_user,
            groups=cluster_groups(person), operation=operation,
            namespace=rng.choice((*person.namespaces, "kube-system")), agent=agent,
            outcome=Outcome.NOT_ALLOWED if refused else Outcome.SUCCESS,
        )  # fmt: skip
        time += rng.expovariate(1 / 60)


ATTACK = Attack(
    techniques=("T1078.004", "T1552.007", "T1613"),
    logs=("kubernetes",),
    story="a kubeconfig used from outside",
    run=stage,
    covers=("U1", "S1"),
    weight=2.0,
)
