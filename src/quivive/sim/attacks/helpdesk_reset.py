"""The help desk is talked into a reset: MFA is enrolled anew, then a new phone logs in."""

from collections.abc import Iterator

from quivive.sim import clients
from quivive.sim.action import Action
from quivive.sim.behaviour.directory import (
    ADMIN_DELETED,
    ADMIN_RESET,
    METHODS,
    REGISTERED,
    at_desk,
    helped,
    owned,
)
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee(lambda p: p.factor in ("push", "otp"))
    time = scene.at_work(person)
    spot = scene.proxy(person.home.country) if rng.random() < 0.6 else scene.vpn()
    client = clients.personal(rng)
    helper = scene.helper()
    desk = at_desk(rng, helper, time)
    yield helped(person, helper, time - rng.uniform(100, 500), desk, ADMIN_RESET)
    yield helped(
        person, helper, time - rng.uniform(20, 90), desk, ADMIN_DELETED, METHODS[person.factor]
    )
    yield scene.sign_in(person, time, spot, client, app="My Signins", factor="")
    time += rng.uniform(40, 200)
    yield scene.sign_in(person, time, spot, client, app="My Signins", factor="push")
    yield owned(person, time + 20, spot, client, REGISTERED, METHODS["push"])
    for _ in range(rng.randint(2, 6)):
        time += rng.uniform(60, 4000)
        yield scene.sign_in(person, time, spot, client, factor="claim")
    phone = clients.phone(rng)
    time += rng.uniform(300, 3000)
    yield scene.sign_in(
        person, time, spot, phone, app="Outlook Mobile", factor="push", protocol="app"
    )


ATTACK = Attack(
    techniques=("T1556.006", "T1098.005", "T1566.004"),
    logs=("entra",),
    story="a reset by a deceived help desk, then a new device",
    run=stage,
    covers=("U8",),
)
