"""Kubernetes: take an identity out of its role bindings, delete a service account's tokens.

A binding that names others too keeps them: only this subject is taken out. What was deleted is kept
as a restore note; a token's own content is never read, let alone kept.
"""

from typing import Any

from msgspec import Struct

from quivive.model.response import ResponseRequest, Target
from quivive.respond.errors import RefusedError, RejectedError
from quivive.respond.response import (
    DONE,
    NOTHING,
    Action,
    Outcome,
    Talk,
    entries,
    member,
    needed,
    only,
    segment,
    static,
)
from quivive.respond.secret import Secret

PRODUCTS = ("Kubernetes",)
RBAC = "/apis/rbac.authorization.k8s.io/v1"
_ACCOUNT = "system:serviceaccount:"
_OF_ACCOUNT = "kubernetes.io/service-account.name"
_NAMES_ONLY = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
_JSON_PATCH = {"Content-Type": "application/json-patch+json"}
PAGE = "500"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: of the API server. token: of Quivive's service account.

    cluster_wide: whether cluster role bindings may be changed as well.
    """

    url: str
    token: Secret
    cluster_wide: bool = False


def _account(target: Target) -> tuple[str, str] | None:
    """Namespace and name of a service account; None for a user."""
    name = target.name or ""
    if not name.startswith(_ACCOUNT):
        return None
    namespace, colon, account = name[len(_ACCOUNT) :].partition(":")
    if not (namespace and colon and account):
        raise RefusedError(f"{name!r} is no service account")
    return namespace, account


def _is(subject: Any, target: Target, namespace: str) -> bool:
    """Whether a subject of a binding is the target; groups are nobody in particular."""
    if not isinstance(subject, dict):
        return False
    account = _account(target)
    if subject.get("kind") == "ServiceAccount":
        return account == (subject.get("namespace") or namespace, subject.get("name"))
    return subject.get("kind") == "User" and subject.get("name") == target.name


def _listed(talk: Talk, words: str, path: str) -> list[Any]:
    """All items of a list, page by page."""
    found: list[Any] = []
    token = ""
    for _ in range(40):
        page = talk.look(
            words,
            path,
            params={"limit": PAGE} | ({"continue": token} if token else {}),
            stand_in={"items": []},
        )
        found += entries(member(page, "items", list))
        token = (page.get("metadata") or {}).get("continue") or ""
        if not token:
            return found
    raise RefusedError("more than 20,000 bindings; do this one by hand")


def _unbind(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    target = request.target
    name = needed(target.name, "user name")
    if name.startswith("system:") and not name.startswith(_ACCOUNT):
        raise RefusedError(f"{name} is a part of the cluster itself; not touched")
    kinds = ["rolebindings"] + (["clusterrolebindings"] if settings.cluster_wide else [])
    noted = talk.undo.setdefault("bindings", [])
    if talk.dry:
        talk.asked.append(f"in each binding that names {name}: take it out, or delete the binding"
                          " where it is the only subject")  # fmt: skip
    for kind in kinds:
        for binding in _listed(talk, f"look which {kind} name {name}", f"{RBAC}/{kind}"):
            subjects = binding.get("subjects") or []
            meta = binding.get("metadata") or {}
            space = str(meta.get("namespace") or "")
            if not any(_is(s, target, space) for s in subjects):
                continue
            others = [s for s in subjects if not _is(s, target, space)]
            place = f"{RBAC}/namespaces/{segment(space)}/{kind}" if space else f"{RBAC}/{kind}"
            path = f"{place}/{segment(member(meta, 'name'))}"
            noted.append({"place": place, "path": path, "object": _clean(binding, kind, space)})
            if others:
                talk.change(
                    f"take {name} out of {kind} {meta['name']}",
                    "PATCH",
                    path,
                    [
                        {"op": "test", "path": "/metadata/resourceVersion",
                         "value": meta.get("resourceVersion")},
                        {"op": "replace", "path": "/subjects", "value": others},
                    ],
                    headers=_JSON_PATCH,
                )  # fmt: skip
            else:
                talk.change(
                    f"delete {kind} {meta['name']}, which names {name} alone",
                    "DELETE",
                    path,
                    {"kind": "DeleteOptions", "apiVersion": "v1",
                     "preconditions": {"uid": meta.get("uid")}},
                    expect=(200, 202, 404),
                )  # fmt: skip
    if not noted and not talk.dry:
        talk.undo.clear()
        groups = "; what it may do comes from groups, which are taken away where they are given"
        return Outcome("nothing_to_do", f"no binding names {name}{groups}")
    return DONE


def _clean(binding: dict[str, Any], kind: str, namespace: str) -> dict[str, Any]:
    """A binding as it can be made again."""
    meta = binding.get("metadata") or {}
    kept = {k: meta[k] for k in ("name", "labels", "annotations") if meta.get(k)}
    if namespace:
        kept["namespace"] = namespace
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding" if kind == "rolebindings" else "ClusterRoleBinding",
        "metadata": kept,
        "subjects": binding.get("subjects"),
        "roleRef": binding.get("roleRef"),
    }


def _tokens(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Deletes a service account's token secrets; a person's access can only be unbound."""
    account = _account(request.target)
    if account is None:
        return _unbind(request, settings, talk)
    namespace, name = account
    place = f"/api/v1/namespaces/{segment(namespace)}/secrets"
    found = talk.look(
        f"list the token secrets of {namespace}, their names only",
        place,
        params={"fieldSelector": "type=kubernetes.io/service-account-token", "limit": PAGE},
        headers=_NAMES_ONLY,
        stand_in={"items": [{"metadata": {"name": f"(each token of {name})",
                                          "annotations": {_OF_ACCOUNT: name}}}]},
    )  # fmt: skip
    noted = talk.undo.setdefault("secrets", [])
    for item in entries(member(found, "items", list)):
        meta = item.get("metadata") or {}
        if (meta.get("annotations") or {}).get(_OF_ACCOUNT) != name:
            continue
        secret = str(meta.get("name"))
        noted.append({"place": place, "name": secret, "account": name})
        talk.change(
            f"delete token secret {secret}",
            "DELETE",
            f"{place}/{secret if talk.dry else segment(secret)}",
            expect=(200, 202, 404),
        )
    if not noted:
        talk.undo.clear()
        unbound = _unbind(request, settings, talk)  # its tokens are short-lived: take its rights
        if unbound.status == "done":
            return Outcome("done", "it has no token secrets; its role bindings were taken instead")
        return unbound
    return DONE


