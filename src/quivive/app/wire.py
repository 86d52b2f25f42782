"""The wire of the channels: HTTP, SMTP, sockets, files, Kafka, apprise. Each has its time."""

import os
import smtplib
import socket
import ssl
from functools import cache

from quivive.app.kafka import Producers
from quivive.model.errors import ConfigurationError
from quivive.notify.channels import Channel
from quivive.notify.notifier import (
    Answer,
    Append,
    Apprise,
    Line,
    Mail,
    NotDeliveredError,
    Post,
    Publish,
    Secret,
)
from quivive.respond.client import Client
from quivive.respond.errors import RefusedError, RejectedError, UnavailableError
from quivive.respond.secret import Secret as Kept

TIMEOUT = 10.0  # seconds


def read(secret: Secret) -> str:
    """The secret itself. Raises ConfigurationError naming the place where it is missing."""
    return Kept(env=secret.env, file=secret.file).value()


class Wires:
    """One wire a channel, so that the circuit breaker of one is not that of another."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self.of = cache(Outside)

    def __call__(self, channel: Channel) -> "Outside":
        """The wire of a channel."""
        return self.of(channel.allow_private)


class Outside:
    """What sends. Servers' addresses may be private only where the channel says so."""

    def __init__(self, allow_private: bool = False) -> None:
        """``allow_private``: also into one's own network."""
        self.allow_private = allow_private
        self._clients: dict[str, Client] = {}
        self._producers = Producers()

    def post(self, message: Post) -> Answer:
        """Sends once; trying again is the outbox's business."""
        try:
            host = message.url.split("/", 3)[2]
            if host not in self._clients:
                self._clients[host] = Client(message.url, private=self.allow_private)
            found = self._clients[host].send(
                message.method,
                message.url,
                headers=message.headers,
                content=message.body,
                repeatable=False,
            )
        except RejectedError as error:
            again = error.status in (408, 425)
            raise NotDeliveredError(str(error), again=again) from None
        except UnavailableError as error:
            raise NotDeliveredError(str(error), after=error.retry_after) from None
        except (RefusedError, IndexError) as error:
            raise NotDeliveredError(f"no request was made: {error}", again=False) from None
        return Answer(found.status, found.body)

    def mail(self, message: Mail) -> None:
        """Hands a mail to its server."""
        context = ssl.create_default_context()
        try:
            if message.tls == "tls":
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    message.host, message.port, timeout=TIMEOUT, context=context
                )
            else:
                server = smtplib.SMTP(message.host, message.port, timeout=TIMEOUT)
            with server:
                if message.tls == "starttls":
                    server.starttls(context=context)
                if message.user is not None and message.password is not None:
                    server.login(message.user, message.password)
                refused = server.send_message(message.message)
        except smtplib.SMTPResponseException as error:
            said = error.smtp_error if isinstance(error.smtp_error, bytes) else b""
            text = said.decode(errors="replace")[:120]
            raise NotDeliveredError(
                f"the mail server answered {error.smtp_code} {text}", again=error.smtp_code < 500
            ) from None
        except smtplib.SMTPRecipientsRefused:
            raise NotDeliveredError(
                "the mail server refused every recipient", again=False
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotDeliveredError(f"no mail server: {type(error).__name__}") from None
        if refused:
            # Some have it: sending again would tell those twice, so it is only said.
            raise NotDeliveredError(f"refused for {', '.join(sorted(refused))}", again=False)

    def line(self, message: Line) -> None:
        """Sends bytes to a socket; UDP is fire and forget."""
        try:
            if message.over == "udp":
                family = socket.getaddrinfo(message.host, message.port, type=socket.SOCK_DGRAM)[0]
                with socket.socket(family[0], socket.SOCK_DGRAM) as datagram:
                    datagram.settimeout(TIMEOUT)
                    datagram.sendto(message.body, family[4])
                return
            where = (message.host, message.port)
            with socket.create_connection(where, timeout=TIMEOUT) as plain:
                if message.over == "tcp":
                    plain.sendall(message.body)
                    return
                context = ssl.create_default_context()
                with context.wrap_socket(plain, server_hostname=message.host) as secure:
                    secure.sendall(message.body)
        except OSError as error:
            said = error.strerror or type(error).__name__
            raise NotDeliveredError(f"{message.host}:{message.port}: {said}") from None

    def append(self, message: Append) -> None:
        """Writes one line with one call, and sees it on the disk."""
        try:
            handle = os.open(message.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            try:
                before = os.fstat(handle).st_size
                written = os.write(handle, message.body)
                if written != len(message.body):
                    os.ftruncate(handle, before)
                    raise NotDeliveredError(f"{message.path}: the disk is full")
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise NotDeliveredError(f"{message.path}: {error.strerror}") from None

    def apprise(self, message: Apprise) -> None:
        """Hands over to apprise, which tells only whether all took it."""
        try:
            import apprise
        except ImportError:
            raise ConfigurationError("apprise is not installed: quivive[notify] has it") from None
        app = apprise.Apprise()
        for url in message.urls:
            if not app.add(url):
                raise ConfigurationError("apprise does not understand one of its URLs")
        if not app.notify(title=message.title, body=message.body, notify_type=message.kind):
            raise NotDeliveredError("apprise: at least one service did not take it")

    def publish(self, message: Publish) -> None:
        """Hands a record to Kafka, and waits until it is kept there."""
        self._producers.publish(message)
