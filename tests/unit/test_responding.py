"""The worker: asked once, tried again, given up, told of, taken back; and its settings."""

from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from click.testing import CliRunner

from quivive.app.errors import UsageError
from quivive.app.intents import Intended, requests_of_line, row_of, rows_of, target_of
from quivive.app.registry import signals
from quivive.app.responding import FIRST_WAIT, LEASE, Worker
from quivive.app.responses import Responses, load_responses
from quivive.cli.main import cli
from quivive.engine.engine import Engine
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import Decision
from quivive.model.audit import Entry
from quivive.model.event import (
    Account,
    AuthEvent,
    Metadata,
    Product,
    Session,
    Unmapped,
    User,
)  # fmt: skip
from quivive.model.notification import Notification
from quivive.model.ocsf import encode_event
from quivive.model.response import ResponseRequest, Target, response_key
from quivive.respond.performing import client_for
from quivive.respond.remediation import Remediation
from quivive.store.batch import Outgoing
from quivive.store.batch import Row as Kept
from quivive.store.database import Batch, Store
from quivive.store.outbox import Row, StoredOutbox
from tests.vendor import NOW, Time

SETTINGS = """
responses:
  protect: [Breakglass@example.com]
  attempts: 4
  connections:
    - vendor: okta
      settings: {url: https://acme.okta.com, token: {env: OKTA}}
    - vendor: keycloak
      products: [Okta]
      settings: {url: https://sso.example.com, realm: r, client_id: c, client_secret: {env: KC}}
    - vendor: webhook
      name: hook
      also: true
      serves: [revoke]
      settings: {url: https://hooks.example.com/q, secret: {env: HOOK}}
    - vendor: vault
      serves: []
      instead: {disable: rotate}
      products: [CloudTrail]
      settings:
        url: https://vault.internal
        token: {env: VAULT}
        rotate: {bot: database/rotate-role/b}
"""
ADA = Target(identity="ada@example.com", email="ada@example.com", product="Okta", uid="00u1")


class Memory:
    """An outbox in memory, as the store's."""

    def __init__(self) -> None:
        self.rows: dict[str, Outgoing] = {}
        self.told: list[Notification] = []
        self.entries: list[Entry] = []
        self.crash = False

    def add(self, request: ResponseRequest) -> None:
        self.rows.setdefault(request.key, row_of(request))

    def claim(self, now: int, limit: int, lease: int) -> list[Row]:
        due = [r for r in self.rows.values() if r.state == "due" and r.due <= now][:limit]
        for row in due:
            self.rows[row.key] = row._replace(due=now + lease, attempts=row.attempts + 1)
        return [Row(r.key, r.created, r.attempts + 1, r.body, r.state) for r in due]

    def finish(self, key: str, state: str, body: bytes, error: str, notifications: Any,
               entries: Any, now: int) -> None:  # fmt: skip
        self._set(key, notifications, entries, state=state, body=body, error=error)

    def again(self, key: str, due: int, body: bytes, error: str, notifications: Any,
              entries: Any, now: int) -> None:  # fmt: skip
        self._set(key, notifications, entries, due=due, body=body, error=error)

    def _set(self, key: str, notifications: Any, entries: Any, **values: Any) -> None:
        if self.crash:
            raise SystemExit(137)
        self.rows[key] = self.rows[key]._replace(**values)
        self.told += notifications
        self.entries += entries

    def find(self, key: str) -> Row | None:
        row = self.rows.get(key)
        return None if row is None else Row(row.key, row.created, row.attempts, row.body, row.state)


