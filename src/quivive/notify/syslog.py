"""Syslog for a SIEM: RFC 5424 with the message in CEF, over UDP, TCP or TLS."""

import re

from msgspec import Struct
from msgspec.structs import replace

from quivive import __version__
from quivive.model.notification import Notification, Side
from quivive.notify import text
from quivive.notify.notifier import Line, Notifier, Read

MOST_UDP = 2_000  # bytes of a datagram that every receiver takes (RFC 5424, 6.1: 2048)
MOST_TCP = 8_000
SEVERITIES = {"P1": (2, 10), "P2": (3, 8), "P3": (4, 6), "P4": (5, 3)}  # syslog's, CEF's


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """host, port: the receiver; over: "udp", "tcp" or "tls" (both with octet counting, RFC 6587 and
    5425). facility: syslog's number, 13 is "log audit". hostname: what this machine is called.
    """

    host: str
    port: int = 6514
    over: str = "tls"
    facility: int = 13
    hostname: str = "quivive"

    def __post_init__(self) -> None:
        """Raises ValueError for what no receiver takes."""
        if self.over not in ("udp", "tcp", "tls"):
            raise ValueError('over is "udp", "tcp" or "tls"')
        if not 0 <= self.facility <= 23:
            raise ValueError("facility: 0 to 23")
        if not 1 <= self.port <= 65535:
            raise ValueError("port: 1 to 65535")
        if not re.fullmatch(r"[!-~]{1,255}", self.hostname):
            raise ValueError("hostname: printable ASCII without spaces")


def compose(note: Notification, settings: Settings, _: Read, __: int) -> Line:
    """One frame; what does not fit into a datagram is cut at its end."""
    severity, cef_severity = SEVERITIES.get(note.priority, (5, 3))
    head = (
        f"<{settings.facility * 8 + severity}>1 {text.iso(note.time)} {settings.hostname} quivive -"
        f" {_name(note.about)} -"
    )
    name = _header(text.headline(note))
    said = f"CEF:0|Quivive|Quivive|{__version__}|{_header(f'{note.about}-{note.what}')}|{name}"
    begins = f"{head} \ufeff{said}|{cef_severity}|"
    most = MOST_UDP if settings.over == "udp" else MOST_TCP
    body = f"{begins}{_extension(note)}".encode()
    if len(body) > most and note.buttons:  # half a link is none
        body = f"{begins}{_extension(replace(note, buttons=()))}".encode()
    if len(body) > most:
        body = body[: most - 3].decode(errors="ignore").encode()
    if settings.over != "udp":
        body = str(len(body)).encode() + b" " + body
    return Line(host=settings.host, port=settings.port, over=settings.over, body=body)


def _extension(note: Notification) -> str:
    login = note.login
    pairs: list[tuple[str, object]] = [
        ("rt", note.time),
        ("externalId", note.key),
        ("suser", note.identity),
        ("src", login.ip if login else None),
        ("outcome", login.outcome if login else None),
        ("requestClientApplication", login.client if login else None),
        ("destinationServiceName", login.service if login else None),
        ("act", note.decision),
        ("cnt", note.findings),
        ("cs1Label", "incident"),
        ("cs1", note.thread),
        ("cs2Label", "eventId"),
        ("cs2", note.event_id),
        ("cs3Label", "place"),
        ("cs3", login.place if login else None),
        ("cs4Label", "attack"),
        ("cs4", " ".join(note.attack) or None),
        ("cs5Label", "network"),
        ("cs5", login.network if login else None),
        ("cs6Label", "previousLogin"),
        ("cs6", _previous(note.previous)),
        ("cfp1Label", "risk"),
        ("cfp1", f"{note.risk_score:.2f}" if note.risk_score is not None else None),
        ("cfp2Label", "confidence"),
        ("cfp2", f"{note.confidence:.3f}" if note.confidence is not None else None),
        ("request", note.link),
        ("reason", "; ".join(text.reasons(note)) or None),
        ("msg", " ".join(text.clean(line, 1000) for line in note.text) or None),
        ("flexString1Label", "runbook"),
        ("flexString1", note.runbook),
        *((f"verdict{_word(button.verdict)}", button.url) for button in note.buttons),
    ]
    given = {key for key, value in pairs if value is not None}
    return " ".join(
        f"{key}={_value(str(value))}"
        for key, value in pairs
        if value is not None and (not key.endswith("Label") or key.removesuffix("Label") in given)
    )


def _previous(side: Side | None) -> str | None:
    """The login before this one, in a line."""
    if side is None:
        return None
    parts = (side.place, side.network, side.ip, side.device, side.client, side.service)
    known = [text.clean(part, 120) for part in parts if part]
    return ", ".join([text.iso(side.time), *known])


def _word(verdict: str) -> str:
    """A verdict as part of a key: TruePositive."""
    return re.sub(r"[^A-Za-z]", "", verdict.title())


def _header(said: str) -> str:
    return text.clean(said).replace("\\", "\\\\").replace("|", "\\|")


def _value(said: str) -> str:
    return text.clean(said, 1000).replace("\\", "\\\\").replace("=", "\\=")


def _name(said: str) -> str:
    return re.sub(r"[^!-~]", "", said)[:32] or "-"


NOTIFIER = Notifier(
    name="syslog",
    title="Syslog (RFC 5424) with CEF, for a SIEM",
    documentation="https://www.rfc-editor.org/rfc/rfc5424",
    settings=Settings,
    compose=compose,
    repeats="shown",
)
