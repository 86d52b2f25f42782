"""What every channel owes: settings that are checked, golden messages, harmless hostile text.

``tests/data/notifiers/NAME/settings.json`` holds its settings; ``golden.json`` the message of the
finding below, which ``make golden`` writes anew for review.
"""

import hashlib
import hmac
import json
import os
import re
import unicodedata
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from quivive import __version__
from quivive.app.registry import notifiers
from quivive.model.event import OCSF_VERSION
from quivive.model.notification import Button, Notification, Side
from quivive.notify import ocsf
from quivive.notify.notifier import (
    Answer,
    Append,
    Apprise,
    Line,
    Mail,
    NotDeliveredError,
    Notifier,
    Post,
    Secret,
    deliver,
)
from tests.conftest import DATA

FOLDER = DATA / "notifiers"
NOW = 1_790_000_100_000
NAMES = sorted(notifiers())
ALL = pytest.mark.parametrize("name", NAMES)
NOTE = Notification(
    key="INC-1A2B3C4D5E:1:opened",
    about="incident",
    what="opened",
    thread="INC-1A2B3C4D5E",
    priority="P1",
    route="page",
    time=1_790_000_000_123,
    title="dana@example.com: critical risk login to AWS: console",
    text=("One campaign: 2 identities over address 91.92.1.130.",),
    identity="dana@example.com",
    identity_kind="human",
    identities=2,
    services=("AWS: console", "Entra ID: Outlook"),
    findings=3,
    risk_score=97.7,
    risk_level="critical",
    confidence=0.93,
    reasons=(
        "country RO: 0 of its 49 logins, 0 of 494 by peers, 1 of 2.7k in the organisation",
        "10583 km between Toronto, CA and Bucharest, RO in 87 min (7240 km/h)",
    ),
    attack=("T1078", "T1539"),
    looks_like="somebody else with the credential",
    otherwise="a journey",
    counterfactual="no finding had the country been the usual CA",
    login=Side(
        time=1_790_000_000_123,
        place="Bucharest, RO",
        network="AS9050 Orange",
        ip="91.92.1.130",
        client="Mozilla/5.0 (X11; Linux x86_64) Chrome/144.0.0.0",
        service="console",
        outcome="success",
    ),
    previous=Side(
        time=1_789_990_000_000,
        place="Toronto, CA",
        network="AS577 Bell",
        ip="70.24.10.7",
        device="DANA-MBP on macOS",
        client="Mozilla/5.0 (Macintosh) Safari/605.1",
        service="Outlook",
        outcome="success",
    ),
    decision="revoke (enforce, default/critical-revoke)",
    runbook="https://quivive.example.com/runbooks/takeover.md",
    link="https://quivive.example.com/incidents/INC-1A2B3C4D5E",
    event_id="2ec013d9",
    event='{"class_uid":3002}',
    buttons=(
        Button(label="Not theirs", url="https://quivive.example.com/v/a", verdict="true_positive"),
    ),
)


def read(secret: Secret) -> str:
    """Invented secrets, so that the goldens show where each goes."""
    return {
        "URL": "https://hooks.example.com/services/T000/B000/secret",
        "URLS": "json://example.com/secret",
    }.get(secret.env or "", "s3cret-of-the-channel")


def settings_of(name: str) -> Any:
    notifier = notifiers()[name]
    return msgspec.json.decode(
        (FOLDER / name / "settings.json").read_bytes(), type=notifier.settings
    )


def message_of(name: str, note: Notification = NOTE) -> Any:
    return notifiers()[name].compose(note, settings_of(name), read, NOW)


def as_json(message: Any) -> Any:
    """A message as a golden file holds it; bodies of JSON as JSON."""
    found: dict[str, Any] = {"kind": type(message).__name__}
    for field in fields(message):
        value = getattr(message, field.name)
        if isinstance(value, bytes):
            value = value.decode()
            if value.startswith("{"):
                value = json.loads(value)
        elif isinstance(value, EmailMessage):
            value = value.as_string().splitlines()
        found[field.name] = value
    return json.loads(json.dumps(found).replace(f'"{__version__}"', '"VERSION"'))


@ALL
def test_golden(name: str) -> None:
    golden, message = FOLDER / name / "golden.json", as_json(message_of(name))
    if os.environ.get("QUIVIVE_REWRITE_GOLDEN"):
        text = json.dumps(message, indent=1, ensure_ascii=False) + "\n"
        golden.write_text(text, encoding="utf-8")
    assert message == json.loads(golden.read_text(encoding="utf-8"))


