"""The organisation's code host: repositories, who works on them, and what runs their workflows."""

import base64
import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from quivive.sim.action import Login, Token
from quivive.sim.clients import pick
from quivive.sim.names import ascii_name
from quivive.sim.people import Person
from quivive.sim.places import DAY
from quivive.sim.world import Kind, Prefix, Spot, World

ORG = "northfold"
SSH_KEY = "SSH key"
PERSONAL = "Personal access token (classic)"
FINE_GRAINED = "Fine-grained personal access token"
OAUTH = "OAuth access token"
DEPLOY_KEY = "Deploy key"
APP = "GitHub App server-to-server token"
WORKFLOWS = Login("github-actions[bot]", 41898282, bot=True)
DEPENDABOT = Login("dependabot[bot]", 49699333, bot=True)
_REPOS = {
    "shop": "Engineering", "infra": "Platform", "payments": "Engineering", "pipelines": "Data",
    "storefront": "Engineering", "charts": "Platform", "search": "Engineering",
    "notebooks": "Data", "mobile": "Engineering", "website": "Engineering",
    "runbooks": "Platform", "billing-legacy": "Engineering", "design-system": "Engineering",
    "reports": "Data",
}  # fmt: skip
_SECRETS = ("AWS_ROLE", "NPM_TOKEN", "SENTRY_TOKEN", "REGISTRY_PASSWORD", "SIGNING_KEY",
            "SLACK_WEBHOOK", "DATABASE_URL")  # fmt: skip
_GIT = {"MacOs": "git/2.{}.0", "Linux": "git/2.{}.1", "": "git/2.{}.1"}


@dataclass(frozen=True, slots=True)
class Runner:
    """A machine that runs jobs; the host's own have no address that stays."""

    name: str
    spot: Spot | None = None


@dataclass(slots=True)
class Repo:
    """A repository: its team, its workflows' period in working hours, and on what they run.

    ``runners`` and ``workflows`` are by time; ``deploy`` is the read-only key of a server, and
    ``server`` its address by time.
    """

    name: str
    team: str
    every: float
    runners: list[tuple[float, Runner]]
    secrets: tuple[str, ...]
    workflows: list[tuple[float, str]]
    created: float = 0.0
    nightly: float = -1.0
    deploy: Token | None = None
    server: list[tuple[float, Spot]] = field(default_factory=list)

    @property
    def full(self) -> str:
        """The name with its owner's."""
        return f"{ORG}/{self.name}"

    @property
    def workflow(self) -> str:
        """Under which name its workflows are known as an identity."""
        return f"repo:{self.full}"

    def known(self, time: float) -> list[str]:
        """The workflows that exist then."""
        return [name for since, name in self.workflows if since <= time]

    @property
    def deploy_identity(self) -> str:
        """Under which name its deploy key is known as an identity."""
        return f"deploy_key:{self.full}"


@dataclass(slots=True)
class Coder:
    """Somebody's habits at the code host. ``tokens`` are by time; ``script`` calls the API."""

    login: Login
    repos: list[Repo]
    tokens: list[tuple[float, Token]]
    transport: str
    version: int
    upgrade: float
    script: tuple[str, Token, float] | None = None

    def token(self, time: float) -> Token:
        """The credential of git in use then."""
        return self.tokens[max(0, bisect_right(self.tokens, time, key=lambda t: t[0]) - 1)][1]

    def agent(self, person: Person, time: float) -> str:
        """What git says of itself; over ssh it says nothing."""
        if self.transport == "ssh":
            return ""
        os = person.laptop(time).os
        number = self.version + (2 if time > self.upgrade else 0)
        return _GIT.get(os, "git/2.{}.1.windows.1").format(number)


@dataclass(slots=True)
class Codebase:
    """Everything at the code host."""

    repos: list[Repo]
    coders: dict[str, Coder]
    hosted: list[Prefix]
    release: Login
    release_spot: Spot


