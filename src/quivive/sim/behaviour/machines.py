"""The runs of services: scheduled, steady or with deploys, and the changes in their lives."""

import random
from collections.abc import Iterator
from copy import copy

from quivive.sim.action import (
    Action,
    CloudCall,
    ClusterCall,
    Outcome,
    Principal,
    ServiceSignIn,
    ShellLogin,
)
from quivive.sim.organisation import Organisation
from quivive.sim.places import DAY
from quivive.sim.services import Service, letters
from quivive.sim.world import Kind, Spot

_NEW_CALLS = {
    "cloudtrail": "secretsmanager:GetSecretValue",
    "kubernetes": "list configmaps",
    "sshd": "login",
    "entra": "sign-in",
}


def runs(org: Organisation, service: Service) -> Iterator[Action]:
    """Everything one service does in the window."""
    rng = org.rng("service", service.name)
    service = copy(service)
    changes = list(service.changes)
    for time in _times(rng, org, service):
        while changes and changes[0][0] <= time:
            what = changes.pop(0)[1]
            if what == "by hand":
                yield from run(rng, service, time - 400, rng.choice(org.offices).egress[0])
            _change(rng, org, service, what)
        yield from run(rng, service, time, _where(rng, service))


def _times(rng: random.Random, org: Organisation, service: Service) -> Iterator[float]:
    """When it runs. Deploys follow working hours; the others do not care."""
    if service.rhythm == "cron":
        time = org.begin + service.at
        while time < org.end:
            yield time + abs(rng.gauss(0, service.jitter))
            time = time + service.every
        return
    time = org.begin + rng.uniform(0, service.every)
    while time < org.end:
        day = int((time - org.begin) // DAY)
        hour = (time % DAY) / 3600
        weekday = (org.first.weekday() + day) % 7
        idle = service.rhythm == "deploy" and (weekday > 4 or not 7 <= hour < 22)
        if not idle or rng.random() < 0.03:
            yield time
        time += rng.expovariate(1 / service.every) + 1


def _change(rng: random.Random, org: Organisation, service: Service, what: str) -> None:
    if what == "address" and not service.pool and service.spots:
        old = service.spots[0]
        new = old.prefix.any(rng) if old.prefix else Spot(f"10.42.{rng.randrange(9, 20)}.17")
        if old.prefix and rng.random() < 0.35:
            new = org.world.spot(rng, Kind.HOSTING)
        keep = service.spots if rng.random() < 0.5 else []
        service.spots = [*keep, new]
    elif what == "agent":
        service.agent = _upgraded(rng, service.agent)
    elif what == "call":
        service.calls = [*service.calls, (_NEW_CALLS[service.log], 0.2)]
    elif what == "rhythm":
        service.every *= rng.choice((0.5, 2.0))


def _upgraded(rng: random.Random, agent: str) -> str:
    """The same program with its last number raised."""
    head, dot, tail = agent.partition(".")
    number = "".join(c for c in tail.partition(".")[0] if c.isdigit())
    if not number:
        return agent
    return head + dot + str(int(number) + rng.randint(1, 3)) + tail[len(number) :]


def _where(rng: random.Random, service: Service) -> Spot:
    if service.pool:
        return service.pool.any(rng)
    return rng.choice(service.spots)


def run(
    rng: random.Random,
    service: Service,
    time: float,
    spot: Spot,
    operations: list[tuple[str, float]] | None = None,
    agent: str = "",
) -> Iterator[Action]:
    """One run of a service's credential from ``spot``; its own calls unless others are given."""
    chosen = [name for name, odds in operations or service.calls if rng.random() < odds]
    agent = agent or service.agent
    if service.log == "entra" and service.resource:
        failed = rng.random() < 0.004
        yield ServiceSignIn(
            time=time, identity=service.name, spot=spot, uid=service.uid, app_uid=service.app_uid,
            credential=service.credential, resource=service.resource,
            outcome=Outcome.BAD_SECRET if failed else Outcome.SUCCESS,
        )  # fmt: skip
    elif service.log == "cloudtrail" and service.principal:
        who = service.principal
        if service.role:
            taken = session_of(rng, service, time)
            if "Lambda" not in agent:
                yield CloudCall(
                    time=time, identity=service.name, spot=spot, principal=who, agent=agent,
                    operation="sts:AssumeRoleWithWebIdentity" if who.issuer else "sts:AssumeRole",
                    role=service.role, on=taken.key, region=service.region,
                )  # fmt: skip
            who = taken
        for operation in chosen:
            time += rng.uniform(0.2, 4)
            refused = rng.random() < 0.003
            yield CloudCall(
                time=time, identity=service.name, spot=spot, principal=who, operation=operation,
                agent=agent, region=service.region,
                outcome=Outcome.NOT_ALLOWED if refused else Outcome.SUCCESS,
            )  # fmt: skip
    elif service.log == "kubernetes":
        name = service.name.rpartition(":")[2]
        for operation in chosen:
            time += rng.uniform(0.01, 1)
            yield ClusterCall(
                time=time, identity=service.name, spot=spot, user=service.name,
                groups=service.groups, operation=operation, namespace=service.namespace,
                agent=agent, uid=service.uid, pod=f"{name}-0",
            )  # fmt: skip
    elif service.log == "sshd":
        for host in service.hosts:
            time += rng.uniform(0.5, 6)
            yield ShellLogin(time=time, identity=service.name, spot=spot, user=service.name,
                             host=host, fingerprint=service.credential)  # fmt: skip


def session_of(rng: random.Random, service: Service, time: float) -> Principal:
    """The principal of the role a service has taken."""
    own = random.Random(service.role)
    assert service.principal is not None
    short = service.name.replace("repo:", "").split(":")[0].replace("/", "-")
    return Principal(
        "AssumedRole", service.role, service.principal.account, "AROA" + letters(own, 17),
        "ASIA" + letters(rng, 16), short if "Lambda" in service.agent else f"{short}-session",
        since=time,
    )  # fmt: skip
