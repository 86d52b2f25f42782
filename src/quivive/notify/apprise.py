"""All other channels, by way of apprise (``pip install quivive[notify]``): plain text."""

from msgspec import Struct

from quivive.model.notification import Notification
from quivive.notify import text
from quivive.notify.notifier import Apprise, Notifier, Read, Secret

KINDS = {"P1": "failure", "P2": "failure", "P3": "warning", "P4": "info"}


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """urls: apprise URLs, one a line or between spaces; they hold passwords."""

    urls: Secret


def compose(note: Notification, settings: Settings, read: Read, _: int) -> Apprise:
    """Title and text."""
    title, body = text.plain(note).split("\n", 1)
    return Apprise(
        urls=tuple(read(settings.urls).split()),
        title=title,
        body=body.strip(),
        kind=KINDS.get(note.priority, "info"),
    )


NOTIFIER = Notifier(
    name="apprise",
    title="More than a hundred others, by apprise",
    documentation="https://github.com/caronc/apprise",
    settings=Settings,
    compose=compose,
    repeats="shown",
)
