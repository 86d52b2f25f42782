"""Jira Cloud: open one issue a response, found again by a label."""

import base64
from collections.abc import Mapping

from msgspec import Struct

from quivive.model.response import ResponseRequest
from quivive.respond._ticket import facts, title
from quivive.respond.response import Action, Outcome, Talk, entries, member
from quivive.respond.secret import Secret


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: of the site. user, token: an account's e-mail and API token. project: its key.

    issue_type: by name.
    """

    url: str
    user: str
    token: Secret
    project: str
    issue_type: str = "Task"

    def __post_init__(self) -> None:
        """Raises ValueError for a project that is no key."""
        if not (self.project.isascii() and self.project.replace("_", "").isalnum()):
            raise ValueError(f"{self.project!r} is no key of a project, such as SEC")


def authorise(settings: Settings, talk: Talk) -> Mapping[str, str]:
    """Basic authentication with an API token."""
    pair = f"{settings.user}:{settings.token.value()}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Opens the issue unless it is there."""
    label = f"quivive-{request.key}"
    found = talk.look(
        "look whether the issue is there already",
        "/rest/api/3/search/jql",
        method="POST",
        body={
            "jql": f'project = "{settings.project}" AND labels = "{label}"',
            "fields": ["summary"],
            "maxResults": 1,
        },
        stand_in={"issues": []},
    )
    if known := entries(member(found, "issues", list)):
        return Outcome("nothing_to_do", f"it is {known[0].get('key')}")
    lines = [
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": f"{name}: ", "marks": [{"type": "strong"}]},
                {"type": "text", "text": value},
            ],
        }
        for name, value in facts(request)
    ]
    answer = talk.change(
        "open an issue",
        "POST",
        "/rest/api/3/issue",
        {
            "fields": {
                "project": {"key": settings.project},
                "issuetype": {"name": settings.issue_type},
                "summary": title(request),
                "labels": ["quivive", label],
                "description": {"type": "doc", "version": 1, "content": lines},
            }
        },
        expect=(201,),
        repeatable=False,
    )
    if talk.dry:
        return Outcome("done")
    return Outcome("done", f"opened {member(answer.json(), 'key')}")


ACTION = Action(
    name="jira",
    title="Opens an issue",
    vendor="Jira Cloud",
    does={"ticket": "Opens an issue in the project, once."},
    undoes=(),
    products=("*",),
    settings=Settings,
    privileges=(
        "*Browse Projects* and *Create Issues* in that project, for an account of its own",
    ),
    documentation="https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/",
    hosts=lambda settings: (settings.url,),
    authorise=authorise,
    perform=perform,
)