class Company:
    """Vendors, an outbox, a clock and a worker."""

    def __init__(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str = SETTINGS
    ) -> None:
        for name in ("OKTA", "KC", "VAULT"):
            monkeypatch.setenv(name, f"hush-{name}")
        monkeypatch.setenv("HOOK", "hush-hush-webhook")
        file = tmp_path / "settings.yaml"
        file.write_text(text)
        self.settings = load_responses(file)
        self.outbox, self.time = Memory(), Time()
        self.asked: list[str] = []
        self.answers: dict[str, list[httpx2.Response]] = {}
        self.worker = self.hire()

    def hire(self) -> Worker:
        return Worker(
            self.outbox,
            self.settings,
            clock=self.time.clock(),
            connect=lambda c: client_for(
                c.action,
                c.settings,
                c.http,
                clock=self.time.clock(),
                transport=httpx2.MockTransport(self.answer),
                resolver=lambda host, port: ["93.184.215.14"],
            ),
        )

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        host = request.headers["host"]
        self.asked.append(f"{request.method} {host}{request.url.path}")
        left = self.answers.get(host, [])
        return left.pop(0) if left else httpx2.Response(200, json={"id": "x", "status": "ACTIVE"})

    def intend(self, action: str = "revoke", target: Target = ADA, **given: Any) -> ResponseRequest:
        made = ResponseRequest(
            key=response_key("e", "r", action), action=action, target=target, event_id="e",
            rule="r", reason="why", **({"time": NOW - 20_000, "decided": NOW} | given),
        )  # fmt: skip
        self.outbox.add(made)
        return made

    def row(self, request: ResponseRequest) -> Outgoing:
        return self.outbox.rows[request.key]

    def results(self, request: ResponseRequest) -> dict[str, str]:
        body = msgspec.json.decode(self.row(request).body, type=Intended)
        return {name: result.status for name, result in body.results.items()}

    def later(self, ms: int) -> int:
        self.time.now += ms
        return self.worker.run_once()


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    return Company(tmp_path, monkeypatch)


OKTA = "DELETE acme.okta.com/api/v1/users/00u1/sessions"
HOOK = "POST hooks.example.com/q"


def test_the_first_that_is_responsible_is_asked_and_those_beside_it(company: Company) -> None:
    asked = company.intend()
    assert company.worker.run_once() == 1
    assert company.asked == [OKTA, HOOK]
    assert company.results(asked) == {"okta": "done", "hook": "done"}
    assert company.row(asked).state == "done"
    assert company.outbox.told == []
    assert [e.action for e in company.outbox.entries] == ["response:done"] * 2
    assert company.worker.run_once() == 0
    assert company.worker.times.from_login["critical"].count == 1
    assert company.worker.times.from_login["critical"].total == 20.0
    assert company.worker.times.from_decision["critical"].total == 0.0
    assert company.worker.breakers() == {"okta": "closed", "hook": "closed"}


def test_only_what_failed_is_asked_again(company: Company) -> None:
    company.answers["hooks.example.com"] = [httpx2.Response(500)] * 3
    asked = company.intend()
    company.worker.run_once()
    assert company.results(asked) == {"okta": "done", "hook": "failed"}
    assert company.row(asked).state == "due"
    company.asked.clear()
    assert company.later(FIRST_WAIT - 1) == 0
    assert company.later(1) == 1
    assert company.asked == [HOOK]
    assert company.row(asked).state == "done"
    assert company.outbox.told == []
    assert company.worker.times.from_login["critical"].count == 1


def test_a_vendors_own_wait_is_kept(company: Company) -> None:
    company.answers["acme.okta.com"] = [httpx2.Response(429, headers={"Retry-After": "600"})]
    asked = company.intend()
    company.worker.run_once()
    assert company.row(asked).due == company.time.now + 600_000
    assert company.later(599_999) == 0
    assert company.later(1) == 1
    assert company.row(asked).state == "done"


def test_given_up_containment_pages_once_with_what_to_do(company: Company) -> None:
    company.answers["acme.okta.com"] = [httpx2.Response(500)] * 99
    asked = company.intend("disable")
    for _ in range(9):
        company.later(900_000)
    assert company.row(asked).state == "dead"
    assert company.row(asked).attempts == 4
    assert "acme.okta.com" in company.row(asked).error
    [page] = company.outbox.told
    assert (page.route, page.priority, page.about, page.what) == (
        "page",
        "P1",
        "containment",
        "failed",
    )
    assert page.title == "Could not disable ada@example.com"
    assert page.runbook == "docs/runbooks/response-failed.md"
    assert "hush" not in repr(page) + repr(company.outbox.entries)
    assert company.worker.times.from_login["critical"].failed == 1