def build(
    rng: random.Random, world: World, people: Sequence[Person], begin: float, days: int
) -> Codebase:
    """The code host of these people, over the window that begins then; few of them build less."""
    hosted = [p for p in world.find(Kind.HOSTING) if p.network.name.startswith("Azimuth")]
    own = rng.choice([p for p in world.find(Kind.HOSTING) if p.network.name.startswith("Nimbus")])
    machines = [Runner(f"runner-{n}", own.any(rng)) for n in range(1, 4)]
    repos: list[Repo] = []
    calm = max(1.0, (600 / len(people)) ** (1 / 3))
    for name, team in list(_REPOS.items())[: 4 + len(people) // 65]:
        runners = [(0.0, rng.choice(machines) if rng.random() < 0.4 else Runner(""))]
        if rng.random() < 0.15:  # moved to other machines
            runners.append((begin + rng.uniform(2, days) * DAY, rng.choice(machines)))
        workflows = [(0.0, "ci.yml"), (0.0, "deploy.yml")]
        if rng.random() < 0.3:
            workflows.append(
                (begin + rng.uniform(2, days) * DAY, rng.choice(("release.yml", "docs.yml")))
            )
        repo = Repo(
            name, team, rng.choice((6.0, 10.0, 18.0)) * 3600 * calm, runners,
            tuple(rng.sample(_SECRETS, rng.randint(1, 3))), workflows,
            nightly=rng.uniform(0, 5) if rng.random() < 0.35 else -1.0,
        )  # fmt: skip
        if len(repos) % 5 == 1:
            repo.deploy = token(rng, DEPLOY_KEY)
            where = rng.choice(world.find(Kind.HOSTING))
            repo.server = [(0.0, where.any(rng))]
            if rng.random() < 0.4:
                repo.server.append((begin + rng.uniform(5, days) * DAY, where.any(rng)))
        repos.append(repo)
    for repo in rng.sample(repos, 1 + len(repos) // 8):
        repo.created = begin + rng.uniform(1, days * 0.8) * DAY
    coders = {
        person.email: _coder(rng, person, repos, begin, days)
        for person in people
        if person.engineer
    }
    release = Login(f"{ORG}-release[bot]", rng.randrange(10**8, 2 * 10**8), bot=True)
    return Codebase(repos, coders, hosted, release, own.any(rng))


def _coder(
    rng: random.Random, person: Person, repos: Sequence[Repo], begin: float, days: int
) -> Coder:
    mine = [repo for repo in repos if repo.team == person.department] or list(repos[:1])
    others = [repo for repo in repos if repo not in mine]
    chosen = rng.sample(mine, min(len(mine), rng.randint(1, 3)))
    chosen += rng.sample(others, min(len(others), rng.choice((0, 0, 1))))
    kind = pick(rng, {SSH_KEY: 5.0, OAUTH: 3.0, PERSONAL: 2.0})
    tokens = [(0.0, token(rng, kind))]
    if kind == SSH_KEY:
        tokens += [(when + 5400, token(rng, kind)) for when, _ in person.laptops[1:]]
    else:
        time = begin + rng.uniform(0, 60) * DAY
        while time < begin + days * DAY:
            tokens.append((time, token(rng, kind)))
            time += rng.uniform(25, 60) * DAY
    script = None
    if rng.random() < 0.12:
        agent = rng.choice(("python-requests/2.32.3", "GitHub CLI 2.67.0", "octokit.js/4.1.2"))
        script = (agent, token(rng, FINE_GRAINED), rng.uniform(0.2, 7))
    name = ascii_name(person.account.name.partition(" ")[2])
    login = Login(
        rng.choice((f"{person.short[0]}{name}", f"{name}-nf", person.short.replace(".", "-"))),
        rng.randrange(10**5, 10**8), person.email,
    )  # fmt: skip
    return Coder(
        login, chosen, tokens, "ssh" if kind == SSH_KEY else "http",
        rng.choice((39, 43, 45, 47, 47, 48)), begin + rng.uniform(0, 2 * days) * DAY, script,
    )  # fmt: skip


def token(rng: random.Random, kind: str) -> Token:
    """A new credential of that kind."""
    digest = base64.b64encode(rng.randbytes(32)).decode()
    numbered = kind in (PERSONAL, FINE_GRAINED, OAUTH)
    return Token(kind, digest, rng.randrange(10**8, 2 * 10**9) if numbered else 0)


def at(timeline: list[tuple[float, Runner]], time: float) -> Runner:
    """The entry that holds then."""
    return timeline[max(0, bisect_right(timeline, time, key=lambda entry: entry[0]) - 1)][1]
