"""The internet's background: guesses at hosts and accounts that lead to nothing."""

import random
from collections.abc import Iterator

from quivive.sim.action import Account, Action, Outcome, ShellLogin, SignIn
from quivive.sim.apps import APPS
from quivive.sim.clients import UNKNOWN, Client, personal, uuid
from quivive.sim.organisation import Organisation
from quivive.sim.places import DAY
from quivive.sim.staff import HOSTS
from quivive.sim.world import Kind, Spot

_GUESSES = ("root", "root", "root", "root", "admin", "ubuntu", "test", "oracle", "git", "postgres",
            "user", "ftpuser", "deploy", "hadoop", "pi", "support", "guest", "es", "jenkins",
            "minecraft", "steam", "nagios")  # fmt: skip
_EXIST = frozenset({"root", "git", "deploy", "postgres"})
_SOURCES = (Kind.HOSTING, Kind.HOSTING, Kind.HOSTING, Kind.RESIDENTIAL, Kind.MOBILE)


def guesses(org: Organisation, per_day: float) -> Iterator[Action]:
    """Bots trying names and passwords on the hosts that face the internet."""
    rng = org.rng("noise", "sshd")
    time = org.begin
    while time < org.end:
        time += rng.expovariate(per_day / 3 / DAY)
        spot = org.world.spot(rng, rng.choice(_SOURCES))
        user, host = rng.choice(_GUESSES), rng.choice(HOSTS[:3])
        at = time
        for _ in range(rng.choice((1, 1, 2, 3, 5))):
            known = user in _EXIST
            yield ShellLogin(
                time=at, identity=user, spot=spot, user=user, host=host,
                outcome=Outcome.BAD_PASSWORD if known else Outcome.UNKNOWN_USER,
            )  # fmt: skip
            at += rng.uniform(1, 60)


def sprays(org: Organisation, per_day: float) -> Iterator[Action]:
    """Slow guessing at the identity provider, as every tenant sees it; it never succeeds."""
    rng = org.rng("noise", "entra")
    staff = [person for person in org.people if not person.account.guest]
    gone = [Account(f"{name}@{org.domain}", uuid(rng), name) for name in
            ("info", "admin", "sales", "scanner", "test", "j.doe", "conference", "hr")]  # fmt: skip
    time = org.begin
    while time < org.end:
        time += rng.expovariate(per_day / DAY)
        legacy = rng.random() < 0.4
        if rng.random() < 0.35:
            account, outcome = rng.choice(gone), Outcome.UNKNOWN_USER
        else:
            account = rng.choice(staff).account
            outcome = Outcome.LOCKED if rng.random() < 0.15 else Outcome.BAD_PASSWORD
        yield SignIn(
            time=time, identity=account.email, spot=_origin(rng, org), outcome=outcome,
            account=account, app=APPS["Office 365 Exchange Online" if legacy else "OfficeHome"],
            client=_client(rng), protocol=rng.choice(("imap", "smtp")) if legacy else "browser",
        )  # fmt: skip


def _origin(rng: random.Random, org: Organisation) -> Spot:
    return org.world.spot(rng, rng.choice((*_SOURCES, Kind.VPN, Kind.TOR)))


def _client(rng: random.Random) -> Client:
    return UNKNOWN if rng.random() < 0.4 else personal(rng)
