"""A partner's guest account, stolen at the partner's, looks around in places new to it."""

from collections.abc import Iterator

from quivive.sim.action import Action, Outcome
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.person(lambda p: p.account.guest)
    time = scene.any_hour(person)
    spot, client = scene.cheap(person), scene.stranger()
    for app in rng.sample(
        ("Azure Portal", "Power BI Service", "Atlassian Cloud", "Microsoft App Access Panel",
         "SharePoint Online Web Client Extensibility", "Salesforce"), rng.randint(2, 5)
    ):  # fmt: skip
        outcome = Outcome.NOT_ALLOWED if rng.random() < 0.4 else Outcome.SUCCESS
        yield scene.sign_in(
            person, time, spot, client, app=app, outcome=outcome, factor=scene.factor(person)
        )
        time += rng.uniform(30, 1200)


ATTACK = Attack(
    techniques=("T1199", "T1078.004"),
    logs=("entra",),
    story="a contractor's guest account looks around",
    run=stage,
    covers=("U5",),
)
