"""What a channel is: settings, and a pure composer of messages for a wire that others own.

A channel's file holds one constant ``NOTIFIER`` that ``app/registry.py`` finds. It does no input or
output: ``compose`` turns a notification into a message, ``deliver`` gives that to the wire, and
``accepted`` says what the answer means. Whatever came out of a log passes ``text.py`` on its way.
"""

from collections.abc import Callable, Mapping
from email.message import EmailMessage
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from quivive.model.notification import Notification


class Secret(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a secret is kept, never the secret: {env: NAME} or {file: PATH}."""

    env: str | None = None
    file: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError unless exactly one place is named."""
        if (self.env is None) == (self.file is None):
            raise ValueError("write {env: NAME} or {file: PATH}, one of the two")


class Post(Struct, frozen=True, kw_only=True):
    """An HTTP request. ``secret`` names headers whose value must never be shown."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"

    def __repr__(self) -> str:
        """Without headers and path: a webhook's URL is its password."""
        return f"<{self.method} of {len(self.body)} bytes>"


class Mail(Struct, frozen=True, kw_only=True):
    """An e-mail and the server that takes it. ``tls``: "starttls", "tls" or "none"."""

    host: str
    port: int
    tls: str
    message: EmailMessage
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        """Without the password."""
        return f"<mail to {self.message['To']} by {self.host}:{self.port}>"


class Line(Struct, frozen=True, kw_only=True):
    """Bytes for a socket: ``over`` is "udp", "tcp" or "tls"."""

    host: str
    port: int
    over: str
    body: bytes


class Append(Struct, frozen=True, kw_only=True):
    """A line for the end of a file."""

    path: str
    body: bytes


class Apprise(Struct, frozen=True, kw_only=True):
    """A message for the library apprise, whose URLs hold secrets."""

    urls: tuple[str, ...]
    title: str
    body: str
    kind: str

    def __repr__(self) -> str:
        """Without the URLs."""
        return f"<apprise to {len(self.urls)}>"


class Security(NamedTuple):
    """How a Kafka cluster is spoken to. ``protocol``: plaintext, ssl, sasl_plaintext, sasl_ssl."""

    protocol: str = "ssl"
    mechanism: str | None = None
    user: str | None = None
    password: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    def __repr__(self) -> str:
        """Without the password."""
        return f"<{self.protocol}>"


class Publish(Struct, frozen=True, kw_only=True):
    """A record for a topic of Kafka. Records of one key keep their order."""

    servers: tuple[str, ...]
    topic: str
    key: bytes
    body: bytes
    headers: Mapping[str, str]
    how: Security

    def __repr__(self) -> str:
        """Without the password."""
        return f"<record of {len(self.body)} bytes for {self.topic}>"


Message = Post | Mail | Line | Append | Apprise | Publish


class Answer(Struct, frozen=True):
    """What a server said: status, body, and the seconds it asks to wait, if it does."""

    status: int
    body: bytes = b""
    retry_after: float | None = None


class NotDeliveredError(Exception):
    """A message did not arrive. ``again``: whether trying later may help; ``after``: in seconds.

    The text says what went wrong, without any secret.
    """

    def __init__(self, why: str, *, again: bool = True, after: float | None = None) -> None:
        """``why`` in words."""
        super().__init__(why)
        self.again = again
        self.after = after


class Wire(Protocol):
    """What actually sends. Each raises NotDeliveredError when it cannot."""

    def post(self, message: Post) -> Answer:
        """Sends an HTTP request; any status is an answer."""

    def mail(self, message: Mail) -> None:
        """Hands over an e-mail."""

    def line(self, message: Line) -> None:
        """Sends bytes to a socket."""

    def append(self, message: Append) -> None:
        """Writes to the end of a file, whole or not at all."""

    def apprise(self, message: Apprise) -> None:
        """Hands over to apprise."""

    def publish(self, message: Publish) -> None:
        """Hands a record to Kafka, and waits until it is kept there."""


Read = Callable[[Secret], str]  # gives the secret itself; raises ConfigurationError
Compose = Callable[[Notification, Any, Read, int], Message]  # the last: now, ms UTC


class Notifier(Struct, frozen=True, kw_only=True):
    """A channel.

    name: the module's name; title: what it is; documentation: where its format is described;
    settings: a Struct that forbids unknown fields; compose: pure; repeats: what happens when the
    same notification is sent twice ("folded" by the receiver's key, or "shown").
    accepted: judges the answer to a Post; None for "any 2xx". closes: whether it is told when an
    incident is closed, because that ends something there.
    """

    name: str
    title: str
    documentation: str
    settings: type[Struct]
    compose: Compose
    repeats: str
    accepted: Callable[[Answer], bool] | None = None
    closes: bool = False


def deliver(notifier: Notifier, message: Message, wire: Wire) -> None:
    """Gives a message to the wire. Raises NotDeliveredError when it did not arrive.

    Of HTTP answers, 408, 425, 429 and 5xx may be tried again; other refusals may not, because the
    same message would be refused for ever.
    """
    match message:
        case Post():
            answer = wire.post(message)
            good = notifier.accepted or _accepted
            if not good(answer):
                again = answer.status in (408, 425, 429) or not 300 <= answer.status < 500
                raise NotDeliveredError(
                    f"answered {answer.status}{_said(answer.body)}",
                    again=again,
                    after=answer.retry_after,
                )
        case Mail():
            wire.mail(message)
        case Line():
            wire.line(message)
        case Append():
            wire.append(message)
        case Apprise():
            wire.apprise(message)
        case Publish():
            wire.publish(message)


def _accepted(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def _said(body: bytes) -> str:
    """How an answer begins, safe to show."""
    text = "".join(c if c.isprintable() else " " for c in body[:120].decode(errors="replace"))
    return f": {text.strip()}" if text.strip() else ""
