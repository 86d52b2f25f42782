"""Kubernetes API server audit events, one a line, at level Metadata."""

from collections.abc import Iterator
from random import Random
from typing import Any

from quivive.sim.action import ClusterCall, Outcome
from quivive.sim.clients import uuid
from quivive.sim.emit.emitter import Emitter, Line, encode, stamp

_GROUPS = {"deployments": "apps", "endpoints": "", "certificates": "cert-manager.io",
           "clusterroles": "rbac.authorization.k8s.io", "daemonsets": "apps",
           "rolebindings": "rbac.authorization.k8s.io",
           "clusterrolebindings": "rbac.authorization.k8s.io",
           "selfsubjectrulesreviews": "authorization.k8s.io"}  # fmt: skip
_CODES = {"create": 201}


def emit(action: ClusterCall, rng: Random) -> Iterator[Line]:
    """One request, at stage ResponseComplete."""
    verb, _, target = action.operation.partition(" ")
    resource, _, subresource = target.partition("/")
    group = _GROUPS.get(resource, "")
    base = f"/apis/{group}/v1" if group else "/api/v1"
    name = action.name
    if not name and verb != "list" and not (verb == "create" and not subresource):
        name = f"{resource.rstrip('s')}-{rng.randrange(16**5):05x}"
    path = f"{base}/namespaces/{action.namespace}/{resource}"
    path += (f"/{name}" if name else "") + (f"/{subresource}" if subresource else "")
    uid = uuid(rng)
    allowed = action.outcome is not Outcome.NOT_ALLOWED
    user: dict[str, Any] = {"username": action.user}
    if action.uid:
        user["uid"] = action.uid
    user["groups"] = list(action.groups)
    if action.pod:
        user["extra"] = {"authentication.kubernetes.io/pod-name": [action.pod]}
    reference = {"resource": resource, "namespace": action.namespace}
    if name:
        reference["name"] = name
    if group:
        reference["apiGroup"] = group
    reference["apiVersion"] = "v1"
    if subresource:
        reference["subresource"] = subresource
    code = 101 if subresource == "exec" else _CODES.get(verb, 200)
    record = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": uid,
        "stage": "ResponseComplete",
        "requestURI": path + ("?limit=500" if verb == "list" else ""),
        "verb": verb,
        "user": user,
        "sourceIPs": [action.spot.ip],
        "userAgent": action.agent,
        "objectRef": reference,
        "responseStatus": {"metadata": {}, "code": code}
        if allowed
        else {"metadata": {}, "status": "Failure", "reason": "Forbidden", "code": 403},
        "requestReceivedTimestamp": stamp(action.time, 6),
        "stageTimestamp": stamp(action.time + rng.uniform(0.002, 0.02), 6),
        "annotations": {
            "authorization.k8s.io/decision": "allow" if allowed else "forbid",
            "authorization.k8s.io/reason": "",
        },
    }
    yield Line(encode(record), uid)


EMITTER = Emitter("kubernetes", "kubernetes.jsonl", (ClusterCall,), emit)
