"""A caller's request id and trace go on to vendors and to whoever is told."""

import json
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from quivive.model.origin import Origin
from quivive.notify.notifier import Answer, Post
from quivive.respond.client import Clock
from quivive.respond.performing import client_for
from tests.unit.serving import NOW, REVOKING, Served, login

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CONFIG = """
responses:
  connections:
    - vendor: webhook
      settings: {url: "https://soar.example.com/in", secret: {env: HOOK}}
notify:
  channels:
    - {name: own, kind: webhook, settings: {url: {env: URL}, secret: {env: HOOK}}}
"""


@pytest.mark.parametrize("path", ["/v1/assess", "/v1/events"])
def test_the_trace_and_the_request_id_reach_the_vendor_and_the_channel(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", "0123456789abcdef")
    monkeypatch.setenv("URL", "https://hooks.example.com/x")
    (tmp_path / "policy.yaml").write_text(REVOKING)
    (tmp_path / "config.yaml").write_text(CONFIG)
    served = Served(
        tmp_path / "state",
        policy=tmp_path / "policy.yaml",
        config=tmp_path / "config.yaml",
        sending=True,
    )
    asked: list[httpx2.Request] = []
    told: list[Post] = []

    def vendor(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(400, json={"error": "no"})

    class Wire:
        def post(self, message: Post) -> Answer:
            told.append(message)
            return Answer(200)

    sender = served.server.sender
    assert sender is not None
    clock = Clock(now=lambda: NOW, sleep=lambda _: None)
    sender.responder.clock = clock
    sender.responder._connect = lambda c: client_for(
        c.action, c.settings, c.http, clock=clock,
        transport=httpx2.MockTransport(vendor), resolver=lambda *_: ["8.8.8.8"],
    )  # fmt: skip
    wire: Any = Wire()
    sender.notifier.wire = lambda _: wire
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "x-request-id": "mine-1"}
    answer = served.ask("POST", path, json=login(user="mallory@example.com"), headers=headers)
    assert answer.status_code == 200
    assert sender.once()
    served.close()
    (request,) = asked
    version, trace, span, flags = request.headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span not in ("00f067aa0ba902b7", "0" * 16)
    assert len(span) == 16
    assert request.headers["x-request-id"] == "mine-1"
    (message,) = told
    assert json.loads(message.body)["about"] == "containment"
    assert message.headers["X-Request-ID"] == "mine-1"
    assert message.headers["traceparent"].split("-")[1] == TRACE
    assert message.headers["traceparent"] != request.headers["traceparent"], "a span of its own"


def test_the_same_asked_again_is_the_same_span_and_an_unsampled_trace_stays_so() -> None:
    origin = Origin(request="r-1", trace=TRACE)
    assert origin.headers("a") == origin.headers("a")
    assert origin.headers("a") != origin.headers("b")
    assert origin.headers("a")["traceparent"].endswith("-00")
    assert Origin(request="r-1").headers("a") == {"X-Request-ID": "r-1"}
    assert Origin().headers("a") == {}
    assert msgspec.json.decode(msgspec.json.encode(origin), type=Origin) == origin
