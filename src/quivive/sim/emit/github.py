"""Events of GitHub's audit log as it streams them, one a line."""

import base64
from collections.abc import Iterator
from random import Random
from typing import Any

from quivive.sim.action import CodeAction
from quivive.sim.code import ORG
from quivive.sim.emit.emitter import Emitter, Line, encode

_ORG_ID = 70_418_802
_BUSINESS_ID = 41_177
_TYPES = {
    "repo.create": "create",
    "org.register_self_hosted_runner": "create",
    "repo.create_actions_secret": "create",
    "org_credential_authorization.grant": "create",
    "org.sso_response": "authentication",
    "workflows.completed_workflow_run": "modify",
}


def emit(action: CodeAction, rng: Random) -> Iterator[Line]:
    """One audit event: git events and requests have less, administrative ones more."""
    uid = base64.urlsafe_b64encode(rng.randbytes(16)).decode().rstrip("=")
    when = int(action.time * 1000)
    by, spot, used, details = action.by, action.spot, action.token, dict(action.details)
    record: dict[str, Any] = {"@timestamp": when, "_document_id": uid, "action": action.operation}
    record["actor"] = by.name
    if by.uid:
        record["actor_id"] = by.uid
    if spot.ip:
        record["actor_ip"] = spot.ip
        country = spot.prefix.said(action.time).country if spot.prefix else ""
        record["actor_location"] = {"country_code": country}
    record["actor_is_bot"] = by.bot
    record |= {"business": ORG, "business_id": _BUSINESS_ID}
    if by.email:
        record["external_identity_nameid"] = by.email
    if used:
        record["hashed_token"] = used.digest
        record["programmatic_access_type"] = used.kind
        record["token_id"] = used.number
    record |= {"org": ORG, "org_id": _ORG_ID}
    if action.repo:
        record["repo"] = action.repo
    transport = details.pop("transport", None)
    if transport:
        record |= {
            "repository": action.repo,
            "repository_public": False,
            "transport_protocol": 2 if transport == "ssh" else 1,
            "transport_protocol_name": transport,
        }
    else:
        record["created_at"] = when
        record["operation_type"] = _TYPES.get(action.operation, "access")
        record["request_id"] = f"{rng.getrandbits(80):020X}"
    record |= details
    if action.agent:
        record["user_agent"] = action.agent
    yield Line(encode(record), uid)


EMITTER = Emitter("github", "github.jsonl", (CodeAction,), emit)