def test_a_refusal_pages_at_once_and_is_not_repeated(company: Company) -> None:
    company.answers["acme.okta.com"] = [httpx2.Response(403, json={"errorSummary": "no"})]
    asked = company.intend("disable")
    company.worker.run_once()
    assert company.row(asked).state == "dead"
    assert len(company.outbox.told) == 1
    assert company.asked == ["GET acme.okta.com/api/v1/users/00u1"]


def test_a_late_containment_pages_while_it_goes_on(company: Company) -> None:
    company.answers["acme.okta.com"] = [httpx2.Response(429, headers={"Retry-After": "300"})] * 2
    asked = company.intend("disable")
    company.worker.run_once()
    assert company.outbox.told == []
    company.later(300_000)
    [page] = company.outbox.told
    assert page.text[-1] == "It is being tried again."
    company.later(300_000)
    assert company.row(asked).state == "done"
    assert len(company.outbox.told) == 1


def test_a_crash_after_the_vendor_answered_repeats_and_loses_nothing(company: Company) -> None:
    asked = company.intend()
    company.outbox.crash = True
    with pytest.raises(SystemExit):
        company.worker.run_once()
    company.outbox.crash = False
    company.worker = company.hire()
    assert company.worker.run_once() == 0, "still leased"
    assert company.later(LEASE) == 1
    assert company.row(asked).state == "done"
    assert company.asked == [OKTA, HOOK] * 2


def test_nobody_responsible_is_a_failure_that_pages(company: Company) -> None:
    asked = company.intend("isolate")
    company.worker.run_once()
    assert company.row(asked).state == "dead"
    [page] = company.outbox.told
    assert "no connection serves isolate for Okta; add one" in page.text[0]
    ticket = company.intend("ticket")
    company.worker.run_once()
    assert company.row(ticket).state == "dead"
    assert len(company.outbox.told) == 1, "a ticket contains nobody"
    block = company.intend("block")
    company.worker.run_once()
    assert company.row(block).state == "done"


@pytest.mark.parametrize(
    ("change", "given", "why", "pages"),
    [
        ({"identity": "breakglass@EXAMPLE.com"}, {}, "protected", 1),
        ({"email": "BREAKGLASS@example.com"}, {}, "protected", 1),
        ({}, {"time": NOW - 25 * 3_600_000}, "too long ago", 0),
        ({}, {"deadline": NOW - 1}, "too long ago", 0),
    ],
)
def test_what_must_not_be_done_by_itself_is_not(
    company: Company, change: dict[str, Any], given: dict[str, Any], why: str, pages: int
) -> None:
    asked = company.intend(target=msgspec.structs.replace(ADA, **change), **given)
    company.worker.run_once()
    assert company.row(asked).state == "dead"
    assert why in company.row(asked).error
    assert company.asked == []
    assert len(company.outbox.told) == pages


def test_another_action_may_take_the_place_of_what_a_vendor_lacks(company: Company) -> None:
    bot = Target(identity="bot", kind="service", product="CloudTrail")
    asked = company.intend("disable", bot)
    company.worker.run_once()
    assert company.asked == ["POST vault.internal/v1/database/rotate-role/b"]
    assert company.results(asked) == {"vault": "done"}


def test_dry_run_in_the_settings_asks_nobody(tmp_path: Path, monkeypatch: Any) -> None:
    text = SETTINGS.replace("  attempts: 4", "  dry_run: true")
    company = Company(tmp_path, monkeypatch, text)
    asked = company.intend()
    company.worker.run_once()
    assert company.asked == []
    assert company.results(asked) == {"okta": "dry_run", "hook": "dry_run"}
    assert company.row(asked).state == "done"
    assert company.worker.times.from_login == {}


def test_a_damaged_row_is_put_aside(company: Company) -> None:
    company.outbox.rows["x"] = Outgoing("x", "response", 0, 0, b"{]")
    company.worker.run_once()
    assert company.outbox.rows["x"].state == "dead"


