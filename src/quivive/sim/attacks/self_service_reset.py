"""Account recovery abused: guessed codes, a new password, then the mailbox."""

from collections.abc import Iterator

from quivive.sim import clients
from quivive.sim.action import Action, Outcome
from quivive.sim.behaviour.directory import SELF_RESET, owned
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: p.factor in ("sms", "otp", "push"))
    time, spot, client = scene.any_hour(person), scene.cheap(person), clients.personal(rng)
    for _ in range(rng.randint(2, 8)):
        refused = rng.choice((Outcome.MFA_TIMEOUT, Outcome.MFA_DENIED))
        yield scene.sign_in(
            person, time, spot, client, app="My Signins", outcome=refused, factor=person.factor
        )
        yield owned(person, time + 4, spot, client, SELF_RESET, "fail")
        time += rng.uniform(20, 120)
    yield owned(person, time - 9, spot, client, SELF_RESET)
    yield scene.sign_in(person, time, spot, client, app="My Signins", factor=person.factor)
    for _ in range(rng.randint(1, 4)):
        time += rng.uniform(60, 3000)
        yield scene.sign_in(person, time, spot, client, app="One Outlook Web", factor="claim")


ATTACK = Attack(
    techniques=("T1098", "T1078.004"),
    logs=("entra",),
    story="account recovery abused",
    run=stage,
    covers=("U8",),
)
