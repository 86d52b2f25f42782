"""PagerDuty: Events API v2. An incident is one alert: its id is the ``dedup_key``."""

from typing import Any

import msgspec
from msgspec import Struct

from quivive.model.notification import Notification
from quivive.notify import text
from quivive.notify.notifier import Answer, Notifier, Post, Read, Secret

URL = "https://events.pagerduty.com/v2/enqueue"
SUMMARY, KEY = 1024, 255
SEVERITIES = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info"}


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """routing_key: the integration key of the service. url: of the EU region, where that is used.
    source: what PagerDuty shows as the origin.
    """

    routing_key: Secret
    url: str = URL
    source: str = "quivive"


def compose(note: Notification, settings: Settings, read: Read, _: int) -> Post:
    """A trigger, or a resolve for what was closed."""
    event: dict[str, Any] = {
        "routing_key": read(settings.routing_key),
        "event_action": "resolve" if note.what == "closed" else "trigger",
        "dedup_key": text.clean(note.thread, KEY),
    }
    if note.what != "closed":
        details: dict[str, Any] = dict(text.facts(note))
        if note.text:
            details["Details"] = [text.shown(line, 1000) for line in note.text]
        if note.reasons:
            details["Why"] = text.reasons(note)
        for label, this, before in text.sides(note):
            details[f"This login: {label}"] = this
            if note.previous is not None:
                details[f"Previous login: {label}"] = before
        event["payload"] = {
            "summary": text.headline(note, SUMMARY - 8),
            "source": settings.source,
            "severity": SEVERITIES.get(note.priority, "warning"),
            "timestamp": text.iso(note.time),
            "component": text.shown(note.services[0], 200) if note.services else "logins",
            "group": note.about,
            "class": note.what,
            "custom_details": details,
        }
        event["links"] = [{"href": url, "text": label} for label, url in text.links(note)]
        event["client"] = "Quivive"
        if note.link:
            event["client_url"] = note.link
    return Post(
        url=settings.url,
        headers={"Content-Type": "application/json"},
        body=msgspec.json.encode(event),
    )


def accepted(answer: Answer) -> bool:
    """Accepted events are answered with 202."""
    return answer.status == 202


NOTIFIER = Notifier(
    name="pagerduty",
    title="PagerDuty, Events API v2",
    documentation="https://developer.pagerduty.com/docs/events-api-v2/trigger-events/",
    settings=Settings,
    compose=compose,
    repeats="folded",
    closes=True,
    accepted=accepted,
)