def test_undo_takes_back_once_and_records_who_and_why(company: Company) -> None:
    asked = company.intend("disable")
    company.worker.run_once()
    company.asked.clear()
    shown = company.worker.undo(asked.key, by="dana", why="it was her", dry_run=True)
    assert (company.asked, shown[0].status) == ([], "dry_run")
    [taken] = company.worker.undo(asked.key, by="dana", why="it was her")
    assert taken.status == "undone"
    assert company.asked == ["POST acme.okta.com/api/v1/users/x/lifecycle/unsuspend"]
    last = company.outbox.entries[-1]
    assert (last.actor, last.action) == ("dana", "response:undone")
    assert last.details["why"] == "it was her"
    with pytest.raises(UsageError, match="undone already"):
        company.worker.undo(asked.key, by="dana", why="again")
    with pytest.raises(UsageError, match="no response with the key"):
        company.worker.undo("nothing", by="dana", why="x")


def test_what_was_half_done_can_be_taken_back_whole(company: Company) -> None:
    """The first attempt suspends and dies before the answer; the second finds it suspended."""
    asked = company.intend("disable", msgspec.structs.replace(ADA, product="Keycloak", uid="u"))
    company.settings = msgspec.structs.replace(
        company.settings,
        connections=tuple(
            msgspec.structs.replace(c, products=("Keycloak",))
            for c in company.settings.connections
            if c.name == "keycloak"
        ),
    )
    company.worker = company.hire()
    company.answers["sso.example.com"] = [
        httpx2.Response(200, json={"access_token": "t", "expires_in": 300}),
        httpx2.Response(200, json={"enabled": True}),
        httpx2.Response(204),
        *[httpx2.Response(500)] * 3,
        httpx2.Response(200, json={"enabled": False}),
        httpx2.Response(204),
    ]
    company.worker.run_once()
    company.later(FIRST_WAIT)
    assert company.results(asked) == {"keycloak": "nothing_to_do"}
    company.answers["sso.example.com"] = [httpx2.Response(204)]
    assert company.worker.undo(asked.key, by="d", why="w")[0].status == "undone"


# --- from a decision to a request


EVENT = AuthEvent(
    time=NOW, activity_id=1, status_id=1,
    user=User(name="Ada", uid="00u1", email_addr="ada@example.com", credential_uid="c",
              account=Account(uid="acc")),
    metadata=Metadata(version="1.8.0", product=Product(name="Okta"), uid="evt", tenant_uid="t"),
    session=Session(uid="s"), unmapped=Unmapped(role="admin", resource="shop"),
)  # fmt: skip


def line(decision: dict[str, Any]) -> bytes:
    found: dict[str, Any] = {
        "event": msgspec.json.decode(encode_event(EVENT)),
        "id": "evt", "identity": "ada@example.com", "identity_kind": "human", "risk_score": 91.0,
        "risk_level": "critical",
        "reasons": [{"signal": "country", "text": "new country", "weight": 4}],
        "decision": decision,
    }  # fmt: skip
    return msgspec.json.encode(found)


def test_only_what_acts_becomes_a_request() -> None:
    also = [{"action": "ticket", "mode": "enforce", "rule": "p/t"},
            {"action": "notify", "mode": "enforce", "rule": "p/n"},
            {"action": "rotate", "mode": "shadow", "rule": "p/s"}]  # fmt: skip
    decided = {"action": "revoke", "mode": "enforce", "rule": "p/r", "also": also}
    found = requests_of_line(line(decided), decided=NOW + 5)
    assert [(r.action, r.rule) for r in found] == [("revoke", "p/r"), ("ticket", "p/t")]
    assert found[0].reason == "new country"
    assert found[0].key == response_key("evt", "p/r", "revoke")
    assert (found[0].time, found[0].decided) == (NOW, NOW + 5)
    for mode, count in (("shadow", 0), ("canary", 1), ("enforce", 1)):
        asked = {"action": "revoke", "mode": mode, "rule": "r"}
        assert len(requests_of_line(line(asked))) == count
        assert len(requests_of_line(line(asked), acting=False)) == 1


