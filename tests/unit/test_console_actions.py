"""Acting by hand from the console, and taking it back."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from quivive.respond.performing import client_for
from quivive.store.audit import Trail
from quivive.store.outbox import StoredOutbox
from tests.unit.console import Browser, cheap, line, put
from tests.unit.serving import NOW, Served
from tests.vendor import Time

SETTINGS = """
responses:
  connections:
    - vendor: okta
      settings: {url: https://acme.okta.com, token: {env: OKTA}}
"""


class Okta:
    """A vendor that says yes, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        return httpx2.Response(200, json={"id": "x", "status": "ACTIVE"})


@pytest.fixture
def okta() -> Okta:
    return Okta()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, okta: Okta) -> Iterator[Served]:
    monkeypatch.setenv("OKTA", "hush-okta")
    config = tmp_path / "settings.yaml"
    config.write_text(SETTINGS)
    put(tmp_path / "state", [line(1, product="Okta"), line(2, product="sshd")])
    found = cheap(Served(tmp_path / "state", config=config, sending=True))
    assert found.server.sender is not None
    time = Time()
    time.now = NOW
    clock = time.clock()
    found.server.sender.responder.clock = clock
    found.server.sender.responder._connect = lambda c: client_for(
        c.action,
        c.settings,
        c.http,
        clock=clock,
        transport=httpx2.MockTransport(okta),
        resolver=lambda host, port: ["93.184.215.14"],
    )
    yield found
    found.close()


def test_a_responder_acts_and_takes_it_back(served: Served, okta: Okta) -> None:
    rob, sender = Browser(served, "rob"), served.server.sender
    assert sender is not None
    form = rob.get("/findings/login-1/respond").text
    assert 'value="disable"' in form
    assert "by okta" in form
    path = "/findings/login-1/respond"
    assert rob.post(path, action="disable", why=" ").status_code == 422
    assert rob.post(path, action="allow", why="x").status_code == 422
    done = rob.post(path, action="disable", why="called her: not her", next="/findings/login-1")
    assert done.headers["location"] == "/findings/login-1?said=asked"
    assert "under way" in rob.get("/").text
    assert okta.asked == []
    assert sender.once()
    assert any(asked.endswith("/lifecycle/suspend") for asked in okta.asked)
    shown = rob.get("/").text
    key = re.search(r'href="/actions/([0-9a-f]{32})/undo"', shown)
    assert key is not None
    assert f'data-row="{key[1]}"' in shown  # reached with j, taken back with o
    assert f'data-key="o" href="/actions/{key[1]}/undo"' in shown
    assert "called her" not in Browser(served, "vic").get(f"/actions/{key[1]}/undo").text

    undo = f"/actions/{key[1]}/undo"
    assert "disable the account" in rob.get(undo).text
    assert rob.post(undo, why="").status_code == 422
    assert rob.post(undo, why="it was her").headers["location"] == f"{undo}?said=undone"
    assert any(asked.endswith("/lifecycle/unsuspend") for asked in okta.asked)
    after = rob.get(undo).text
    assert "taken back" in after
    assert "nothing that could be taken back" in after
    assert rob.post(undo, why="again").status_code == 422
    records = list(Trail(served.server.context.store).records())
    mine = [(r.actor, r.action) for r in records if r.action.startswith("response:")]
    assert mine == [("rob", "response:asked"), ("responder", "response:done"),
                    ("rob", "response:undone")]  # fmt: skip


def test_the_same_asked_twice_is_done_once(served: Served) -> None:
    rob = Browser(served, "rob")
    for _ in range(2):
        rob.post("/findings/login-1/respond", action="revoke", why="not her")
    assert len(StoredOutbox(served.server.context.store).rows()) == 1


def test_where_nobody_serves_it_says_so(served: Served) -> None:
    text = Browser(served, "rob").get("/findings/login-2/respond").text
    assert "No connection to a vendor serves this identity" in text
    assert "<form" not in text.partition("<main")[2]


def test_analysts_do_not_act(served: Served) -> None:
    ana = Browser(served, "ana")
    assert ana.get("/findings/login-1/respond").status_code == 403
    assert ana.post("/findings/login-1/respond", action="disable", why="x").status_code == 403
    assert "Act by hand" not in ana.get("/findings/login-1").text
    assert "Act by hand" in Browser(served, "rob").get("/findings/login-1").text


def test_without_a_sender_nothing_is_promised(tmp_path: Path) -> None:
    put(tmp_path / "other", [line(1, product="Okta")])
    served = cheap(Served(tmp_path / "other"))
    try:
        answer = Browser(served, "rob").post("/findings/login-1/respond", action="disable", why="x")
        assert answer.status_code == 409
        assert StoredOutbox(served.server.context.store).rows() == []
    finally:
        served.close()


def test_unknown_actions_and_logins_are_said(served: Served) -> None:
    rob = Browser(served, "rob")
    assert rob.get("/actions/none/undo").status_code == 404
    assert rob.get("/findings/none/respond").status_code == 404
