"""The organisation's programs: what each logs in with, from where, when, and what it does."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from quivive.sim import clients
from quivive.sim.action import App, Principal
from quivive.sim.apps import APPS, GRAPH
from quivive.sim.places import DAY
from quivive.sim.staff import fingerprint
from quivive.sim.world import Kind, Prefix, Spot, World

ACCOUNTS = ("417730528816", "620945113307")


@dataclass(slots=True)
class Service:
    """One machine identity.

    ``rhythm`` is cron, steady or deploy; ``every`` its period in seconds and ``at`` the offset.
    ``calls`` are the operations of one run, in order, each with its chance. ``changes`` lists
    legitimate changes: when, and what (address, agent, call, rhythm, by hand in an office).
    """

    name: str
    log: str
    rhythm: str
    every: float
    at: float
    spots: list[Spot]
    agent: str
    calls: list[tuple[str, float]]
    uid: str = ""
    app_uid: str = ""
    credential: str = ""
    principal: Principal | None = None
    groups: tuple[str, ...] = ()
    namespace: str = ""
    hosts: tuple[str, ...] = ()
    resource: App | None = None
    role: str = ""
    region: str = "us-east-1"
    pool: Prefix | None = None
    jitter: float = 30.0
    changes: list[tuple[float, str]] = field(default_factory=list)


_VAULT = App("Azure Key Vault", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "Azure Key Vault",
             "cfa8b339-82a2-471a-a3c9-0fc0be7a4093")  # fmt: skip
_GRAPH = App("Microsoft Graph", GRAPH, "Microsoft Graph", GRAPH)
_ARM = APPS["Azure Portal"]


class Machines:
    """Draws services for one world."""

    def __init__(self, rng: random.Random, world: World, begin: float, days: int) -> None:
        """``begin`` is the window's start in Unix time."""
        self.rng = rng
        self.world = world
        self.begin = begin
        self.days = days
        cloud = world.find(Kind.HOSTING)
        self.home = rng.choice([p for p in cloud if p.network.name.startswith("Nimbus")])
        self.other = rng.choice([p for p in cloud if p.network != self.home.network])
        self.nat = [self.home.any(rng) for _ in range(4)]
        self.ci_pool = rng.choice([p for p in cloud if p.network.name.startswith("Azimuth")])
        self.nodes = [
            Spot(f"10.42.{rng.randrange(1, 9)}.{rng.randrange(4, 250)}") for _ in range(6)
        ]

    def draw(self, count: int) -> list[Service]:
        """That many services, of the kinds below in turn."""
        made = []
        for number in range(count):
            service = _KINDS[number % len(_KINDS)](self)
            if number >= len(_KINDS):
                service.name += f"-{number // len(_KINDS) + 1}"
            self._changes(service)
            made.append(service)
        return made

    def _changes(self, service: Service) -> None:
        """An ordinary life has changes: a new node pool, an upgrade, a new call, another time."""
        rng = self.rng
        for what, chance in (
            ("address", 0.3),
            ("agent", 0.4),
            ("call", 0.3),
            ("rhythm", 0.12),
            ("by hand", 0.15),
        ):
            if rng.random() < chance:
                service.changes.append((self.begin + rng.uniform(3, self.days) * DAY, what))
        service.changes.sort()

    def entra(
        self, name: str, rhythm: str, every: float, at: float, agent: str, target: App
    ) -> Service:
        """An application registered at the identity provider."""
        rng = self.rng
        return Service(
            name=name,
            log="entra",
            rhythm=rhythm,
            every=every,
            at=at,
            spots=[self.other.any(rng)] if rng.random() < 0.5 else self.nat[:2],
            agent=agent,
            calls=[("sign-in", 1.0)],
            uid=clients.uuid(rng),
            app_uid=clients.uuid(rng),
            credential=clients.uuid(rng),
            resource=target,
        )

    def aws(
        self,
        name: str,
        rhythm: str,
        every: float,
        at: float,
        agent: str,
        calls: list[tuple[str, float]],
        role: str = "",
        issuer: str = "",
    ) -> Service:
        """An IAM user with a key, or (with ``role``) whatever takes that role."""
        rng = self.rng
        key = "AKIA" + letters(rng, 16)
        account = ACCOUNTS[0]
        user = Principal("IAMUser", name, account, "AIDA" + letters(rng, 17), key)
        return Service(
            name=name,
            log="cloudtrail",
            rhythm=rhythm,
            every=every,
            at=at,
            spots=self.nat[:2] if rng.random() < 0.6 else [self.nat[2]],
            agent=agent,
            calls=calls,
            credential=key,
            principal=Principal("WebIdentityUser", name, account, "AROA" + letters(rng, 17),
                                issuer=issuer)
            if issuer
            else user,
            role=role,
        )  # fmt: skip

    def cluster(
        self,
        name: str,
        namespace: str,
        every: float,
        agent: str,
        calls: list[tuple[str, float]],
        rhythm: str = "steady",
    ) -> Service:
        """A Kubernetes service account, as a rule inside the cluster."""
        rng = self.rng
        return Service(
            name=f"system:serviceaccount:{namespace}:{name}",
            log="kubernetes",
            rhythm=rhythm,
            every=every,
            at=0.0,
            spots=rng.sample(self.nodes, rng.randint(1, 3)),
            agent=agent,
            calls=calls,
            uid=clients.uuid(rng),
            groups=(
                "system:serviceaccounts",
                f"system:serviceaccounts:{namespace}",
                "system:authenticated",
            ),
            namespace=namespace,
        )

    def shell(
        self, name: str, rhythm: str, every: float, at: float, hosts: Sequence[str]
    ) -> Service:
        """A script that logs in over ssh with its key."""
        return Service(
            name=name,
            log="sshd",
            rhythm=rhythm,
            every=every,
            at=at,
            spots=[Spot(f"10.20.0.{self.rng.randrange(10, 200)}")]
            if self.rng.random() < 0.5
            else [self.nat[3]],
            agent="",
            calls=[("login", 1.0)],
            credential=fingerprint(self.rng),
            hosts=tuple(hosts),
        )


