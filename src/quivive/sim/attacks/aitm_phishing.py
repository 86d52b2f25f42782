"""Phishing through a relay: MFA is met by a claim, the session goes on from a server."""

from collections.abc import Iterator

from quivive.sim import clients
from quivive.sim.action import Action
from quivive.sim.behaviour.directory import METHODS, REGISTERED, owned
from quivive.sim.clients import uuid
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    person = scene.employee(lambda p: bool(p.factor))
    time = scene.at_work(person)
    client, relay = scene.lookalike(person, time), scene.hosting()
    session = uuid(scene.rng)
    yield scene.sign_in(person, time, relay, client, factor=person.factor, session=session)
    owner = clients.personal(scene.rng)
    if scene.rng.random() < 0.4:
        stays = time + scene.rng.uniform(60, 900)
        yield owned(person, stays, relay, owner, REGISTERED, METHODS["otp"])
    for _ in range(scene.rng.randint(2, 9)):
        time += scene.rng.uniform(200, 40_000)
        yield scene.sign_in(
            person, time, scene.cheap(person), owner, factor="claim", session=session,
            interactive=scene.rng.random() < 0.5,
        )  # fmt: skip


ATTACK = Attack(
    techniques=("T1557", "T1566.002", "T1550.004"),
    logs=("entra",),
    story="a phishing relay catches a session",
    run=stage,
    weight=2.0,
)
