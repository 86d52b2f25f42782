"""E-mail over SMTP: plain text and HTML, one thread an incident."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from msgspec import Struct

from quivive.model.notification import Notification
from quivive.notify import text
from quivive.notify.notifier import Mail, Notifier, Read, Secret

_STYLE = "font:14px/1.4 sans-serif;color:#1a1a1a"
_CELL = "padding:2px 12px 2px 0;vertical-align:top;text-align:left"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """host, port: the mail server; tls: "starttls", "tls" or "none". sender: From; to: To. user and
    password: for servers that ask for them.
    """

    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    tls: str = "starttls"
    user: str | None = None
    password: Secret | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for what no mail can be sent with."""
        if self.tls not in ("starttls", "tls", "none"):
            raise ValueError('tls is "starttls", "tls" or "none"')
        if self.tls == "none" and self.password is not None:
            raise ValueError("a password needs tls: starttls or tls")
        if not self.to:
            raise ValueError("to: name somebody")
        if not 1 <= self.port <= 65535:
            raise ValueError("port: 1 to 65535")
        for address in (self.sender, *self.to):
            if "@" not in address or any(not c.isprintable() for c in address):
                raise ValueError(f"{address!r} is no address")


def compose(note: Notification, settings: Settings, read: Read, now: int) -> Mail:
    """A mail with the same content twice. Its Message-ID is the notification's key."""
    domain = settings.sender.rpartition("@")[2].strip(">")
    thread = f"<{_digest(note.thread)}@{domain}>"
    message = EmailMessage()
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.to)
    message["Subject"] = text.headline(note, 150)
    message["Date"] = format_datetime(_date(now))
    message["Message-ID"] = f"<{_digest(note.key)}@{domain}>"
    message["References"] = thread
    message["In-Reply-To"] = thread
    message["Auto-Submitted"] = "auto-generated"
    message["X-Quivive-Key"] = text.clean(note.key, 100)
    message["Importance"] = "high" if note.route == "page" else "normal"
    message.set_content(text.plain(note), cte="quoted-printable")
    message.add_alternative(_html(note), subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{_digest(note.key + thread)}")
    return Mail(
        host=settings.host,
        port=settings.port,
        tls=settings.tls,
        message=message,
        user=settings.user,
        password=read(settings.password) if settings.password is not None else None,
    )


def _html(note: Notification) -> str:
    parts = [f"<h2>{escape(text.headline(note))}</h2>"]
    parts += [f"<p>{escape(text.shown(line, 1000))}</p>" for line in note.text]
    parts.append(_table(text.facts(note)))
    if note.reasons:
        told = "".join(f"<li>{escape(reason)}</li>" for reason in text.reasons(note))
        parts.append(f"<h3>Why</h3><ul>{told}</ul>")
    sides = text.sides(note)
    if sides:
        both = note.previous is not None
        head = ("", "This login", "The previous one")
        rows = [head, *sides] if both else [side[:2] for side in sides]
        parts.append(f"<h3>The login</h3>{_table(rows)}")
    if note.more:
        parts.append(f"<p>and {note.more} more</p>")
    links = text.links(note)
    anchors = [f'<a href="{escape(url)}">{escape(label)}</a>' for label, url in links]
    parts.append(f"<p>{' · '.join(anchors)}</p>" if anchors else "")
    return f'<!doctype html><html><body style="{_STYLE}">{"".join(parts)}</body></html>\n'


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    made = []
    for label, *cells in rows:
        told = "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in cells)
        made.append(f'<tr><th style="{_CELL}">{escape(label)}</th>{told}</tr>')
    return f"<table>{''.join(made)}</table>"


def _digest(said: str) -> str:
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _date(now: int) -> datetime:
    return datetime.fromtimestamp(now // 1000, UTC)


NOTIFIER = Notifier(
    name="email",
    title="E-mail, over SMTP",
    documentation="https://www.rfc-editor.org/rfc/rfc5322",
    settings=Settings,
    compose=compose,
    repeats="folded",
)
