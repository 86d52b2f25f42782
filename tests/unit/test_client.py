"""The client never breaks a login, and says what went wrong where it may."""

import http.client
import io
import json
from typing import Any

import pytest

from quivive.client import Answer, Client, ServerError


class Line:
    """A connection that answers what it is told to."""

    sock = None

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.timeout = 0.0

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        self.asked.append((method, path, body, headers))
        if isinstance(self.answers[0], Exception):
            raise self.answers.pop(0)

    def getresponse(self) -> Any:
        status, body = self.answers.pop(0)  # type: ignore[misc]
        found = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        found.status = status  # type: ignore[attr-defined]
        found.getheader = lambda name, default="": {"retry-after": "7"}.get(name, default)  # type: ignore[attr-defined]
        return found

    def close(self) -> None: ...


def client(monkeypatch: pytest.MonkeyPatch, *answers: object, **given: Any) -> tuple[Client, Line]:
    line = Line(*answers)
    monkeypatch.setattr(http.client, "HTTPConnection", lambda *_, **__: line)
    return Client("http://q:8450", "qv_secret", **given), line


ALLOWED = {"decision": {"action": "allow", "mode": "shadow", "rule": "r"}, "risk_score": 1.5}


def test_the_answer_is_the_decision_and_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    made, line = client(monkeypatch, (200, ALLOWED), seconds=0.5)
    answer = made.assess({"a": 1}, source="okta", key="k", traceparent="t")
    assert answer == Answer("allow", "shadow", True, "", 1.5, "unknown", ALLOWED)
    method, path, body, headers = line.asked[0]
    assert (method, path, body) == ("POST", "/v1/assess?source=okta", b'{"a": 1}')
    assert headers["authorization"] == "Bearer qv_secret"
    assert headers["quivive-budget-ms"] == "400"
    assert (headers["idempotency-key"], headers["traceparent"]) == ("k", "t")


@pytest.mark.parametrize(
    ("action", "mode", "refused"),
    [("block", "enforce", True), ("step_up", "canary", True), ("revoke", "shadow", False),
     ("notify", "enforce", False), ("allow", "enforce", False)],
)  # fmt: skip
def test_refused_only_where_the_policy_acts(action: str, mode: str, refused: bool) -> None:
    assert Answer(action, mode).refused is refused


@pytest.mark.parametrize("fail", ["open", "closed"])
@pytest.mark.parametrize(
    "broken",
    [ConnectionRefusedError(), TimeoutError(), http.client.BadStatusLine("x"), (200, b"<html>"),
     (200, b"[]"), (200, {"decision": None}), (401, {"title": "a token is needed"}), (500, b""),
     ValueError("x")],
    ids=repr,
)  # fmt: skip
def test_whatever_happens_a_login_gets_an_answer(
    monkeypatch: pytest.MonkeyPatch, fail: Any, broken: object
) -> None:
    made, _ = client(monkeypatch, broken, broken, fail=fail)
    answer = made.assess({})
    assert not answer.decided
    assert answer.why
    assert answer.refused is (fail == "closed")
    assert "secret" not in answer.why


def test_a_login_that_cannot_be_written_gets_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = client(monkeypatch)
    assert made.assess({"a": object()}).action == "allow"


def test_a_connection_that_was_closed_while_idle_is_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, line = client(
        monkeypatch, (200, ALLOWED), http.client.RemoteDisconnected(), (200, ALLOWED)
    )
    assert made.assess({}).decided
    assert made.assess({}).decided
    assert len(line.asked) == 3


def test_sending_says_what_is_wrong_and_when_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, line = client(monkeypatch, (429, {"title": "later", "detail": "too many wait"}))
    with pytest.raises(ServerError, match="too many wait") as refused:
        made.send([{"a": 1}, {"b": 2}])
    assert (refused.value.status, refused.value.retry_after) == (429, 7.0)
    assert line.asked[0][2] == b'{"a": 1}\n{"b": 2}\n'


def test_its_words_and_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    made, line = client(monkeypatch, (200, {"taken": 1}), (200, {"x": 1}))
    assert "secret" not in repr(made)
    assert made.verdict("e1", "false_positive", "called", by="kim") == {"taken": 1}
    assert json.loads(line.asked[0][2])["by"] == "kim"
    assert made.get("/v1/assessments", limit=2) == {"x": 1}
    assert line.asked[1][1] == "/v1/assessments?limit=2"
    made.close()
    for url in ("ftp://q", "q:8450", "http://"):
        with pytest.raises(ValueError, match="URL"):
            Client(url, "t")
