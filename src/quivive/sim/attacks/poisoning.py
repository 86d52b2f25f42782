"""An attacker in no hurry: small steps, each only a little stranger than the one before."""

from collections.abc import Iterator
from dataclasses import replace

from quivive.sim import clients
from quivive.sim.action import Action
from quivive.sim.scene import Attack, Scene


def stage(scene: Scene) -> Iterator[Action]:
    """Stage one incident."""
    rng = scene.rng
    person = scene.employee()
    factor = scene.factor(person)
    home = person.leases[-1][1].prefix
    assert home is not None
    copied = scene.lookalike(person, scene.start)
    own = replace(clients.personal(rng), os=copied.os, browser=copied.browser)
    where, server = scene.proxy(person.home.country), scene.vpn(person.home.country)
    steps = [(home.any(rng), copied)] * 3 + [(where, copied)] * 3 + [(server, own)] * 3
    for number, (spot, client) in enumerate([*steps, (scene.cheap(person), own)]):
        time = scene.at_work(person, number)
        yield scene.sign_in(person, time, spot, client, factor=factor)


ATTACK = Attack(
    techniques=("T1078.004", "T1036"),
    logs=("entra",),
    story="an attacker who becomes normal step by step",
    run=stage,
)