def test_a_judged_login_gives_rows_only_where_its_decision_acts() -> None:
    engine = Engine(State(), Enricher(None, None), signals())
    scored = engine.step(EVENT)
    assert scored is not None
    assert rows_of(scored, "evt", NOW + 5) == []
    acting = Decision(action="revoke", mode="canary", rule="p/r")
    scored = msgspec.structs.replace(scored, decision=acting)
    [row] = rows_of(scored, "evt", NOW + 5)
    assert (row.key, row.kind, row.due) == (
        response_key("evt", "p/r", "revoke"),
        "response",
        NOW + 5,
    )
    body = msgspec.json.decode(row.body, type=Intended)
    assert body.request.target.email == "ada@example.com"


def test_a_target_has_every_id_that_the_login_showed() -> None:
    assert target_of(EVENT, "ada@example.com", "human") == Target(
        identity="ada@example.com",
        kind="human",
        product="Okta",
        name="Ada",
        uid="00u1",
        email="ada@example.com",
        session="s",
        credential="c",
        account="acc",
        tenant="t",
        role="admin",
        resource="shop",
    )


def test_keys_differ_wherever_one_of_three_does() -> None:
    threes = (("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("a", "b", "d"))
    assert len({response_key(*three) for three in threes}) == len(threes)


def test_the_clock_counts_within_the_target() -> None:
    times = Remediation()
    times.done("critical", 0, 1000, 60_000)
    times.done("critical", 0, 1000, 400_000)
    times.failed("critical")
    numbers = times.numbers()
    assert numbers["login_critical_done"] == 2
    assert numbers["login_critical_within_target"] == 1
    assert numbers["login_critical_seconds_le_60"] == 1
    assert numbers["login_critical_seconds_le_3600"] == 2
    assert numbers["decision_critical_seconds_sum"] == 458.0
    assert numbers["decision_critical_failed"] == 1


# --- settings


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("responses: {connections: [{vendor: oktaa}]}", r"\[0\]\.vendor: no vendor 'oktaa'"),
        ("responses: {connections: [{vendor: okta}]}", r"connections\[0\]\.settings: .*`url`"),
        (
            "responses: {connections: [{vendor: okta, settings: {url: https://a, token: hush}}]}",
            r"settings\.token: .*never the secret itself",
        ),
        (
            ("responses: {connections: [{vendor: okta, settings: {url: 'https://u:hush@a',"
            " token: {env: T}}}]}"),
            "user name or password",
        ),
        ("responses: {connections: [{vendor: okta, setings: {}}]}", "unknown field `setings`"),
        (
            "responses: {connections: [{vendor: okta, serves: [isolate], SET}]}",
            "Okta does not isolate; it does",
        ),
        (
            "responses: {connections: [{vendor: okta, serves: [explode], SET}]}",
            "no action 'explode'",
        ),
        (
            ("responses: {connections: [{vendor: vault, settings: {url: https://a,"
            " token: {env: T}, rotate: {a: secret/data}}}]}"),
            "rotates nothing",
        ),
        ("responses: {attempts: 0}", "responses.attempts"),
        ("responses: [", ":1: broken YAML"),
        ("- a", "expected sections"),
        (
            "responses: {connections: [&a {vendor: okta, SET}, *a]}",
            "okta is there twice",
        ),
    ],
)  # fmt: skip
def test_a_fault_in_the_settings_is_named_and_no_secret_told(
    tmp_path: Path, text: str, problem: str
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text.replace("SET", "settings: {url: https://a, token: {env: T}}"))
    with pytest.raises(UsageError, match=problem) as caught:
        load_responses(file)
    assert str(file) in str(caught.value)
    assert "hush" not in str(caught.value)


