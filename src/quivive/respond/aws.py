"""AWS IAM: deny sessions older than now, make access keys inactive."""

import re
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from quivive.model.response import ResponseRequest, Target
from quivive.respond._aws import AwsSettings, ask, service
from quivive.respond.errors import RefusedError, RejectedError
from quivive.respond.response import DONE, NOTHING, Action, Outcome, Talk, member, only

PRODUCTS = ("CloudTrail",)
_ARN = re.compile(
    r"arn:(?:aws|aws-us-gov|aws-cn):(?:iam|sts)::(?P<account>\d{12}):"
    r"(?P<kind>user|role|assumed-role)/(?P<rest>[\x21-\x7e]+)\Z"
)
_NAME = re.compile(r"[\w+=,.@-]{1,128}\Z", re.ASCII)


class Principal(Struct, frozen=True):
    """An IAM user or role; ``session`` is the ``aws:userid`` of one person's use of a role."""

    kind: str
    name: str
    session: str | None = None


def principal(target: Target, settings: AwsSettings) -> Principal:
    """Whom IAM knows the target as. Raises RefusedError for the root user and for strangers."""
    found = _ARN.match(target.uid or "") if target.product in PRODUCTS else None
    if found is None:
        raise RefusedError("the login shows no ARN of an IAM user or role")
    if settings.account is not None and found["account"] != settings.account:
        raise RefusedError(f"the login is of account {found['account']}, not {settings.account}")
    parts = found["rest"].split("/")
    name = parts[0] if found["kind"] == "assumed-role" else parts[-1]
    if not _NAME.match(name):
        raise RefusedError("the login's ARN holds no name that IAM could have")
    if found["kind"] == "user":
        return Principal("user", name)
    alone = target.uid_alt if target.kind == "human" and ":" in (target.uid_alt or "") else None
    return Principal("role", name, alone)


def policy(before_ms: int, session: str | None) -> str:
    """An inline policy that denies everything to credentials issued before a moment.

    A role that many people take is denied only to the one ``session`` name.
    """
    before = datetime.fromtimestamp(before_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition: dict[str, object] = {"DateLessThan": {"aws:TokenIssueTime": before}}
    if session is not None:
        condition["StringEquals"] = {"aws:userid": session}
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition}
    return msgspec.json.encode({"Version": "2012-10-17", "Statement": [statement]}).decode()


def _revoke(request: ResponseRequest, settings: AwsSettings, talk: Talk) -> Outcome:
    who = principal(request.target, settings)
    name = f"QuiviveRevoke-{request.key[:16]}"
    iam = service(settings, "iam", talk)
    ask_for = {"PolicyName": name, f"{who.kind.title()}Name": who.name}
    talk.undo |= {"policy": name, "kind": who.kind, "name": who.name}
    if _there(talk, iam, who, ask_for):
        return DONE  # an earlier attempt got through; its moment stands
    document = policy(talk.now, who.session)
    whose = f" of {who.session}" if who.session else ""
    ask(
        talk,
        f"deny {who.kind} {who.name} all sessions{whose} older than now:"
        f" iam:Put{who.kind.title()}Policy {name} {document}",
        lambda: getattr(iam, f"put_{who.kind}_policy")(PolicyDocument=document, **ask_for),
    )
    if who.kind == "user":
        return Outcome("done", "an access key of the user is no session: disable covers it")
    return DONE


def _there(talk: Talk, iam: Any, who: Principal, ask_for: dict[str, str]) -> bool:
    try:
        found = ask(
            talk,
            f"look whether it was done already: iam:Get{who.kind.title()}Policy",
            lambda: getattr(iam, f"get_{who.kind}_policy")(**ask_for),
        )
    except RejectedError as error:
        if error.status != 404:
            raise
        return False
    return found is not None


def _disable(request: ResponseRequest, settings: AwsSettings, talk: Talk) -> Outcome:
    """The key that was used, else all keys of the user."""
    who = principal(request.target, settings)
    if who.kind != "user":
        raise RefusedError("a role has no access keys of its own; revoke its sessions instead")
    iam = service(settings, "iam", talk)
    used = request.target.credential or ""
    used = used if used.startswith("AKIA") else ""
    listed = ask(
        talk,
        f"list the access keys of {who.name}: iam:ListAccessKeys",
        lambda: iam.list_access_keys(UserName=who.name),
        {"AccessKeyMetadata": [{"AccessKeyId": used or "(each active key)", "Status": "Active"}]},
    )
    active = [
        member(key, "AccessKeyId")
        for key in member(listed, "AccessKeyMetadata", list)
        if key.get("Status") == "Active" and used in ("", key.get("AccessKeyId"))
    ]
    keys = talk.undo.setdefault("keys", [])
    for key in active:
        ask(
            talk,
            f"make access key {key} of {who.name} inactive: iam:UpdateAccessKey",
            partial(_set_key, iam, who.name, key, "Inactive"),
        )
        keys.append({"user": who.name, "key": key})
    if not keys:
        talk.undo.clear()
    return DONE if active else NOTHING


def _set_key(iam: Any, user: str, key: str, status: str) -> Any:
    return iam.update_access_key(UserName=user, AccessKeyId=key, Status=status)


_ACTIONS = {"revoke": _revoke, "disable": _disable}


def perform(request: ResponseRequest, settings: AwsSettings, talk: Talk) -> Outcome:
    """Does what is asked."""
    outcome: Outcome = only(request, _ACTIONS)(request, settings, talk)
    return outcome


def undo(
    request: ResponseRequest, undo: dict[str, Any], settings: AwsSettings, talk: Talk
) -> Outcome:
    """Deletes the policy, or makes the keys active again."""
    iam = service(settings, "iam", talk)
    if "policy" in undo:
        kind = "role" if undo.get("kind") == "role" else "user"
        named = {"PolicyName": member(undo, "policy"), f"{kind.title()}Name": member(undo, "name")}
        try:
            ask(
                talk,
                f"delete inline policy {named['PolicyName']}: iam:Delete{kind.title()}Policy",
                lambda: getattr(iam, f"delete_{kind}_policy")(**named),
            )
        except RejectedError as error:
            if error.status != 404:
                raise
            return NOTHING
        return DONE
    for key in member(undo, "keys", list):
        ask(
            talk,
            f"make access key {key['key']} active again: iam:UpdateAccessKey",
            partial(_set_key, iam, key["user"], key["key"], "Active"),
        )
    return DONE


ACTION = Action(
    name="aws",
    title="Denies older sessions, makes access keys inactive",
    vendor="AWS IAM",
    does={
        "revoke": (
            "Puts an inline policy on the user or role that denies everything to credentials issued"
            " before now; on a role that people share, only to this person's sessions."
        ),
        "disable": "Makes the access key that was used inactive; all keys where none is known.",
    },
    undoes=("disable", "revoke"),
    products=PRODUCTS,
    settings=AwsSettings,
    privileges=(
        (
            "`iam:GetRolePolicy`, `iam:PutRolePolicy`, `iam:DeleteRolePolicy`, `iam:GetUserPolicy`,"
            " `iam:PutUserPolicy`, `iam:DeleteUserPolicy` for revoke"
        ),
        "`iam:ListAccessKeys`, `iam:UpdateAccessKey` for disable",
        "on the users and roles that may be contained only, not on Quivive's own",
    ),
    documentation="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html",
    hosts=lambda settings: ("https://iam.amazonaws.com",),
    authorise=lambda settings, talk: {},
    perform=perform,
    undo=undo,
)
