"""Opsgenie: the Alert API. An incident is one alert: its id is the ``alias``."""

from urllib.parse import quote

import msgspec
from msgspec import Struct

from quivive.model.notification import Notification
from quivive.notify import text
from quivive.notify.notifier import Notifier, Post, Read, Secret

URL = "https://api.opsgenie.com/v2/alerts"
MESSAGE, ALIAS, DESCRIPTION, ENTITY, TAG = 130, 512, 15_000, 512, 50


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """api_key: of an API integration. url: of the EU region, where that is used. team: who is
    called, by the team's name.
    """

    api_key: Secret
    url: str = URL
    team: str | None = None


def compose(note: Notification, settings: Settings, read: Read, _: int) -> Post:
    """Creates an alert, or closes that of an incident that was closed."""
    alias = text.clean(note.thread, ALIAS)
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"GenieKey {read(settings.api_key)}",
    }
    if note.what == "closed":
        url = f"{settings.url}/{quote(alias, safe='')}/close?identifierType=alias"
        body: dict[str, object] = {"source": "quivive", "note": text.headline(note)}
        return Post(url=url, headers=headers, body=msgspec.json.encode(body))
    details = dict(text.facts(note))
    details |= dict(text.links(note))
    body = {
        "message": text.headline(note, MESSAGE - 8)[:MESSAGE],
        "alias": alias,
        "description": text.plain(note)[:DESCRIPTION],
        "priority": note.priority,
        "source": "quivive",
        "entity": text.shown(note.identity or note.about, ENTITY - 8),
        "tags": [note.about, note.what, note.route, *note.attack][:20],
        "details": details,
    }
    if settings.team is not None:
        body["responders"] = [{"type": "team", "name": settings.team}]
    return Post(url=settings.url, headers=headers, body=msgspec.json.encode(body))


NOTIFIER = Notifier(
    name="opsgenie",
    title="Opsgenie, Alert API",
    documentation="https://docs.opsgenie.com/docs/alert-api",
    settings=Settings,
    compose=compose,
    repeats="folded",
    closes=True,
)
