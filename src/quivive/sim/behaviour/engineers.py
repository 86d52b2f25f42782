"""What engineers do besides signing in: cloud consoles and keys, clusters, hosts."""

import random
from collections.abc import Callable, Iterator
from datetime import date

from quivive.sim.action import Action, CloudCall, ClusterCall, Outcome, Principal, ShellLogin
from quivive.sim.clients import Client
from quivive.sim.people import Person
from quivive.sim.places import City
from quivive.sim.services import ACCOUNTS, letters
from quivive.sim.staff import NAMESPACES, fingerprint
from quivive.sim.world import Spot

Where = Callable[[random.Random, float, Client], Spot]

USUAL_CALLS = {
    "Engineer-ReadOnly": ("logs:FilterLogEvents", "cloudwatch:GetMetricData",
                          "ecs:DescribeServices", "ec2:DescribeInstances", "s3:ListBuckets",
                          "lambda:ListFunctions"),
    "Engineer-PowerUser": ("ecs:UpdateService", "lambda:UpdateFunctionCode", "s3:GetBucketPolicy",
                           "logs:FilterLogEvents", "ecs:DescribeServices", "ssm:GetParameter"),
    "Platform-Admin": ("iam:ListRoles", "ec2:DescribeSecurityGroups", "eks:DescribeCluster",
                       "ec2:AuthorizeSecurityGroupIngress", "iam:GetRole", "kms:ListKeys"),
    "Data-Analyst": ("athena:StartQueryExecution", "glue:GetTables", "s3:ListBuckets",
                     "athena:GetQueryExecution", "redshift:DescribeClusters"),
}  # fmt: skip
"""The calls that come with a role."""

CLUSTER_CALLS = ("list pods", "list pods", "get deployments", "list deployments", "get pods/log",
                 "list services", "get configmaps", "create pods/exec", "patch deployments",
                 "list events")  # fmt: skip
_CLI = {"darwin/arm64": "aws-cli/2.27.40 md/awscrt#0.26.1 ua/2.1 os/macos#24.5.0 md/arch#arm64",
        "linux/amd64": "aws-cli/2.27.40 md/awscrt#0.26.1 ua/2.1 os/linux#6.11.0 md/arch#x86_64",
        "windows/amd64": "aws-cli/2.27.40 md/awscrt#0.26.1 ua/2.1 os/windows#11 md/arch#amd64",
        }  # fmt: skip


def engineering(
    rng: random.Random, where: Where, person: Person, city: City, day: date
) -> Iterator[Action]:
    """A day's cloud, cluster and host logins."""
    begin, end = person.hours(day, city)

    def moment() -> float:
        late = rng.random() < 0.06
        return rng.uniform(begin, end) if not late else end + rng.uniform(0, 6) * 3600

    if person.aws_roles and rng.random() < 0.42:
        time = moment()
        yield from cloud_session(rng, person, time, where(rng, time, person.laptop(time)))
    if person.cluster_user and rng.random() < 0.46:
        time = moment()
        yield from cluster_session(rng, person, time, where(rng, time, person.laptop(time)))
    if person.hosts and rng.random() < 0.4:
        for _ in range(rng.choice((1, 1, 2, 3))):
            time = moment()
            yield from shell(rng, person, time, where(rng, time, person.laptop(time)))


def cli_agent(person: Person) -> str:
    """The AWS command line's User-Agent on this person's machine."""
    return _CLI[person.tools]


def kubectl(person: Person, time: float) -> str:
    """The kubectl on this person's machine; everybody upgrades some day."""
    upgraded = time > 1_771_000_000 + (len(person.short) * 7919 % 60) * 86_400
    version, commit = ("v1.33.1", "8adc0f0") if upgraded else ("v1.32.3", "32cc146")
    return f"kubectl/{version} ({person.tools}) kubernetes/{commit}"


def role_session(
    rng: random.Random, person: Person, role: str, time: float, *, mfa: bool = True
) -> Principal:
    """The principal of a role somebody has taken through single sign-on."""
    key = "ASIA" + letters(rng, 16)
    account = ACCOUNTS[0] if role != "Data-Analyst" else ACCOUNTS[1]
    uid = "AROA" + letters(random.Random(role), 17)
    return Principal("AssumedRole", role, account, uid, key, person.email, mfa, time)


def role_login(
    person: Person, who: Principal, time: float, spot: Spot, agent: str, region: str
) -> CloudCall:
    """The call by which a person takes a role through single sign-on."""
    saml = Principal("SAMLUser", person.email, who.account, "", session=person.email)
    return CloudCall(
        time=time, identity=person.email, spot=spot, principal=saml, role=who.name,
        operation="sts:AssumeRoleWithSAML", agent=agent, region=region, on=who.key,
    )  # fmt: skip


