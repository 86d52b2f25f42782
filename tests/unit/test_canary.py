"""The canary: through a store's own path, over HTTP, and alarming when a link is broken."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from quivive.app import canary, policies
from quivive.app.canary import takeover, through_store
from quivive.app.canary_http import over_http
from quivive.app.errors import UsageError
from quivive.app.intents import requests_of
from quivive.app.keeping import load_state
from quivive.app.weekly import weekly
from quivive.cli.canary import command
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import Decision
from quivive.model.canary import is_canary
from quivive.policy.budget import Budgets
from quivive.server.figures import Figures
from quivive.server.judging import Judging, Settings
from quivive.server.rehearsal import judging
from quivive.store import console
from quivive.store.database import Store
from quivive.store.incidents import Incidents
from quivive.store.models import Author
from quivive.store.outbox import StoredOutbox
from quivive.store.verdicts import Verdicts
from tests.scenario.company import DANA, at, ordinary, usual

NOW = 1_772_439_245_000


def links(found: list[canary.Found]) -> dict[str, bool]:
    return {one.link: one.passed for one in found}


def test_it_comes_out_of_a_store(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        found = through_store(store, judging, lambda: NOW)
        assert links(found) == dict.fromkeys(
            ("finding", "decision", "incident", "notification"), True
        )
        (row, _, _), *_ = StoredOutbox(store, "notification").rows()
        told = json.loads(row.body)
        assert (told["about"], told["route"], told["priority"]) == ("canary", "ticket", "P4")


def test_it_comes_out_week_after_week(tmp_path: Path) -> None:
    """Every hour for a day, and the same again a week later: never a repetition of itself."""
    with Store(tmp_path) as store:
        for hour in [*range(0, 24, 4), *range(168, 172, 2)]:
            found = through_store(store, judging, lambda at=hour: NOW + at * 3_600_000)  # type: ignore[misc]
            assert all(one.passed for one in found), (hour, found)


def test_no_figure_and_no_question_is_about_it(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        with store.writing("test"):
            made = judging(store, Enricher(None, None), lambda: NOW)
            for event in ordinary(0, 4):
                made.judge("log", event)
            made.checkpoint()
        before = _figures(store)
        for hour in range(0, 24, 4):
            through_store(store, judging, lambda at=hour: LAST + at * 600_000)  # type: ignore[misc]
        assert len(Incidents(store).listed(limit=100)) >= 6
        assert _figures(store) == before


LAST = at(3)


def _figures(store: Store) -> object:
    report = weekly(store, NOW, at(0), at(5))
    return (
        report.logins, report.findings, report.daily, report.incidents, report.services,
        report.notable, console.riskiest(store, 0, 9), console.logins_since(store, 0)[1],
        Verdicts(store).population(), [login.id for login in Verdicts(store).ranked()],
    )  # fmt: skip


def test_its_incidents_wait_for_nobody(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        for hour in range(0, 72, 4):
            through_store(store, judging, lambda at=hour: NOW + at * 3_600_000)  # type: ignore[misc]
        found = Incidents(store).listed(limit=100)
        assert {(i.priority, i.route) for i in found} == {("P4", "ticket")}
        assert {i.told_times for i in found if i.status == "open"} == {1}  # nor told again
        assert sum(i.status == "open" for i in found) <= 24 / 4 + 1


def test_it_teaches_nothing_and_asks_nobody(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        through_store(store, judging, lambda: NOW)
        state = load_state(store)
        assert state is not None
        _, identity, _ = takeover(NOW)
        assert (
            state.organisation.levels_empty if hasattr(state.organisation, "levels_empty") else True
        )
        profile = state.profiles.get(identity)
        assert profile is None or not profile.own.tables
        assert StoredOutbox(store, "response").rows() == []
    event = usual(DANA, at(1))
    asked = [
        requests_of(
            event, Decision(action="revoke", mode="enforce", rule="r"), event_id="e",
            identity=name, kind="human", reasons=[], risk_score=90.0, risk_level="critical",
            decided=NOW,
        )
        for name in (DANA.email, identity)
    ]  # fmt: skip
    assert [len(each) for each in asked] == [1, 0]
    assert is_canary(identity)
    assert not is_canary(DANA.email)


def test_it_teaches_an_organisation_at_work_nothing(tmp_path: Path) -> None:
    last = 0
    with Store(tmp_path) as store:
        with store.writing("test"):
            made = judging(store, Enricher(None, None), lambda: NOW)
            for event in ordinary(0, 4):
                made.judge("log", event)
                last = event.time
            made.checkpoint()
            before = made.live.state.organisation.known
        through_store(store, judging, lambda: last + 60_000)
        state = load_state(store)
        assert state is not None
        assert (state.organisation.known, before > 10) == (before, True)
        assert all(
            "Canary" not in key
            for level in (state.organisation.everyone, *state.organisation.groups.values())
            for table in level.tables.values()
            for key in table.values
        )


def test_no_metric_counts_it(tmp_path: Path) -> None:
    figures = Figures()

    def make(store: Store, enricher: Enricher, clock: Callable[[], int]) -> Judging:
        return Judging(store, Settings(enricher, Budgets()), figures, clock)

    with Store(tmp_path) as store:
        through_store(store, make, lambda: NOW)
    assert not figures.logins
    assert not figures.decisions


def test_a_policy_that_lets_it_pass_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "nothing.yaml"
    file.write_text(
        "name: nothing\nversion: 1\nowner: x\n"
        "rules:\n  - {id: never, when: 'assessment.risk >= 100.0', action: page}\n"
    )
    author = Author("test", "to see the canary alarm", NOW)
    with Store(tmp_path / "state") as store:
        policies.activate(store, file, author)
        found = links(through_store(store, judging, lambda: NOW))
        assert found == {
            "finding": True, "decision": False, "incident": True, "notification": True
        }  # fmt: skip


class Server:
    """A server as far as the canary asks it; ``lines`` is what it shows of assessments."""

    def __init__(self, lines: list[object], status: int = 202) -> None:
        self.lines, self.status = lines, status
        self.sent = b""

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == "Bearer t"
        if request.url.path == "/v1/events":
            self.sent = request.content
            return httpx2.Response(self.status, json={})
        if request.url.path == "/v1/assessments":
            return httpx2.Response(200, json={"assessments": self.lines})
        return httpx2.Response(200, json={"identity": "x", "incidents": ["INC-1"]})


def ask(server: Server) -> dict[str, bool]:
    transport = httpx2.MockTransport(server)
    slept: list[float] = []
    found = over_http("http://q", "t", 1.0, NOW, transport=transport, sleep=slept.append)
    assert sum(slept) <= 1.0
    return links(found)


def test_it_comes_out_of_a_server(tmp_path: Path) -> None:
    event_id, _, _ = takeover(NOW)
    with Store(tmp_path) as store:
        through_store(store, judging, lambda: NOW)
        line = store.assessment(event_id)
    assert line is not None
    server = Server([json.loads(line)])
    assert ask(server) == dict.fromkeys(("taken in", "finding", "decision", "incident"), True)
    assert json.loads(server.sent)["metadata"]["uid"] == event_id


def test_a_server_that_does_not_answer_is_noticed() -> None:
    assert ask(Server([], 503)) == {"taken in": False}
    assert ask(Server([])) == {"taken in": True, "assessment": False, "incident": False}
    with pytest.raises(UsageError, match="--url"):
        over_http("file:///etc", "t", 1.0, NOW)


def test_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = CliRunner()
    done = runner.invoke(command, [], catch_exceptions=False)
    assert done.exit_code == 0
    assert "came through  notification" in done.output
    monkeypatch.setattr(
        canary, "through_store", lambda *_: [canary.Found("incident", False, "none was opened")]
    )
    done = runner.invoke(command, [])
    assert done.exit_code == 1
    assert "ALARM" in done.output
    assert runner.invoke(command, ["--url", "http://q"]).exit_code == 2
    assert runner.invoke(command, ["--every", "5m"]).exit_code == 2
