"""Operations that intruders come for: which they are, what they weigh, and several at once."""

import pytest

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Organisation, Profile, Scene
from quivive.baseline.tables import DAY_MS, Level
from quivive.engine.learn import note
from quivive.engine.shared import Delta
from quivive.engine.state import State
from quivive.scoring.weigh import weigh
from quivive.signals import exploration
from quivive.signals.sensitivity import ORDINARY, features, kind_of
from tests.scenario.company import at

NOW = at(40, 9)


def call(operation: str | None, minutes: float = 0, **changes: object) -> Observation:
    """A call that an engineer's key was used for."""
    given: dict[str, object] = {"log": "aws", "around": None, **changes}
    return Observation(
        time=NOW + round(minutes * 60_000), identity="dana", kind="human", outcome="success",
        accepted=True, hour=9, weekday=5, operation=operation, **given,  # type: ignore[arg-type]
    )  # fmt: skip


def levels(**calls: int) -> Levels:
    """What the identity and its organisation called, by kind of operation."""
    own, peers, everyone = (Level(30 * DAY_MS, 48) for _ in range(3))
    for kind, count in calls.items():
        for level in (own, peers, everyone):
            key = f"aws/{kind.replace('_', ' ')}"
            level.add("sensitivity", key, count * level.scale(NOW))
            level.add("log", "aws", count * level.scale(NOW))
    return Levels(own, peers, everyone, own.scale(NOW), peers.scale(NOW), everyone.scale(NOW))


def scene(profile: Profile) -> Scene:
    return Scene(profile, None, None, Organisation())


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("secretsmanager:GetSecretValue", "takes secrets"),
        ("list secrets", "takes secrets"),
        ("iam:AttachUserPolicy", "grants rights"),
        ("create clusterrolebindings", "grants rights"),
        ("create pods/exec", "runs code"),
        ("ssm:SendCommand", "runs code"),
        ("rds:ModifyDBSnapshotAttribute", "copies out"),
        ("cloudtrail:StopLogging", "covers tracks"),
        ("sts:GetCallerIdentity", "looks around"),
        ("create selfsubjectrulesreviews", "looks around"),
        ("secretmanager:AccessSecretVersion", "takes secrets"),
        ("iamcredentials:GenerateAccessToken", "takes secrets"),
        ("iamcredentials:SignJwt", "takes secrets"),
        ("cloudkms:Decrypt", "takes secrets"),
        ("SecretGet", "takes secrets"),
        ("MICROSOFT.KEYVAULT/VAULTS/SECRETS/READ", "takes secrets"),
        ("Microsoft.Storage/storageAccounts/listKeys/action", "takes secrets"),
        (
            "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
            "takes secrets",
        ),
        ("variable_viewed_api", "takes secrets"),
        ("iam:CreateServiceAccountKey", "grants rights"),
        ("iam:SetIAMPolicy", "grants rights"),
        ("cloudresourcemanager:SetIamPolicy", "grants rights"),
        ("storage:setIamPermissions", "grants rights"),
        ("compute:instances.setIamPolicy", "grants rights"),
        ("Microsoft.Authorization/roleAssignments/write", "grants rights"),
        ("MICROSOFT.AUTHORIZATION/ELEVATEACCESS/ACTION", "grants rights"),
        ("compute:instances.setMetadata", "runs code"),
        ("compute:projects.setCommonInstanceMetadata", "runs code"),
        ("Microsoft.Compute/virtualMachines/runCommand/action", "runs code"),
        ("MICROSOFT.AUTOMATION/AUTOMATIONACCOUNTS/JOBS/WRITE", "runs code"),
        ("compute:disks.createSnapshot", "copies out"),
        ("cloudsql:instances.export", "copies out"),
        ("Microsoft.Compute/disks/beginGetAccess/action", "copies out"),
        ("project_export_file_download_started", "copies out"),
        ("logging:DeleteSink", "covers tracks"),
        ("logging:UpdateSink", "covers tracks"),
        ("microsoft.insights/diagnosticSettings/delete", "covers tracks"),
        ("cloudresourcemanager:GetIamPolicy", "looks around"),
        ("cloudasset:SearchAllResources", "looks around"),
        ("Microsoft.Authorization/roleDefinitions/read", "looks around"),
        ("storage:objects.get", ORDINARY),
        ("compute:instances.list", ORDINARY),
        ("sts:ExchangeToken", ORDINARY),
        ("bigquery:InsertJob", ORDINARY),
        ("logging:WriteLogEntries", ORDINARY),
        ("Microsoft.Compute/virtualMachines/read", ORDINARY),
        ("s3:GetObject", ORDINARY),
        ("list pods", ORDINARY),
        ("git.push", ORDINARY),
        ("", ORDINARY),
    ],
)
def test_what_an_operation_serves(operation: str, kind: str) -> None:
    assert kind_of(operation) == kind


def test_an_ordinary_operation_neither_alarms_nor_reassures() -> None:
    """Not even of who otherwise does nothing but look around; yet it is counted."""
    spoken = features(call("s3:GetObject"), scene(Profile()), levels(looks_around=500))
    assert not spoken.weighed
    assert ("sensitivity", "aws/ordinary") in spoken.own


def test_it_weighs_less_for_who_does_it_every_day() -> None:
    secret = features(call("secretsmanager:GetSecretValue"), scene(Profile()), levels()).weighed[0]
    never = weigh(secret, levels(ordinary=500)).weight
    daily = weigh(secret, levels(ordinary=400, takes_secrets=100)).weight
    assert never > 3.0
    assert daily < 0.5


@pytest.mark.parametrize("login", [call(None), call("list secrets", around="Password Reset")])
def test_a_login_that_calls_nothing_says_nothing(login: Observation) -> None:
    assert not features(login, scene(Profile()), levels()).features


def prowls(*operations: str) -> list[float]:
    """What each call weighs as one of several that intruders look for."""
    profile, state, found = Profile(first_seen=at(0)), State(), []
    for n, operation in enumerate(operations):
        login = call(operation, n)
        said = exploration.evidence(login, scene(profile), levels(ordinary=500))
        found.append(sum(e.weight for e in said if e.signal == "prowl"))
        note(login, scene(profile), levels(ordinary=500), state, Delta(1, login.time, "dana"))
    return found


def test_several_that_intruders_look_for_weigh_more_than_one() -> None:
    first, second, third = prowls("list secrets", "create pods/exec", "iam:ListUsers")
    assert first == 0.0 < second < third <= exploration.MOST
    assert prowls("s3:Get", "s3:Put", "s3:Head") == [0.0, 0.0, 0.0]
    assert prowls("list secrets", "list secrets", "list secrets") == [0.0, 0.0, 0.0]


def test_they_count_in_a_service_that_is_new_itself() -> None:
    profile, state = Profile(first_seen=at(0)), State()
    for n, operation in enumerate(("secretsmanager:ListSecrets", "secretsmanager:GetSecretValue")):
        login = call(operation, n, application="secretsmanager")
        said = exploration.evidence(login, scene(profile), levels(ordinary=500))
        note(login, scene(profile), levels(ordinary=500), state, Delta(1, login.time, "dana"))
    assert {e.signal for e in said} == {"exploration", "prowl"}