def iam_user(person: Person) -> Principal:
    """The person's IAM user with its long-lived key, for those who still have one."""
    own = random.Random(person.email)
    return Principal("IAMUser", person.short, ACCOUNTS[0], "AIDA" + letters(own, 17),
                     "AKIA" + letters(own, 16))  # fmt: skip


def cloud_session(
    rng: random.Random, person: Person, time: float, spot: Spot
) -> Iterator[CloudCall]:
    """Some work in AWS: by key, by console, or by a role taken on the command line."""
    role = person.aws_roles[-1] if rng.random() < 0.7 else rng.choice(person.aws_roles)
    client = person.laptop(time)
    region = "ca-central-1" if role == "Data-Analyst" else "us-east-1"
    if person.iam_user and rng.random() < 0.6:
        who, agent = iam_user(person), cli_agent(person)
        if rng.random() < 0.2:
            agent = client.agent(time)
            if rng.random() < 0.06:
                yield CloudCall(time=time - 20, identity=person.email, spot=spot, principal=who,
                                operation="signin:ConsoleLogin", agent=agent, region=region,
                                outcome=Outcome.BAD_PASSWORD)  # fmt: skip
            yield CloudCall(time=time, identity=person.email, spot=spot, principal=who,
                            operation="signin:ConsoleLogin", agent=agent, region=region,
                            on="mfa")  # fmt: skip
    else:
        who = role_session(rng, person, role, time)
        console = rng.random() < 0.5
        agent = client.agent(time) if console else cli_agent(person)
        yield role_login(person, who, time, spot, agent, region)
        if console:
            yield CloudCall(
                time=time + 2, identity=person.email, spot=spot, principal=who,
                operation="signin:ConsoleLogin", agent=agent, region=region,
            )  # fmt: skip
    yield from calls(rng, person, who, USUAL_CALLS[role], time + 3, spot, agent, region)


def calls(
    rng: random.Random,
    person: Person,
    who: Principal,
    operations: tuple[str, ...],
    time: float,
    spot: Spot,
    agent: str,
    region: str,
) -> Iterator[CloudCall]:
    """A handful of API calls, a few of them refused."""
    for _ in range(rng.randint(1, 5)):
        time += rng.expovariate(1 / 240)
        refused = rng.random() < 0.02
        yield CloudCall(time=time, identity=person.email, spot=spot, principal=who,
                        operation=rng.choice(operations), agent=agent, region=region,
                        outcome=Outcome.NOT_ALLOWED if refused else Outcome.SUCCESS)  # fmt: skip


def cluster_groups(person: Person) -> tuple[str, ...]:
    """The Kubernetes groups of a person."""
    team = "platform-admins" if person.department == "Platform" else "engineers"
    return (team, "system:authenticated")


def cluster_session(
    rng: random.Random, person: Person, time: float, spot: Spot
) -> Iterator[ClusterCall]:
    """Some kubectl commands."""
    namespace = rng.choice(person.namespaces)
    for _ in range(rng.randint(2, 6)):
        wrong = rng.random() < 0.02
        yield ClusterCall(
            time=time, identity=person.email, spot=spot, user=person.cluster_user,
            groups=cluster_groups(person), operation=rng.choice(CLUSTER_CALLS),
            namespace=rng.choice(NAMESPACES) if wrong else namespace,
            agent=kubectl(person, time),
            outcome=Outcome.NOT_ALLOWED if wrong else Outcome.SUCCESS,
        )  # fmt: skip
        time += rng.expovariate(1 / 45)


def shell(rng: random.Random, person: Person, time: float, spot: Spot) -> Iterator[ShellLogin]:
    """A login on a host, with a key; now and then the wrong key or a mistyped password first."""
    host = person.hosts[min(int(rng.expovariate(1.2)), len(person.hosts) - 1)]
    if rng.random() < 0.03:
        yield ShellLogin(time=time - 8, identity=person.email, spot=spot, user=person.short,
                         host=host, outcome=Outcome.BAD_PASSWORD)  # fmt: skip
    by_password = host == "git-1" and rng.random() < 0.1
    print_ = person.fingerprint(time) if rng.random() > 0.004 else fingerprint(rng)
    yield ShellLogin(time=time, identity=person.email, spot=spot, user=person.short, host=host,
                     fingerprint="" if by_password else print_)  # fmt: skip
