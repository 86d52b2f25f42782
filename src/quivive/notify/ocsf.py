"""OCSF Detection Finding (2004), to a file, by HTTP or to Kafka: for data lakes and SIEMs."""

from ipaddress import ip_address
from typing import Any

import msgspec
from msgspec import Struct

from quivive import __version__
from quivive.model.event import OCSF_VERSION
from quivive.model.notification import Notification
from quivive.notify import text
from quivive.notify.kafka import Cluster, TopicName, security
from quivive.notify.notifier import (
    Append,
    Message,
    Notifier,
    Post,
    Publish,
    Read,
    Secret,
)

CLASS, CATEGORY = 2004, 2
ACTIVITIES = {"opened": 1, "closed": 3}  # all else is an update
SEVERITIES = {"P1": 5, "P2": 4, "P3": 3, "P4": 2}
LEVELS = {"low": 1, "medium": 2, "high": 3, "critical": 4}
_order = msgspec.json.Encoder(order="deterministic")


class Kafka(Cluster, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """topic: where to; records of one incident have one key. All else is the cluster's."""

    topic: TopicName


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """file: lines are appended here; or url: each is sent there, with ``token`` as bearer token;
    or kafka: each is a record of a topic.
    """

    file: str | None = None
    url: str | None = None
    token: Secret | None = None
    kafka: Kafka | None = None

    def __post_init__(self) -> None:
        """Raises ValueError unless exactly one way is named."""
        if [self.file, self.url, self.kafka].count(None) != 2:
            raise ValueError("name file, url or kafka, one of the three")


def compose(note: Notification, settings: Settings, read: Read, _: int) -> Message:
    """The finding as one line, as a request, or as a record."""
    body = _order.encode(finding(note))
    if settings.file is not None:
        return Append(path=settings.file, body=body + b"\n")
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": text.clean(note.key, 200).encode("ascii", "replace").decode(),
    }
    if settings.kafka is not None:
        return _record(note, settings.kafka, read, headers, body)
    if settings.token is not None:
        headers["Authorization"] = f"Bearer {read(settings.token)}"
    return Post(url=settings.url or "", headers=headers, body=body)


def _record(
    note: Notification, kafka: Kafka, read: Read, headers: dict[str, str], body: bytes
) -> Publish:
    return Publish(
        servers=kafka.servers,
        topic=kafka.topic,
        key=text.clean(note.thread, 200).encode(),
        body=body,
        headers=headers,
        how=security(kafka, read),
    )


def finding(note: Notification) -> dict[str, Any]:
    """The OCSF object. ``time`` is the event's, ``metadata.uid`` the notification's key."""
    activity = ACTIVITIES.get(note.what, 2)
    status = 4 if note.what == "closed" else 1 if note.what == "opened" else 2
    info: dict[str, Any] = {
        "uid": note.thread,
        "title": text.clean(note.title),
        "types": [note.about],
        "analytic": {"name": "quivive", "type_id": 2, "version": __version__},
        "related_events_count": note.findings,
    }
    told = [*note.text, *note.reasons]
    if told:
        info["desc"] = text.clean("; ".join(told), 2_000)
    if note.attack:
        info["attacks"] = [{"technique": {"uid": uid}} for uid in note.attack]
    if note.link:
        info["src_url"] = note.link
    if note.event_id:
        related = {"uid": text.clean(note.event_id), "type_uid": 300201}
        info["related_events"] = [related]
    found: dict[str, Any] = {
        "activity_id": activity,
        "category_uid": CATEGORY,
        "class_uid": CLASS,
        "type_uid": CLASS * 100 + activity,
        "severity_id": SEVERITIES.get(note.priority, 1),
        "status_id": status,
        "time": note.time,
        "message": text.headline(note),
        "is_alert": True,
        "metadata": {
            "version": OCSF_VERSION,
            "uid": note.key,
            "product": {"name": "Quivive", "vendor_name": "Quivive", "version": __version__},
        },
        "finding_info": info,
        "evidences": [_evidence(note)],
    }
    if note.risk_score is not None:
        found["risk_score"] = round(note.risk_score)
        found["risk_level_id"] = LEVELS.get(note.risk_level or "", 99)
        if found["risk_level_id"] == 99:
            found["risk_level"] = "unknown"
    if note.confidence is not None:
        found["confidence_score"] = round(note.confidence * 100)
    if note.runbook:
        found["remediation"] = {"desc": "The runbook", "references": [note.runbook]}
    if note.buttons:
        found["unmapped"] = {"verdict_links": {b.verdict: b.url for b in note.buttons}}
    return found


def _evidence(note: Notification) -> dict[str, Any]:
    """Who and from where, and all that the reasons compared."""
    login = note.login
    made: dict[str, Any] = {"uid": text.clean(note.event_id or note.key) or note.key}
    if note.identity:
        made["actor"] = {"user": {"name": text.clean(note.identity)}}
    if login is not None and login.ip:
        try:
            made["src_endpoint"] = {"ip": str(ip_address(login.ip))}
        except ValueError:  # the name of a cloud service that called, say
            made["src_endpoint"] = {"name": text.clean(login.ip) or "unknown"}
    compared = text.sides(note)
    if compared:
        made["data"] = {label: {"this": new, "previous": old} for label, new, old in compared}
    return made


NOTIFIER = Notifier(
    name="ocsf",
    title="OCSF Detection Finding, to a file, by HTTP or to Kafka",
    documentation="https://schema.ocsf.io/1.8.0/classes/detection_finding",
    settings=Settings,
    compose=compose,
    repeats="folded",
    closes=True,
)
