"""A developer's token for git, found on a laptop, clones everything it can read."""

from collections.abc import Iterator

from quivive.sim.action import Action, CodeAction
from quivive.sim.code import SSH_KEY
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person, coder = scene.coder(lambda c: c.tokens[0][1].kind != SSH_KEY)
    time = scene.any_hour(person)
    spot = scene.vpn() if rng.random() < 0.6 else scene.cheap(person)
    agent = rng.choice(("git/2.34.1", "git/2.30.2", coder.agent(person, time)))
    repos = [repo for repo in scene.org.code.repos if repo.created < time]
    for repo in rng.sample(repos, min(len(repos), rng.randint(4, 14))):
        yield CodeAction(
            time=time, identity=person.email, spot=spot, operation="git.clone", by=coder.login,
            repo=repo.full, token=coder.token(time), agent=agent, details={"transport": "http"},
        )  # fmt: skip
        time += rng.uniform(2, 60)


ATTACK = Attack(
    techniques=("T1552.001", "T1213.003", "T1090.002"),
    logs=("github",),
    story="a stolen personal token clones many repositories",
    run=stage,
    covers=("U7",),
    weight=2.0,
)
