"""Mail is fetched over IMAP or POP with the password alone, past MFA."""

from collections.abc import Iterator

from quivive.sim.action import Action
from quivive.sim.clients import UNKNOWN
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee()
    time, spot = scene.any_hour(person), scene.cheap(person)
    protocol = rng.choice(("imap", "pop"))
    for _ in range(rng.randint(1, 8)):
        yield scene.sign_in(
            person, time, spot, UNKNOWN, app="Office 365 Exchange Online", protocol=protocol
        )
        time += rng.uniform(300, 15_000)


ATTACK = Attack(
    techniques=("T1078.004", "T1114.002"),
    logs=("entra",),
    story="mail fetched over a protocol without MFA",
    run=stage,
)
