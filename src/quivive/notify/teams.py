"""Microsoft Teams: an Adaptive Card posted to a workflow's webhook.

``TextBlock`` and ``FactSet`` read Markdown, so that all that comes out of a log stands in text
runs, which do not.
"""

from typing import Any

import msgspec
from msgspec import Struct

from quivive.model.notification import Notification
from quivive.notify import text
from quivive.notify.notifier import Notifier, Post, Read, Secret

MOST_ACTIONS = 6
COLOURS = {"P1": "Attention", "P2": "Attention", "P3": "Warning", "P4": "Default"}


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: of the workflow "When a Teams webhook request is received", which is its password."""

    url: Secret


def compose(note: Notification, settings: Settings, read: Read, _: int) -> Post:
    """One card: title, facts, reasons, both logins, buttons."""
    title = _runs(text.headline(note), weight="Bolder", size="Large")
    title["inlines"][0]["color"] = COLOURS.get(note.priority, "Default")
    body: list[dict[str, Any]] = [title]
    body += [_runs(text.shown(line, 500)) for line in note.text[:20]]
    body += [_row((label, value), header=True) for label, value in text.facts(note)]
    if note.reasons:
        body.append(_runs("Why", weight="Bolder"))
        body += [_runs(f"• {reason}") for reason in text.reasons(note)]
    sides = text.sides(note)
    if sides:
        both = note.previous is not None
        head = ("", "This login", "The previous one") if both else ("", "This login")
        body.append(_row(head, header=True, bold=True))
        body += [_row(side if both else side[:2], header=True) for side in sides]
    if note.more:
        body.append(_runs(f"and {note.more} more"))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": text.headline(note),
        "body": body,
        "actions": [
            {"type": "Action.OpenUrl", "title": label[:40], "url": url}
            for label, url in text.links(note)
        ][:MOST_ACTIONS],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return Post(
        url=read(settings.url),
        headers={"Content-Type": "application/json"},
        body=msgspec.json.encode({"type": "message", "attachments": [attachment]}),
    )


def _runs(said: str, **style: str) -> dict[str, Any]:
    run = {"type": "TextRun", "text": said or "-", **style}
    return {"type": "RichTextBlock", "inlines": [run]}


def _row(cells: tuple[str, ...], *, header: bool, bold: bool = False) -> dict[str, Any]:
    columns = []
    for number, cell in enumerate(cells):
        strong = {"weight": "Bolder"} if bold or (header and number == 0) else {}
        width = "auto" if number == 0 else "stretch"
        columns.append({"type": "Column", "width": width, "items": [_runs(cell, **strong)]})
    return {"type": "ColumnSet", "spacing": "Small", "columns": columns}


NOTIFIER = Notifier(
    name="teams",
    title="Microsoft Teams, by a workflow's webhook",
    documentation=(
        "https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/"
        "how-to/connectors-using"
    ),
    settings=Settings,
    compose=compose,
    repeats="shown",
)
