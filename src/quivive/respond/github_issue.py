"""GitHub: open one issue a response in a private repository, found again by a line in its text."""

import re

from msgspec import Struct

from quivive.model.response import ResponseRequest
from quivive.respond._ticket import text, title
from quivive.respond.github import HEADERS
from quivive.respond.response import Action, Outcome, Talk, member, static
from quivive.respond.secret import Secret

LABEL = "quivive"
_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}\Z", re.ASCII)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """repository: ``owner/name``, a private one. token: fine-grained, for that repository only."""

    repository: str
    token: Secret
    url: str = "https://api.github.com"

    def __post_init__(self) -> None:
        """Raises ValueError for what is no repository."""
        if not _REPOSITORY.match(self.repository):
            raise ValueError(f"{self.repository!r} is no repository; write owner/name")


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Opens the issue unless one of the last hundred is it."""
    place = f"/repos/{settings.repository}/issues"
    mark = f"<!-- quivive {request.key} -->"
    last = talk.look(
        "look whether the issue is there already",
        place,
        params={"labels": LABEL, "state": "all", "per_page": "100"},
        headers=HEADERS,
        stand_in=[],
    )
    for issue in last:
        if mark in str(issue.get("body")):
            return Outcome("nothing_to_do", f"it is #{issue.get('number')}")
    fence = "```"
    told = text(request).replace("`", "'")
    answer = talk.change(
        "open an issue",
        "POST",
        place,
        {
            "title": title(request),
            "body": f"{fence}text\n{told}\n{fence}\n{mark}\n",
            "labels": [LABEL],
        },
        headers=HEADERS,
        expect=(201,),
        repeatable=False,
    )
    if talk.dry:
        return Outcome("done")
    return Outcome("done", f"opened #{member(answer.json(), 'number', int)}")


ACTION = Action(
    name="github_issue",
    title="Opens an issue in a repository",
    vendor="GitHub Issues",
    does={"ticket": "Opens an issue in a repository, once. Use a private one."},
    undoes=(),
    products=("*",),
    settings=Settings,
    privileges=("a fine-grained token for that repository alone, with *Issues*: read and write",),
    documentation="https://docs.github.com/rest/issues/issues",
    hosts=lambda settings: (settings.url,),
    authorise=static("Authorization", "Bearer {}"),
    perform=perform,
)
