"""Microsoft Entra ID directory audits, as Microsoft Graph exports them."""

from collections.abc import Iterator
from random import Random
from typing import Any

from quivive.sim.action import Account, DirectoryChange
from quivive.sim.clients import uuid
from quivive.sim.emit.emitter import Emitter, Line, encode, stamp

_SERVICES = {
    "Reset password (self-service)": "Self-service Password Management",
    "Change password (self-service)": "Self-service Password Management",
    "Reset user password": "Core Directory",
    "Add service principal credentials": "Core Directory",
    "Suspicious activity reported": "Azure MFA",
}
_VERBS = {
    "User registered security info": "User registered {}",
    "User deleted security info": "User deleted {}",
    "Admin deleted security info": "Admin deleted {} for user",
}


def emit(action: DirectoryChange, rng: Random) -> Iterator[Line]:
    """One change of a password or factor."""
    uid = f"Directory_{uuid(rng)}_{rng.randrange(36**5):05X}_{rng.randrange(10**8)}"
    by = action.by or action.account
    failed = action.detail == "fail"
    reason = _VERBS.get(action.operation, "{}").format(action.detail)
    details: list[dict[str, str]] = []
    if action.agent:
        details.append({"key": "User-Agent", "value": action.agent})
    record: dict[str, Any] = {
        "id": uid,
        "category": "UserManagement",
        "correlationId": uuid(rng),
        "result": "failure" if failed else "success",
        "resultReason": "The verification code is not correct" if failed else reason,
        "activityDisplayName": action.operation,
        "activityDateTime": stamp(action.time, 6),
        "loggedByService": _SERVICES.get(action.operation, "Authentication Methods"),
        "operationType": "Update",
        "initiatedBy": {"app": None, "user": _user(by) | {"ipAddress": action.spot.ip}},
        "targetResources": [_user(action.account) | {"type": "User", "modifiedProperties": []}],
        "additionalDetails": details,
    }
    yield Line(encode(record), uid)


def _user(account: Account) -> dict[str, Any]:
    return {
        "id": account.uid,
        "displayName": account.name,
        "userPrincipalName": account.email,
    }


EMITTER = Emitter("entra_audits", "entra_audits.jsonl", (DirectoryChange,), emit, vendor="entra")
