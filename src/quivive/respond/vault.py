"""HashiCorp Vault and OpenBao: rotate what a machine identity uses, revoke its leases.

Which path belongs to which identity is yours to say; Vault keeps no such list.
"""

import re

from msgspec import Struct

from quivive.model.response import ResponseRequest
from quivive.respond.errors import RefusedError
from quivive.respond.response import DONE, Action, Outcome, Talk, needed, only, static
from quivive.respond.secret import Secret

_PATH = re.compile(r"[\w.@-]+(/[\w.@-]+)*/?\Z", re.ASCII)
_ROTATES = re.compile(r"(^|/)(rotate-root|rotate-role|rotate)(/|\Z)")


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: of Vault. token: Quivive's own.

    rotate: of an identity, the path that rotates its secret, such as ``database/rotate-role/app``.
    leases: of an identity, the prefix of its leases, such as ``aws/creds/deployer``.
    namespace: of Vault Enterprise.
    """

    url: str
    token: Secret
    rotate: dict[str, str] = {}
    leases: dict[str, str] = {}
    namespace: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for what is no path of Vault's, or a path that rotates nothing."""
        for path in (*self.rotate.values(), *self.leases.values()):
            if not _PATH.match(path) or ".." in path:
                raise ValueError(
                    f"{path!r} is no path of Vault's, such as database/rotate-role/app"
                )
        for path in self.rotate.values():
            if not _ROTATES.search(path):
                raise ValueError(f"{path!r} rotates nothing: it holds no rotate, rotate-root, …")


def _headers(settings: Settings) -> dict[str, str]:
    named = {"X-Vault-Namespace": settings.namespace} if settings.namespace else {}
    return {"X-Vault-Request": "true", **named}


def _rotate(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    identity = request.target.identity
    path = needed(settings.rotate.get(identity), f"path under settings.rotate for {identity}")
    talk.change(
        f"rotate the secret of {identity}",
        "POST",
        f"/v1/{path}",
        headers=_headers(settings),
        expect=(200, 204),
        repeatable=False,
    )
    return DONE


def _revoke(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    identity = request.target.identity
    prefix = settings.leases.get(identity)
    accessor = request.target.credential if request.target.product == "Vault" else None
    if prefix is None and accessor is None:
        raise RefusedError(f"no prefix under settings.leases for {identity}, and no accessor known")
    if accessor is not None:
        talk.change(
            f"revoke the token of {identity} by its accessor",
            "POST",
            "/v1/auth/token/revoke-accessor",
            {"accessor": accessor},
            headers=_headers(settings),
            expect=(200, 204),
        )
    if prefix is not None:
        talk.change(
            f"revoke all leases of {identity}",
            "POST",
            f"/v1/sys/leases/revoke-prefix/{prefix}",
            headers=_headers(settings),
            expect=(200, 202, 204),
        )
    return DONE


_ACTIONS = {"rotate": _rotate, "revoke": _revoke}


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Does what is asked."""
    outcome: Outcome = only(request, _ACTIONS)(request, settings, talk)
    return outcome


ACTION = Action(
    name="vault",
    title="Rotates secrets, revokes leases and tokens",
    vendor="HashiCorp Vault",
    does={
        "rotate": "Rotates the secret at the path that the settings name for the identity.",
        "revoke": "Revokes the identity's leases by prefix, and its token where it is known.",
    },
    undoes=(),
    products=("*",),
    settings=Settings,
    privileges=(
        "a policy with `update` on the paths under `rotate` only",
        "`update` and `sudo` on `sys/leases/revoke-prefix/` of the prefixes under `leases`",
        "`update` on `auth/token/revoke-accessor`, where Vault's own log is read",
    ),
    documentation="https://developer.hashicorp.com/vault/api-docs/system/leases",
    hosts=lambda settings: (settings.url,),
    authorise=static("X-Vault-Token", "{}"),
    perform=perform,
)
