"""One password tried on many accounts from a few addresses, until one of them opens."""

from collections.abc import Iterator

from quivive.sim.action import Action, Outcome
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: p.factor in ("", "sms", "push"))
    spots = [scene.cheap(person) for _ in range(rng.randint(1, 3))]
    client = scene.stranger()
    legacy = rng.random() < 0.4
    time = scene.any_hour(person)
    others = scene.others(rng.randint(12, 30))
    for other in others:
        yield scene.sign_in(
            other, time, rng.choice(spots), client, app="Office 365 Exchange Online",
            outcome=Outcome.BAD_PASSWORD, protocol="imap" if legacy else "browser",
        )  # fmt: skip
        time += rng.expovariate(1 / 90)
    factor = scene.factor(person)
    yield scene.sign_in(person, time, rng.choice(spots), client, factor=factor)
    yield from scene.come_back(
        person, time, lambda: scene.cheap(person), client, factor, rng.randint(0, 4), 5
    )


ATTACK = Attack(
    techniques=("T1110.003", "T1078.004"),
    logs=("entra",),
    story="a password spray that opens one account",
    run=stage,
    covers=("S4",),
)