@ALL
def test_it_is_described(name: str) -> None:
    notifier = notifiers()[name]
    assert notifier.name == name
    assert notifier.title
    assert notifier.documentation.startswith("https://")
    assert notifier.repeats in ("folded", "shown")
    assert notifier.settings.__doc__
    assert (DATA.parent.parent / "changelog.d" / f"{name}-notifier.added.md").exists()


@ALL
def test_unknown_settings_are_refused(name: str) -> None:
    given = json.loads((FOLDER / name / "settings.json").read_text())
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given | {"guess": 1}, notifiers()[name].settings)


@ALL
def test_the_message_holds_what_an_alert_owes(name: str) -> None:
    said = json.dumps(as_json(message_of(name)), ensure_ascii=False).replace("=\\n", "")
    said = re.sub(r'=", "', "", said).replace("=3D", "=").replace("\\\\", "")
    owed = ["dana@example.com", "INC-1A2B3C4D5E", "country RO", "Bucharest", "AS9050", "Toronto",
            "AS577", "runbooks/takeover.md", "https://quivive.example.com/v/a"]  # fmt: skip
    if name != "ocsf":
        owed.append("revoke")
    for each in owed:
        assert each in said, each


@ALL
def test_the_same_notification_gives_the_same_bytes(name: str) -> None:
    assert as_json(message_of(name)) == as_json(message_of(name))


@ALL
def test_no_secret_is_shown(name: str) -> None:
    message = message_of(name)
    assert "s3cret" not in repr(message)
    assert "services/T000" not in repr(message)


def hostile(text: str) -> Notification:
    side = Side(
        time=NOTE.time, place=text, network=text, ip=text, device=text, client=text,
        service=text, outcome=text,
    )  # fmt: skip
    return replace(
        NOTE,
        title=text, text=(text, text), identity=text, services=(text,), reasons=(text,) * 9,
        looks_like=text, otherwise=text, counterfactual=text, decision=text, event_id=text,
        login=side, previous=side, event=None,
    )  # fmt: skip


HOSTILE = {
    "markup": "<script>alert(1)</script><!channel> *bold* [x](https://evil.example) `a` <@U1>",
    "mention": "@channel @here <!here> <at>everyone</at>",
    "link": "log in at https://evil.example/verify and www.evil.example",
    "right-to-left": "\u202egpj.exe\u2066abc\u200f",
    "control": "a\x00b\x1b[31mc\r\nBcc: x@evil.example\r\n\r\nbody\x85\u2028z",
    "injection": "x|CEF:0|=\\|cs1=forged\nrt=1 src=1.2.3.4",
    "huge": "A" * 10_000,
    "zalgo": "a" + "\u0301" * 500,
    "quotes": '"\'}]},{"',
    "empty": "",
    "surrogate": "\ud800",
}
MOST_BYTES = {"email": 120_000, "syslog": 8_100, "webhook": 120_000}


@ALL
@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_hostile_text_is_harmless(name: str, kind: str) -> None:
    check_harmless(name, hostile(HOSTILE[kind]))


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=400), st.sampled_from(NAMES))
def test_any_text_is_harmless(text: str, name: str) -> None:
    check_harmless(name, hostile(text))


def check_harmless(name: str, note: Notification) -> None:
    message = message_of(name, note)
    match message:
        case Post():
            body = message.body
            decoded = json.loads(body)
            texts = list(strings(decoded))
            assert all("\r" not in v and "\n" not in v for v in message.headers.values())
        case Append():
            body = message.body
            assert body.count(b"\n") == 1
            texts = list(strings(json.loads(body)))
        case Line():
            body = message.body
            texts = [body.decode()]
            assert b"\n" not in body
        case Mail():
            body = message.message.as_bytes()
            assert message.message["To"] == "soc@example.com"
            assert message.message["Bcc"] is None
            parts = {p.get_content_type(): p.get_content() for p in message.message.walk()
                     if not p.is_multipart()}  # fmt: skip
            texts = [parts["text/plain"], message.message["Subject"]]
            tags = set(re.findall(r"<(\w+)", parts["text/html"]))
            assert tags <= set("html body h2 h3 p table tr th td ul li a".split())
            assert "evil.example" not in "".join(re.findall(r'href="([^"]*)"', parts["text/html"]))
        case Apprise():
            body = message.body.encode()
            texts = [message.title, message.body]
    assert len(body) <= MOST_BYTES.get(name, 30_000)
    for text in texts:
        bad = [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")
               and c not in "\n\ufeff"]  # fmt: skip
        assert not bad, (text[:80], bad)
    if name in ("slack", "teams", "email", "apprise", "pagerduty", "opsgenie"):
        for text in texts:
            links = re.findall(r"https?://[\w.]+", text)
            assert all(link.startswith(OURS) for link in links), links
            assert "www.evil" not in text
            assert not re.search(r"(^|\W)@(channel|here|everyone)", text)
    if name == "slack":
        blocks = json.loads(message.body)["blocks"]
        assert len(blocks) <= 50
        assert '"mrkdwn"' not in message.body.decode()
        assert "<" not in json.loads(message.body)["text"]
        header = blocks[0]["text"]["text"]
        assert len(header) <= 150
    if name == "teams":
        assert b'"TextBlock"' not in message.body
        assert b'"FactSet"' not in message.body
    if name == "pagerduty":
        assert len(json.loads(message.body)["payload"]["summary"]) <= 1024
    if name == "opsgenie":
        assert len(json.loads(message.body)["message"]) <= 130
    if name == "syslog":
        assert unescaped(texts[0].split("CEF:0|", 1)[1]) == 6


