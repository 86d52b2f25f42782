"""Slack: an incoming webhook, Block Kit. Everything from a log is ``plain_text``: no markup."""

from typing import Any

import msgspec
from msgspec import Struct

from quivive.model.notification import Notification
from quivive.notify import text
from quivive.notify.notifier import Notifier, Post, Read, Secret

HEADER, FIELD, SECTION, FIELDS = 150, 300, 2_900, 10  # Block Kit's limits, some to spare


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: the incoming webhook's URL, which is its password."""

    url: Secret


def compose(note: Notification, settings: Settings, read: Read, _: int) -> Post:
    """One message of header, facts, reasons, both logins, buttons."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(text.headline(note, HEADER - 8)[:HEADER])}
    ]
    if note.text:
        said = "\n".join(text.shown(line, 500) for line in note.text[:20])
        blocks.append({"type": "section", "text": _plain(said[:SECTION])})
    fields = [_plain(f"{label}: {value}"[:FIELD]) for label, value in text.facts(note)]
    blocks += [
        {"type": "section", "fields": fields[start : start + FIELDS]}
        for start in range(0, len(fields), FIELDS)
    ]
    if note.reasons:
        said = "\n".join(["Why", *(f"• {reason}" for reason in text.reasons(note))])
        blocks.append({"type": "section", "text": _plain(said[:SECTION])})
    sides = text.sides(note)
    if sides:
        both = note.previous is not None
        titles = ["This login" + (" | the previous one" if both else "")]
        rows = [f"{n}: {new}" + (f" | {old}" if both else "") for n, new, old in sides]
        said = "\n".join(titles + rows)
        blocks.append({"type": "section", "text": _plain(said[:SECTION])})
    if note.more:
        blocks.append({"type": "context", "elements": [_plain(f"and {note.more} more")]})
    buttons = [
        {
            "type": "button",
            "text": _plain(label[:75]),
            "url": url,
            "action_id": f"quivive-{number}",
        }
        for number, (label, url) in enumerate(text.links(note))
    ]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons[:25]})
    fallback = text.headline(note).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    body = {"text": fallback, "unfurl_links": False, "unfurl_media": False, "blocks": blocks}
    return Post(
        url=read(settings.url),
        headers={"Content-Type": "application/json"},
        body=msgspec.json.encode(body),
    )


def _plain(said: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": said or "-", "emoji": False}


NOTIFIER = Notifier(
    name="slack",
    title="Slack, by an incoming webhook",
    documentation="https://api.slack.com/messaging/webhooks",
    settings=Settings,
    compose=compose,
    repeats="shown",
)