def test_no_section_is_no_connection(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("other: 1\n")
    assert load_responses(file) == Responses()
    with pytest.raises(UsageError, match="No such file"):
        load_responses(tmp_path / "none.yaml")


# --- in the store, and at the command line


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    with Store(folder) as store:
        shadow = {"action": "revoke", "mode": "shadow", "rule": "default/critical-revoke"}
        row = Kept(
            id="evt", time=NOW, identity="ada@example.com", risk_score=91.0, body=line(shadow)
        )
        store.commit(Batch(rows=[row]))
    return folder


def test_the_stores_outbox_keeps_what_the_worker_says(company: Company, state: Path) -> None:
    asked = company.intend("disable")
    with Store(state) as store:
        outbox = StoredOutbox(store)
        outbox.put([company.row(asked), company.row(asked)])
        company.answers["acme.okta.com"] = [httpx2.Response(500)] * 3
        worker = Worker(outbox, company.settings, clock=company.time.clock(),
                        connect=company.worker._connect)  # fmt: skip
        assert worker.run_once() == 1
        assert worker.run_once() == 0
        assert outbox.counts() == {"due": 1}
        company.time.now += FIRST_WAIT
        assert worker.run_once() == 1
        assert outbox.counts() == {"done": 1}
        found = outbox.find(asked.key[:8])
        assert found is not None
        assert found.attempts == 2
        company.answers["acme.okta.com"] = [httpx2.Response(403)]
        other = company.intend("rotate")
        outbox.put([company.row(other)])
        worker.run_once()
        assert outbox.counts() == {"done": 1, "dead": 1}
        pages = StoredOutbox(store, "notification").rows()
        assert [row.key for row, _, _ in pages] == [f"containment-{other.key}"]


def test_dry_run_shows_exactly_what_would_be_asked(
    company: Company, state: Path, tmp_path: Path
) -> None:
    settings = str(tmp_path / "settings.yaml")
    found = CliRunner().invoke(
        cli, ["respond", "dry-run", "evt", "--state", str(state), "--settings", settings]
    )
    assert found.exit_code == 0, found.output
    assert found.output.splitlines()[:4] == [
        "revoke ada@example.com (default/critical-revoke)",
        "  okta (Okta):",
        (
            "    1. end all sessions of 00u1: DELETE https://acme.okta.com/api/v1/users/00u1/sessions"
            "?oauthTokens=true"
        ),
        "    cannot be taken back",
    ]
    assert "hush" not in found.output
    assert company.asked == []
    other = CliRunner().invoke(
        cli,
        ["respond", "dry-run", "evt", "--state", str(state), "--settings", settings,
         "--action", "isolate"],
    )  # fmt: skip
    assert "nobody would be asked" in other.output


def test_list_shows_what_came_of_each(company: Company, state: Path) -> None:
    asked = company.intend()
    company.worker.run_once()
    with Store(state) as store:
        StoredOutbox(store).put([company.row(asked)])
    found = CliRunner().invoke(cli, ["respond", "list", "--state", str(state)])
    assert found.exit_code == 0, found.output
    assert asked.key in found.output
    assert "okta done" in found.output
    told = CliRunner().invoke(cli, ["respond", "list", "--state", str(state), "--json"])
    assert msgspec.json.decode(told.output)["intended"]["results"]["okta"]["status"] == "done"


def test_run_works_on_what_is_due_and_ends(company: Company, state: Path, tmp_path: Path) -> None:
    with Store(state) as store:
        StoredOutbox(store).put([company.row(company.intend("isolate"))])
    found = CliRunner().invoke(
        cli,
        ["respond", "run", "--state", str(state), "--settings", str(tmp_path / "settings.yaml")],
    )
    assert found.exit_code == 0, found.output
    assert "1 worked on; in all 0 due, 0 done, 1 dead" in found.output
    with Store(state) as store:
        assert StoredOutbox(store, "notification").counts() == {}, "the login is too long ago"


def test_undo_at_the_command_line_needs_a_reason(
    company: Company, state: Path, tmp_path: Path
) -> None:
    asked = company.intend("disable")
    company.worker.run_once()
    with Store(state) as store:
        StoredOutbox(store).put([company.row(asked)])
    words = ["respond", "undo", asked.key[:10], "--state", str(state), "--settings",
             str(tmp_path / "settings.yaml"), "--by", "dana", "--dry-run"]  # fmt: skip
    found = CliRunner().invoke(cli, [*words, "--why", "it was her"])
    assert found.exit_code == 0, found.output
    assert "/api/v1/users/x/lifecycle/unsuspend" in found.output
    assert CliRunner().invoke(cli, words).exit_code != 0
    assert isinstance(CliRunner().invoke(cli, [*words, "--why", " "]).exception, UsageError)
