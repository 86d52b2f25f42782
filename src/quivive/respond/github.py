"""GitHub: take tokens' access to the organisation, cancel running workflows.

The audit log names a token by a hash that GitHub takes nowhere, so all fine-grained tokens and SSO
authorisations of the person are revoked in the organisation, not one of them.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from quivive.model.response import ResponseRequest, Target
from quivive.respond.errors import RefusedError
from quivive.respond.response import (
    DONE,
    NOTHING,
    Action,
    Outcome,
    Talk,
    entries,
    kept_token,
    member,
    needed,
    only,
    segment,
    signed_jwt,
)
from quivive.respond.secret import Secret

PRODUCTS = ("GitHub",)
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
PAGE = 100
_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}\Z", re.ASCII)
RUNNING = ("in_progress", "queued")


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """organisation: whose tokens. app_id, installation_id, private_key: of the GitHub App.

    logins: the GitHub login of identities that other logs know by another name. sso: whether the
    organisation has SAML single sign-on, whose authorisations are then revoked as well.
    """

    organisation: str
    app_id: int
    installation_id: int
    private_key: Secret
    url: str = "https://api.github.com"
    logins: dict[str, str] = {}
    sso: bool = False


def authorise(settings: Settings, talk: Talk) -> Mapping[str, str]:
    """A token of the app's installation."""
    return {"Authorization": f"Bearer {installation_token(settings, talk)}", **HEADERS}


def installation_token(settings: Settings, talk: Talk) -> str:
    """A token of the app's installation, got with a JWT signed by the app's key."""

    def fetch() -> tuple[str, float]:
        now = talk.now // 1000
        claims = {"iat": now - 60, "exp": now + 540, "iss": str(settings.app_id)}
        signed = signed_jwt(settings.private_key.value(), claims)
        answer = talk.client.send(
            "POST",
            f"/app/installations/{settings.installation_id}/access_tokens",
            headers={"Authorization": f"Bearer {signed}", **HEADERS},
            expect=(201,),
        )
        return member(answer.json(), "token"), 3600.0

    return kept_token(talk, "installation", fetch)


def _login(target: Target, settings: Settings) -> str:
    known = settings.logins.get(target.identity)
    own = target.name if target.product in PRODUCTS else None
    return needed(known or own, "GitHub login; name it under settings.logins")


def _revoke(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    login = _login(request.target, settings)
    org = f"/orgs/{segment(settings.organisation)}"
    tokens = talk.pages(
        f"list the fine-grained tokens of {login}",
        f"{org}/personal-access-tokens",
        params={"owner[]": login},
        stand_in=[{"id": 0}],
        size=PAGE,
    )
    ids = [member(token, "id", int) for token in tokens]
    for start in range(0, len(ids), PAGE):
        talk.change(
            f"revoke the access of {len(ids[start : start + PAGE])} fine-grained tokens of {login}"
            if not talk.dry
            else f"revoke the access of each fine-grained token of {login}",
            "POST",
            f"{org}/personal-access-tokens",
            {"action": "revoke", "pat_ids": ids[start : start + PAGE]},
        )
    found = len(ids)
    if settings.sso:
        keys = talk.pages(
            f"list the single sign-on authorisations of {login}",
            f"{org}/credential-authorizations",
            params={"login": login},
            stand_in=[{"credential_id": 0}],
            size=PAGE,
        )
        for key in keys:
            number = member(key, "credential_id", int)
            talk.change(
                f"revoke single sign-on for credential {number} of {login}",
                "DELETE",
                f"{org}/credential-authorizations/{number}",
                expect=(204, 404),
            )
        found += len(keys)
    return DONE if found else NOTHING


def _cancel(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    repository = _repository(request.target)
    owner, _, name = repository.partition("/")
    if owner.lower() != settings.organisation.lower():
        raise RefusedError(f"{repository} is not of {settings.organisation}")
    base = f"/repos/{segment(owner)}/{segment(name)}/actions/runs"
    if request.target.run is not None:
        runs = [segment(request.target.run)]
    else:
        runs = []
        for status in RUNNING:
            found = talk.look(
                f"list the runs of {repository} that are {status}",
                base,
                params={"status": status, "per_page": str(PAGE)},
                stand_in={"workflow_runs": [{"id": 0}] if status == "in_progress" else []},
            )
            runs += [
                str(member(run, "id", int)) for run in entries(member(found, "workflow_runs", list))
            ]
    cancelled = 0
    for run in runs:
        answer = talk.change(
            f"cancel run {run} of {repository}",
            "POST",
            f"{base}/{run}/cancel",
            expect=(202, 409),  # 409: it has ended already
        )
        cancelled += answer.status == 202
    return DONE if cancelled else NOTHING


def _repository(target: Target) -> str:
    for text in (target.resource, target.name, target.identity):
        found = (text or "").removeprefix("repo:").removeprefix("deploy_key:")
        if _REPOSITORY.match(found):
            return found
    raise RefusedError("the login shows no repository, which cancelling its runs needs")


_ACTIONS = {"revoke": _revoke, "isolate": _cancel}


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Does what is asked."""
    outcome: Outcome = only(request, _ACTIONS)(request, settings, talk)
    return outcome


ACTION = Action(
    name="github",
    title="Revokes tokens' access to the organisation, cancels workflow runs",
    vendor="GitHub",
    does={
        "revoke": (
            "Revokes the access of all the person's fine-grained tokens to the organisation, and"
            " with `sso` their single sign-on authorisations (classic tokens, SSH keys)."
        ),
        "isolate": "Cancels the running and queued workflow runs of the repository.",
    },
    undoes=(),
    products=PRODUCTS,
    settings=Settings,
    privileges=(
        "a GitHub App of your own, installed in the organisation",
        "*Personal access tokens*: read and write, for revoke",
        "*Administration* of the organisation: read and write, only with `sso`",
        "*Actions*: read and write, on the repositories whose runs may be cancelled",
    ),
    documentation="https://docs.github.com/rest/orgs/personal-access-tokens",
    hosts=lambda settings: (settings.url,),
    authorise=authorise,
    perform=perform,
)