_ACTIONS = {"isolate": _unbind, "revoke": _tokens, "rotate": _tokens}


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Does what is asked."""
    if request.action == "rotate" and _account(request.target) is None:
        raise RefusedError("a person's credentials are not Kubernetes' to rotate")
    outcome: Outcome = only(request, _ACTIONS)(request, settings, talk)
    return outcome


def undo(request: ResponseRequest, undo: dict[str, Any], settings: Settings, talk: Talk) -> Outcome:
    """Makes the bindings again as they were, and empty token secrets that the cluster fills."""
    changed = 0
    for note in undo.get("bindings", ()):
        whole, path = note["object"], note["path"]
        if not path.startswith(f"{RBAC}/") or "//" in path:
            raise RejectedError("the restore note was changed")
        there = talk.look(
            f"look up {whole['metadata']['name']}", path, stand_in={}, missing={"gone": True}
        )
        if there.get("gone"):
            talk.change("make the binding again", "POST", note["place"], whole)
        elif there.get("subjects") != whole["subjects"]:
            talk.change(
                "give the binding its subjects back",
                "PATCH",
                path,
                [{"op": "replace", "path": "/subjects", "value": whole["subjects"]}],
                headers=_JSON_PATCH,
            )
        else:
            continue
        changed += 1
    for note in undo.get("secrets", ()):
        talk.change(
            f"make an empty token secret {note['name']}, which the cluster fills with a new token",
            "POST",
            note["place"],
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": "kubernetes.io/service-account-token",
                "metadata": {
                    "name": note["name"],
                    "annotations": {_OF_ACCOUNT: note["account"]},
                },
            },
            expect=(200, 201, 409),
        )
        changed += 1
    return DONE if changed or talk.dry else NOTHING


ACTION = Action(
    name="kubernetes",
    title="Takes identities out of role bindings, deletes service accounts' tokens",
    vendor="Kubernetes",
    does={
        "isolate": "Takes the identity out of every role binding that names it.",
        "revoke": "Deletes a service account's token secrets; unbinds a person, or where none are.",
        "rotate": "Deletes a service account's token secrets, so that a new one must be made.",
    },
    undoes=("isolate", "revoke", "rotate"),
    products=PRODUCTS,
    settings=Settings,
    privileges=(
        "`list`, `get`, `patch`, `delete`, `create` on `rolebindings`, cluster-wide to list",
        "the same on `clusterrolebindings` only with `cluster_wide`",
        "`bind` on the roles that it must be able to give back",
        "`list`, `delete`, `create` on `secrets`, where service accounts' tokens may be deleted",
    ),
    documentation="https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/role-binding-v1/",
    hosts=lambda settings: (settings.url,),
    authorise=static("Authorization", "Bearer {}"),
    perform=perform,
    undo=undo,
)
