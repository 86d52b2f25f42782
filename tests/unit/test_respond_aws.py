"""AWS, against moto's account: what is denied, what is made inactive, and back."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from quivive.app.registry import actions
from quivive.model.response import ResponseRequest, ResponseResult, Target
from quivive.respond.aws import AwsSettings, policy
from quivive.respond.performing import carry_out, client_for, take_back
from quivive.respond.secretsmanager import Settings
from tests.vendor import NOW, Time

ACCOUNT = "123456789012"
USER = Target(
    identity="backup", kind="service", product="CloudTrail", name="backup",
    uid=f"arn:aws:iam::{ACCOUNT}:user/batch/backup",
)  # fmt: skip
PERSON = Target(
    identity="ada@example.com", product="CloudTrail", uid_alt="AROAX:ada@example.com",
    uid=f"arn:aws:sts::{ACCOUNT}:assumed-role/Developers/ada@example.com",
)  # fmt: skip
PLAIN = AwsSettings()
ASSUME = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        found = boto3.client("iam", region_name="us-east-1")
        found.create_user(UserName="backup", Path="/batch/")
        found.create_role(RoleName="Developers", AssumeRolePolicyDocument=ASSUME)
        yield found


def request(action: str, target: Target, **given: Any) -> ResponseRequest:
    return ResponseRequest(
        key="0123456789abcdef0123456789abcdef", action=action, target=target, event_id="e",
        rule="r", reason="why", time=NOW, decided=NOW, **given,
    )  # fmt: skip


def done(asked: ResponseRequest, settings: Any = PLAIN, name: str = "aws") -> ResponseResult:
    action, time = actions()[name], Time()
    client = client_for(action, settings, clock=time.clock())
    return carry_out(action, settings, asked, client, clock=time.clock())


def undone(asked: ResponseRequest, result: ResponseResult) -> ResponseResult:
    action, time = actions()["aws"], Time()
    kept = msgspec.json.decode(msgspec.json.encode(result), type=ResponseResult)
    client = client_for(action, AwsSettings(), clock=time.clock())
    return take_back(action, AwsSettings(), asked, kept.undo or {}, client, clock=time.clock())


def test_revoke_denies_a_persons_older_sessions_of_a_shared_role_and_nobody_elses(iam: Any) -> None:
    asked = request("revoke", PERSON)
    result = done(asked)
    assert result.status == "done", result
    name = "QuiviveRevoke-0123456789abcdef"
    document = iam.get_role_policy(RoleName="Developers", PolicyName=name)["PolicyDocument"]
    assert document["Statement"] == [
        {
            "Effect": "Deny",
            "Action": ["*"],
            "Resource": ["*"],
            "Condition": {
                "DateLessThan": {"aws:TokenIssueTime": "2026-03-02T08:14:05Z"},
                "StringEquals": {"aws:userid": "AROAX:ada@example.com"},
            },
        }
    ]
    again = done(asked)  # the first moment stands: whoever signed in since is let alone
    assert again.status == "done"
    assert "PutRolePolicy" not in " ".join(again.asked)
    assert undone(asked, result).status == "undone"
    assert iam.list_role_policies(RoleName="Developers")["PolicyNames"] == []
    assert undone(asked, result).status == "undone"  # gone already


def test_disable_makes_only_the_key_that_was_used_inactive(iam: Any) -> None:
    used, other = (
        iam.create_access_key(UserName="backup")["AccessKey"]["AccessKeyId"] for _ in range(2)
    )
    asked = request("disable", msgspec.structs.replace(USER, credential=used))
    result = done(asked)
    assert result.status == "done"
    assert result.undo == {"keys": [{"user": "backup", "key": used}]}

    def status() -> dict[str, str]:
        found = iam.list_access_keys(UserName="backup")["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in found}

    assert status() == {used: "Inactive", other: "Active"}
    assert done(asked).status == "nothing_to_do"
    assert undone(asked, result).status == "undone"
    assert status() == {used: "Active", other: "Active"}
    assert done(request("disable", USER)).status == "done"
    assert status() == {used: "Inactive", other: "Inactive"}


@pytest.mark.parametrize(
    ("action", "change", "why"),
    [
        ("disable", {"uid": f"arn:aws:sts::{ACCOUNT}:assumed-role/R/s"}, "no access keys"),
        ("revoke", {"uid": f"arn:aws:iam::{ACCOUNT}:root"}, "no ARN"),
        ("revoke", {"uid": "AROAEXAMPLEFOREIGN"}, "no ARN"),
        ("revoke", {"uid": None}, "no ARN"),
        ("revoke", {"product": "Okta"}, "no ARN"),
        ("revoke", {"uid": f"arn:aws:iam::{ACCOUNT}:user/a*b"}, "no name that IAM could have"),
        ("revoke", {"uid": "arn:aws:iam::999999999999:user/backup"}, "of account 999999999999"),
        ("rotate", {}, "does not rotate"),
    ],
)
def test_what_cannot_be_contained_is_refused(
    iam: Any, action: str, change: dict[str, Any], why: str
) -> None:
    target = msgspec.structs.replace(USER, **change)
    result = done(request(action, target), AwsSettings(account=ACCOUNT))
    assert (result.status, result.retry_after) == ("refused", None)
    assert why in result.detail


def test_a_role_that_is_gone_fails_for_good(iam: Any) -> None:
    gone = msgspec.structs.replace(PERSON, uid=f"arn:aws:sts::{ACCOUNT}:assumed-role/Gone/s")
    result = done(request("revoke", gone))
    assert (result.status, result.retry_after) == ("failed", None)
    assert result.detail == "AWS refused (NoSuchEntity)"


@pytest.mark.parametrize("action", ["revoke", "disable"])
def test_a_dry_run_touches_nothing(action: str) -> None:
    asked = request(action, USER, dry_run=True)
    result = carry_out(actions()["aws"], AwsSettings(), asked, None)
    assert result.status == "dry_run"
    assert "iam:" in result.asked[-1]


def test_the_policy_is_one_that_iam_takes() -> None:
    assert json.loads(policy(NOW, None))["Version"] == "2012-10-17"
    assert "userid" not in policy(NOW, None)


def test_secrets_manager_rotates_the_secret_of_the_identity(iam: Any) -> None:
    manager = boto3.client("secretsmanager", region_name="us-east-1")
    manager.create_secret(Name="batch/backup", SecretString="old", ClientRequestToken="0" * 32)
    settings = Settings(secrets={"backup": "batch/backup"})
    asked = request("rotate", USER)
    result = done(asked, settings, "secretsmanager")
    assert result.status == "done", result
    versions = manager.list_secret_version_ids(SecretId="batch/backup")["Versions"]
    assert asked.key in {version["VersionId"] for version in versions}
    assert "old" not in repr(result)
    other = request("rotate", msgspec.structs.replace(USER, identity="mailer"))
    assert done(other, settings, "secretsmanager").status == "refused"
    missing = done(asked, Settings(secrets={"backup": "nowhere"}), "secretsmanager")
    assert (missing.status, missing.retry_after) == ("failed", None)