def letters(rng: random.Random, count: int) -> str:
    """Upper-case letters and digits, as in AWS ids."""
    return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=count))


_BOTO = "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.1 os/linux#6.1.0 lang/python#3.12.8"
_TF = "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) aws-sdk-go-v2/1.32.5"
_GO = "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.24.1 md/GOARCH#amd64"
_LAMBDA = _BOTO + " exec-env/AWS_Lambda_python3.12"
_CLI = "aws-cli/2.22.7 md/awscrt#0.23.4 ua/2.0 os/linux"
_HOUR = 3600.0


def _ci_roles(m: Machines) -> Service:
    made = m.aws(
        "repo:northfold/shop:ref:refs/heads/main", "deploy", 2.2 * _HOUR, 0, _GO,
        [("ecr:GetAuthorizationToken", 1), ("ecr:PutImage", 0.8), ("ecs:UpdateService", 0.6)],
        role="ci-shop-deploy", issuer="token.actions.githubusercontent.com",
    )  # fmt: skip
    made.spots, made.pool = [], m.ci_pool
    return made


def _ci_cluster(m: Machines) -> Service:
    made = m.cluster("ci-deployer", "platform", 2.6 * _HOUR, "Helm/3.17.1",
                     [("list deployments", 1), ("patch deployments", 0.9), ("get pods", 0.8)],
                     "deploy")  # fmt: skip
    made.spots = m.nat[:1]
    return made


def _lambda(m: Machines) -> Service:
    made = m.aws("invoice-render", "steady", 1.2 * _HOUR, 0, _LAMBDA,
                 [("s3:GetBucketLocation", 0.4), ("kms:Decrypt", 0.9), ("ssm:GetParameter", 0.7)],
                 role="invoice-render-fn")  # fmt: skip
    made.spots, made.pool = [], m.home
    return made


_KINDS: tuple[Callable[[Machines], Service], ...] = (
    lambda m: m.entra("Mailbox Backup", "cron", _HOUR / 2, 240, "", _GRAPH),
    lambda m: m.aws(
        "svc-ci-deploy", "deploy", 1.6 * _HOUR, 0, _CLI,
        [("sts:GetCallerIdentity", 0.9), ("ecs:DescribeServices", 0.9), ("ecs:UpdateService", 0.7)],
    ),
    lambda m: m.cluster("argocd-application-controller", "platform", 1500,
                        "argocd-application-controller/v2.14.2",
                        [("list deployments", 0.8), ("get secrets", 0.5),
                         ("patch deployments", 0.2)]),
    lambda m: m.shell("deploy", "deploy", 1.2 * _HOUR, 0, ("app-1", "app-2", "app-3")),
    lambda m: m.entra("HR Provisioning Sync", "cron", 6 * _HOUR, 7_200, "", _GRAPH),
    _ci_roles,
    lambda m: m.cluster("prometheus", "monitoring", 1400, "Prometheus/3.2.1",
                        [("list pods", 0.9), ("list endpoints", 0.4)]),
    lambda m: m.shell("backup", "cron", 24 * _HOUR, 2.25 * _HOUR,
                      ("db-1", "app-1", "git-1", "backup-1")),
    lambda m: m.entra("Salesforce Connector", "steady", 0.75 * _HOUR, 0, "", _VAULT),
    lambda m: m.aws("svc-backup", "cron", 24 * _HOUR, 1.5 * _HOUR, _BOTO,
                    [("rds:DescribeDBSnapshots", 1), ("rds:CreateDBSnapshot", 1),
                     ("s3:ListBuckets", 0.9), ("rds:DeleteDBSnapshot", 0.5)]),
    lambda m: m.cluster("cert-manager", "platform", 3_000, "cert-manager-certificates/v1.17.1",
                        [("list certificates", 0.9), ("get secrets", 0.9),
                         ("update secrets", 0.1)]),
    _lambda,
    lambda m: m.entra("Terraform Cloud", "deploy", 3 * _HOUR, 0, "", _ARM),
    lambda m: m.aws("monitoring-collector", "steady", 0.5 * _HOUR, 0, _GO,
                    [("cloudwatch:DescribeAlarms", 0.9), ("ec2:DescribeInstances", 0.8),
                     ("tag:GetResources", 0.3)], role="MonitoringIntegration"),
    _ci_cluster,
    lambda m: m.aws("svc-terraform", "deploy", 5 * _HOUR, 0, _TF,
                    [("sts:GetCallerIdentity", 1), ("ec2:DescribeVpcs", 0.9), ("iam:GetRole", 0.9),
                     ("s3:GetBucketPolicy", 0.7), ("ec2:ModifyInstanceAttribute", 0.1)]),
)  # fmt: skip