OURS = (
    "https://quivive.example",
    "https://hooks.example",
    "http://adaptivecards",
    "https://events",
)


def unescaped(cef: str) -> int:
    """How many bars divide the header and what follows it."""
    header = re.split(r"(?<!\\)(?:\\\\)*\|", cef, maxsplit=6)
    return len(header) - 1


def strings(value: Any) -> "list[str]":
    """Every text of some JSON."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [s for k, v in value.items() for s in [k, *strings(v)]]
    if isinstance(value, list):
        return [s for v in value for s in strings(v)]
    return []


# --- single channels


SCHEMA = OcsfJsonSchemaEmbedded(get_ocsf_schema(OCSF_VERSION))


@pytest.mark.parametrize("what", ["opened", "grew", "closed"])
@pytest.mark.parametrize("kind", [None, "markup", "empty"])
def test_ocsf_is_valid(what: str, kind: str | None) -> None:
    import jsonschema

    note = replace(NOTE if kind is None else hostile(HOSTILE[kind]), what=what)
    found = ocsf.finding(note)
    schema = SCHEMA.get_class_schema("detection_finding")
    jsonschema.Draft202012Validator(schema).validate(found)
    assert found["type_uid"] == 200400 + found["activity_id"]


def test_a_datagram_without_room_holds_no_half_of_a_link() -> None:
    settings = msgspec.structs.replace(settings_of("syslog"), over="udp")
    link = "https://quivive.example.com/v/" + "x" * 900
    button = Button(label="Not theirs", url=link, verdict="true_positive")
    few, many = replace(NOTE, buttons=(button,)), replace(NOTE, buttons=(button,) * 3)
    compose = notifiers()["syslog"].compose
    assert link in compose(replace(few, reasons=()), settings, read, NOW).body.decode()
    body = compose(many, settings, read, NOW).body.decode()
    assert "/v/" not in body
    assert "runbooks/takeover.md" in body


def test_a_closed_incident_resolves_the_page() -> None:
    over = replace(NOTE, what="closed")
    assert json.loads(message_of("pagerduty", over).body)["event_action"] == "resolve"
    found = message_of("opsgenie", over)
    assert found.url.endswith("/INC-1A2B3C4D5E/close?identifierType=alias")


def test_a_webhook_can_be_checked() -> None:
    message = message_of("webhook")
    stamp = message.headers["Quivive-Timestamp"]
    assert stamp == str(NOW // 1000)
    signed = hmac.new(b"s3cret-of-the-channel", f"{stamp}.".encode() + message.body, hashlib.sha256)
    assert message.headers["Quivive-Signature"] == f"v1={signed.hexdigest()}"
    assert json.loads(message.body)["event"] == {"class_uid": 3002}


class OneAnswer:
    """A wire that answers every request alike."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def post(self, _: Post) -> Answer:
        return self.answer


@pytest.mark.parametrize(
    ("status", "again"),
    [(429, True), (500, True), (503, True), (408, True), (400, False), (404, False), (410, False)],
)
def test_answers_are_judged_by_rule(status: int, again: bool) -> None:
    notifier: Notifier = notifiers()["slack"]
    wire: Any = OneAnswer(Answer(status, b"no\x1b[31m", 7.0))
    with pytest.raises(NotDeliveredError) as raised:
        deliver(notifier, message_of("slack"), wire)
    assert raised.value.again is again
    assert "\x1b" not in str(raised.value)
    assert "hooks.example" not in str(raised.value)
