"""One login at the identity provider, with the small things that go wrong around it."""

import random
from collections.abc import Iterator

from quivive.sim.action import App, Outcome, SignIn
from quivive.sim.apps import APPS
from quivive.sim.clients import UNKNOWN, Client, uuid
from quivive.sim.people import Person
from quivive.sim.world import Spot

TYPO = 0.025
LOCKOUT = 0.04
MFA_SLIP = 0.03
FRESH = 0.16


class Sessions:
    """What one person's devices remember: the session of each, and whether MFA was done there."""

    def __init__(self) -> None:
        """Nothing is remembered yet."""
        self._sessions: dict[Client, str] = {}

    def known(self, client: Client) -> bool:
        """Whether somebody has logged in on this device."""
        return client in self._sessions

    def get(self, client: Client, rng: random.Random) -> str:
        """The device's session, opened now if there was none."""
        if client not in self._sessions:
            self._sessions[client] = uuid(rng)
        return self._sessions[client]

    def renew(self, client: Client, rng: random.Random) -> str:
        """A new session on the device."""
        self._sessions[client] = uuid(rng)
        return self._sessions[client]


def login(
    rng: random.Random,
    person: Person,
    sessions: Sessions,
    time: float,
    spot: Spot,
    client: Client,
    app: App,
) -> Iterator[SignIn]:
    """An interactive login that ends well, most often at the first attempt."""

    protocol = "browser"
    if "CLI" in app.name or "Command Line" in app.name:
        protocol = "device" if rng.random() < 0.15 else "cli"

    def attempt(at: float, outcome: Outcome, factor: str = "", session: str = "") -> SignIn:
        return SignIn(
            time=at,
            identity=person.email,
            spot=spot,
            outcome=outcome,
            account=person.account,
            app=app,
            client=client,
            factor=factor,
            session=session,
            protocol=protocol,
        )

    known = sessions.known(client)
    fresh = not known or rng.random() < FRESH
    session = sessions.renew(client, rng) if fresh else sessions.get(client, rng)
    if fresh and rng.random() < TYPO * (4 if known else 6):
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
            yield attempt(time, Outcome.BAD_PASSWORD)
            time += rng.uniform(6, 40)
        if rng.random() < LOCKOUT:
            for _ in range(rng.randint(4, 9)):
                yield attempt(time, Outcome.BAD_PASSWORD)
                time += rng.uniform(5, 25)
            yield attempt(time, Outcome.LOCKED)
            time += rng.uniform(900, 3600)
    if not person.factor:
        yield attempt(time, Outcome.SUCCESS, "", session)
        return
    if not fresh:
        yield attempt(time, Outcome.SUCCESS, "claim", session)
        return
    if rng.random() < 0.4:
        yield attempt(time, Outcome.MFA_REQUIRED)
        time += rng.uniform(5, 25)
    while rng.random() < MFA_SLIP:
        yield attempt(time, rng.choice((Outcome.MFA_TIMEOUT, Outcome.MFA_DENIED)), person.factor)
        time += rng.uniform(30, 120)
    yield attempt(time, Outcome.SUCCESS, person.factor, session)
    if rng.random() < 0.1:
        yield attempt(time + rng.uniform(1, 6), Outcome.KEEP_SIGNED_IN, "claim", session)


def renewal(
    rng: random.Random,
    person: Person,
    sessions: Sessions,
    time: float,
    spot: Spot,
    client: Client,
    app: App,
) -> SignIn:
    """A token renewed in the background; now and then it has expired."""
    expired = rng.random() < 0.02
    return SignIn(
        time=time,
        identity=person.email,
        spot=spot,
        outcome=Outcome.EXPIRED_TOKEN if expired else Outcome.SUCCESS,
        account=person.account,
        app=app,
        client=client,
        factor="claim" if person.factor else "",
        session=sessions.get(client, rng),
        interactive=False,
        protocol="app",
    )


def by_mail_client(person: Person, time: float, spot: Spot) -> SignIn:
    """Mail fetched by an old client that knows nothing but the password."""
    return SignIn(
        time=time,
        identity=person.email,
        spot=spot,
        account=person.account,
        app=APPS["Office 365 Exchange Online"],
        client=UNKNOWN,
        interactive=False,
        protocol="imap",
    )
