"""What the game days S4 to S6 have to find, and that each of their own demands can fail."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace as changed

from quivive.app.gamedays import s4, s5, s6
from quivive.app.gamedays.fakes import Receiver, Reply
from quivive.app.gamedays.report import Report
from quivive.app.gamedays.rotation import stolen_function
from quivive.app.gamedays.run import run
from quivive.model.context import Context
from quivive.policy.budget import Budgets
from quivive.server.figures import Figures
from quivive.server.judging import Answer, Judging, Settings
from quivive.server.rehearsal import judging
from quivive.sim.action import Action, CloudCall
from quivive.sim.gamedays import Plan, rehearse
from quivive.store.policies import Policies


def failed(report: Report) -> set[str]:
    return {check.what for check in report.checks if not check.passed}


def actions_of(plan: Plan, folder: Path) -> list[Action]:
    """What happens in a plan, before a scenario changes it."""
    found: list[Action] = []
    rehearse(folder, plan, lambda actions: found.extend(actions) or found)
    return found


# --- S4: a flood


class Careless(Judging):
    """Loses one record in five hundred, knows no record again, and takes no short road."""

    handed = 0

    def judge(self, log: str, event: Any, origin: Any = None) -> Answer:
        self.handed += 1
        if self.handed % 500 == 0:
            return Answer("lost", None)
        self._engine.shortens = False
        uid = f"{event.metadata.uid}#{self.handed}"
        return super().judge(log, changed(event, metadata=changed(event.metadata, uid=uid)), origin)


def test_s4_multiplies_what_machines_do_around_the_attack_and_nothing_else(tmp_path: Path) -> None:
    before = actions_of(stolen_function(s4.SCENARIO.seed), tmp_path)
    flooded = list(s4.flood(before))
    first = min(a.time for a in before if a.incident)
    times = Counter(id(a) for a in flooded)
    assert all(times[id(a)] == 1 for a in before)  # what was there is there, once
    of = {id(a) for a in before}
    copies = [a for a in flooded if id(a) not in of]
    machines = {a.identity for a in before if isinstance(a, CloudCall)}
    assert {a.identity for a in copies} <= machines
    assert not any(a.incident for a in copies)
    near = [a for a in before if isinstance(a, CloudCall) and not a.incident
            and first - s4.BEFORE < a.time < first + 3600]  # fmt: skip
    assert near
    assert len(copies) == len(near) * (s4.TIMES - 1)


def test_s4_finds_the_attacker_in_the_flood_by_the_short_road() -> None:
    report = run(s4.SCENARIO, judging)
    assert report.passed
    found = {check.what: check.found for check in report.checks}
    judged = report.figures["records of the flood"]
    assert judged > 5_000
    assert found["nothing lost"] == f"{judged:,} of {judged:,}"
    assert found["duplicates"] == "500 of 500 known, 0 requests"
    assert float(found["tiers"].split("%")[0]) > 90
    assert report.measured["CPU seconds a million events"] > 0


def test_s4_fails_where_records_are_lost_or_judged_twice_or_all_at_length() -> None:
    report = run(
        s4.SCENARIO,
        lambda store, enricher, clock: Careless(
            store, Settings(enricher, Budgets()), Figures(), clock
        ),
    )
    assert {"nothing lost", "duplicates", "tiers"} <= failed(report)


# --- S5: a launch


class Endless(Policies):
    """Keeps contexts for ever, and lets them raise no threshold."""

    def add(self, contexts: list[Context], *more: Any) -> Any:
        for_ever = [changed(c, ends=c.ends + 10**10, margin=0.0) for c in contexts]
        return super().add(for_ever, *more)


def test_s5_fails_where_the_context_changes_nothing_and_never_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s5, "Policies", Endless)
    report = run(s5.SCENARIO, judging)
    assert failed(report) == {"the surge is not told one by one", "thresholds are back"}
    found = {check.what: check.found for check in report.checks}
    assert found["an attacker inside the surge"].endswith("acted upon, under launch-week")
    assert found["no permanent blind spot"].startswith("1 login")
    assert found["context on record"] == "context:add"


def test_s5_fails_where_the_attackers_records_do_not_arrive() -> None:
    missing = failed(run(s5.SCENARIO, judging, broken="detection"))
    assert {"detection", "an attacker inside the surge", "no permanent blind spot"} <= missing
    assert "thresholds are back" not in missing


# --- S6: a pipeline's token


class Deaf(Receiver):
    """Gets every request changed on its way."""

    def answer(self, request: httpx2.Request, path: str, now: int) -> Reply:
        content = request.content + b" "
        headers = {k: v for k, v in request.headers.items() if k.lower() != "content-length"}
        other = httpx2.Request(request.method, request.url, headers=headers, content=content)
        return super().answer(other, path, now)


def test_s6_gives_the_new_key_to_the_pipelines_own_runner_alone(tmp_path: Path) -> None:
    plan = Plan(s6.SCENARIO.seed, 30, 34, ("cloudtrail",), (("ci_token_outside", 28),), ends=32)
    before = actions_of(plan, tmp_path)
    after = list(s6.with_new_key(before))
    assert len(after) == len(before)
    stolen = next(a for a in before if a.incident and isinstance(a, CloudCall))
    new = [(a, b) for a, b in zip(before, after, strict=True) if a is not b]
    assert new
    for old, now in new:
        assert isinstance(old, CloudCall)
        assert (old.identity, old.incident) == (stolen.identity, "")
        assert old.time > stolen.time + s6.FETCHED
        assert now == replace(old, principal=replace(old.principal, key=s6.NEW_KEY))


def test_s6_suspends_the_stolen_key_and_deployments_go_on() -> None:
    report = run(s6.SCENARIO, judging)
    assert report.passed
    found = {check.what: check.found for check in report.checks}
    assert found["suspended"].startswith("AKIA")
    assert found["suspended"].endswith("; 0 with a wrong signature")
    calls = report.figures["calls of the pipeline's own runner afterwards"]
    assert calls >= 10
    assert found["deployments kept alive"] == f"{calls} calls, 0 with the suspended key, 0 stopped"


def test_s6_fails_where_the_pipeline_keeps_the_old_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s6, "FETCHED", 1e9)
    assert "deployments kept alive" in failed(run(s6.SCENARIO, judging))


def test_s6_fails_where_requests_are_changed_on_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s6, "Receiver", Deaf)
    report = run(s6.SCENARIO, judging)
    assert {"suspended", "action at the vendor"} <= failed(report)
    found = {check.what: check.found for check in report.checks}
    assert found["suspended"].startswith("none; ")
    assert not found["suspended"].endswith("; 0 with a wrong signature")
