"""The console's tuning pages: nothing changes without a role, a token and a record of it."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec
import pytest
import sqlalchemy as sa

from quivive.app import policies
from quivive.app.learning import Report
from quivive.app.policy_edit import Edit, edited
from quivive.app.policy_file import checked_text, shipped, shipped_text
from quivive.app.preview import preview
from quivive.learn.comparison import compare
from quivive.learn.promotion import Gate
from quivive.scoring.model import SHIPPED, Model, encode_model
from quivive.store.audit import Filters, Trail
from quivive.store.database import Store
from quivive.store.models import Author, Models
from quivive.store.policies import Policies
from quivive.store.schema import dead_letters
from quivive.store.verdicts import Verdicts
from tests.unit.company_state import company
from tests.unit.console import Browser, Page, cheap
from tests.unit.serving import NOW, Served

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
LIMITED = next(r for r in shipped().rules if r.limit is not None)
STEP_UP = next(r for r in shipped().rules if r.action == "step_up")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = cheap(Served(company(tmp_path_factory.mktemp("tuning"))))
    yield found
    found.close()


@pytest.fixture(scope="module")
def who(served: Served) -> dict[str, Browser]:
    return {name: Browser(served, name) for name in ("vic", "ana", "rob", "ada")}


def store_of(served: Served) -> Store:
    return served.server.context.store


def recorded(served: Served, action: str) -> list[Any]:
    return list(Trail(store_of(served)).records(Filters(action=action)))


POSTS = (
    ("/tuning/preview", "ana"),
    ("/tuning/activate", "ada"),
    ("/tuning/roll-back", "ada"),
    ("/tuning/flag", "ada"),
    ("/tuning/contexts", "rob"),
    ("/tuning/contexts/c1/end", "rob"),
    ("/tuning/models/roll-back", "ada"),
    ("/tuning/models/v1", "ada"),
    ("/tuning/verdicts/ask", "ana"),
)
RANKS = ("vic", "ana", "rob", "ada")


@pytest.mark.parametrize(("path", "least"), POSTS)
def test_every_change_needs_the_role_and_the_token(
    served: Served, who: dict[str, Browser], path: str, least: str
) -> None:
    before = [r.seq for r in Trail(store_of(served)).records()]
    for name in RANKS[: RANKS.index(least)]:
        assert who[name].post(path, why="x").status_code == 403, name
    assert who[least].ask("POST", path, data={"why": "x"}).status_code == 403  # no token
    elsewhere = who[least].ask("POST", path, data={"csrf": who[least].form("/account")},
                               headers={"origin": "https://evil.example"})  # fmt: skip
    assert elsewhere.status_code == 403
    assert Browser(served).ask("POST", path, data={}).status_code == 401
    assert [r.seq for r in Trail(store_of(served)).records()] == before


def test_viewers_see_what_can_be_connected_and_none_of_the_tuning(who: dict[str, Browser]) -> None:
    for path in ("/tuning", "/tuning/contexts", "/tuning/sources", "/tuning/drift",
                 "/tuning/models", "/tuning/alerts", "/tuning/verdicts"):  # fmt: skip
        assert who["vic"].get(path).status_code == 403
        answer = who["ana"].get(path)
        assert answer.status_code == 200, path
        assert Page(answer.text).acting == []
    assert "Entra ID" in who["vic"].get("/sources").text


# --- the policy


def test_sliders_show_who_would_be_touched_and_save_nothing(
    served: Served, who: dict[str, Browser]
) -> None:
    store = store_of(served)
    fields = {f"budget.{LIMITED.id}": "1", f"mode.{STEP_UP.id}": "enforce", "days": "90"}
    answer = who["ana"].post("/tuning/preview", **fields)
    assert answer.status_code == 200
    text = edited(shipped_text(), [Edit(LIMITED.id, None, 1), Edit(STEP_UP.id, "enforce")],
                  shipped().rules)  # fmt: skip
    expected = preview(store, checked_text(text, "p").policy(), shipped())
    mine = expected.outcomes[0]
    shown = Page(answer.text).text
    assert f"{expected.logins:,} logins of 90 days" in shown
    touched = mine.challenged.identities | mine.stopped.identities | mine.told.identities
    assert touched
    assert all(name in shown for name in touched)
    assert Policies(store).active() == "shipped"
    assert recorded(served, "policy") == []
    part = who["ana"].ask("POST", "/tuning/preview", headers={"hx-request": "true"},
                          data={"csrf": who["ana"].form("/tuning"), **fields})  # fmt: skip
    assert "<html" not in part.text
    assert "An administrator activates it" in part.text


@pytest.mark.parametrize(
    "fields",
    [
        {f"budget.{LIMITED.id}": "0"},
        {f"budget.{LIMITED.id}": "a few"},
        {f"mode.{STEP_UP.id}": "always"},
    ],
)
def test_values_that_cannot_be_are_refused(who: dict[str, Browser], fields: dict[str, str]) -> None:
    answer = who["ana"].post("/tuning/preview", **fields)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert who["ana"].post("/tuning/preview", days="9999").status_code == 400


def test_a_text_with_errors_is_shown_with_their_lines(
    served: Served, who: dict[str, Browser]
) -> None:
    text = shipped_text().replace("assessment.level", "assessment.levle", 1)
    for path, name in (("/tuning/preview", "ana"), ("/tuning/activate", "ada")):
        answer = who[name].post(path, text=text, why="try")
        assert answer.status_code == 422
        shown = Page(answer.text)
        assert "levle" in shown.text
        assert re.search(r"line \d+|:\d+:\d+", shown.text)
    evil = who["ana"].post("/tuning/preview", text=f"name: {EVIL}\nrules: []\n")
    assert Page(evil.text).acting == []
    assert Policies(store_of(served)).versions() == []


def test_activate_flag_and_roll_back_hold_at_once_and_are_recorded(
    served: Served, who: dict[str, Browser]
) -> None:
    ada, store = who["ada"], store_of(served)
    text = edited(shipped_text(), [Edit(STEP_UP.id, "canary", None, 20)], shipped().rules)
    text = text.replace(f"id: {STEP_UP.id}\n", f"id: {STEP_UP.id}\n    flag: careful\n")
    assert ada.post("/tuning/activate", text=text, why="  ").status_code == 422
    done = ada.post("/tuning/activate", text=text.replace("\n", "\r\n"), why="try it on some")
    assert done.headers["location"] == "/tuning?said=policy"
    judging = served.server.judge.judging
    found = next(r for r in judging.policy.policy.rules if r.id == STEP_UP.id)
    assert (found.mode, found.share) == ("canary", 0.2)
    assert Policies(store).version("p1").body == text
    assert who["ana"].get("/tuning/policies/p1").text == text
    assert "careful" in who["ana"].get("/tuning").text

    assert ada.post("/tuning/flag", flag="careful", on="no").status_code == 303
    assert judging.policy.policy.flags["careful"] is False
    assert ada.post("/tuning/flag", flag="unknown", on="no").status_code == 422

    assert ada.post("/tuning/roll-back", why="enough").status_code == 303
    assert Policies(store).active() == "shipped"
    assert ada.post("/tuning/roll-back", to="p99", why="x").status_code == 422
    entries = recorded(served, "policy")
    assert [(r.action, r.subject, r.actor) for r in entries] == [
        ("policy:activate", "p1", "ada"),
        ("policy:flag-off", "careful", "ada"),
        ("policy:rollback", "shipped", "ada"),
    ]
    assert "try it on some" in entries[0].details


def test_the_text_of_a_form_is_the_whole_policy_and_can_be_seen(
    served: Served, who: dict[str, Browser]
) -> None:
    text = shipped_text().replace("budget: 5/hour", "budget: 6/hour") + "# end\n" * 500
    answer = who["ana"].post("/tuning/preview", text=text)
    areas = re.findall(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)
    assert areas
    assert all(html.unescape(area).strip() == text.strip() for area in areas)
    for name, path in (("ana", "/tuning/preview"), ("ada", "/tuning/activate")):
        refused = who[name].post(path, text=text + "# \u202e reversed", why="x")
        assert refused.status_code == 422
        assert "U+202E" in refused.text


# --- contexts


def test_a_context_is_added_and_ended_with_reasons(served: Served, who: dict[str, Browser]) -> None:
    rob, store = who["rob"], store_of(served)
    given = {"kind": "travel", "reason": EVIL, "until": "3d", "countries": "fi, se",
             "identities": "ann@example.com\nbob@example.com"}  # fmt: skip
    assert rob.post("/tuning/contexts", **given).status_code == 303
    context = Policies(store).contexts()[-1]
    assert context.identities == ("ann@example.com", "bob@example.com")
    assert context.countries == ("FI", "SE")
    assert context.owner == "rob"
    assert context.ends == NOW + 3 * 86_400_000
    assert context in served.server.judge.judging.policy.contexts.all
    page = Page(rob.get("/tuning/contexts").text)
    assert EVIL in page.text
    assert page.acting == []
    end = f"/tuning/contexts/{context.id}/end"
    assert rob.post(end, why=" ").status_code == 422
    assert rob.post(end, why="back already").status_code == 303
    assert Policies(store).contexts()[-1].ends == NOW
    assert rob.post(end, why="again").status_code == 422
    assert [(r.action, r.actor) for r in recorded(served, "context")] == [
        ("context:add", "rob"), ("context:end", "rob"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kind": "travel", "reason": "x", "identities": "a@example.com"}, "has to name"),
        ({"kind": "travel", "reason": "", "identities": "a", "countries": "FI"}, "reason"),
        ({"kind": "party", "reason": "x"}, "no kind of context"),
        ({"kind": "grace", "reason": "x", "identities": "a", "until": "2020-01-01"}, "before it"),
        ({"kind": "maintenance", "reason": "x", "addresses": "0.0.0.0/0"}, "most of the internet"),
        ({"kind": "campaign", "reason": "x", "identities": "a", "margin": "much"}, "no number"),
        ({"kind": "safelist", "reason": "x", "addresses": "192.0.2.1"}, "takes the role admin"),
        ({"kind": "override", "reason": "x", "identities": "a", "action": "allow"}, "role admin"),
    ],
)
def test_a_context_that_cannot_be_is_refused_and_what_was_written_stays(
    served: Served, who: dict[str, Browser], given: dict[str, str], says: str
) -> None:
    before = len(Policies(store_of(served)).contexts())
    answer = who["rob"].post("/tuning/contexts", **given)
    assert answer.status_code == 422
    assert says in Page(answer.text).text
    if given["reason"]:
        assert f'value="{given["reason"]}"' in answer.text
    assert len(Policies(store_of(served)).contexts()) == before


def test_shared_egress_stands_beside_them(who: dict[str, Browser]) -> None:
    whole = who["ana"].get("/tuning/contexts/shared")
    part = who["ana"].get("/tuning/contexts/shared", headers={"hx-request": "true"})
    assert "<html" in whole.text
    assert "<html" not in part.text
    assert "Learned shared egress" in part.text


# --- sources, drift, models, verdicts


def test_sources_tell_lag_missing_fields_and_rejects(
    served: Served, who: dict[str, Browser]
) -> None:
    with store_of(served).transaction() as connection:
        rows = [{"log": "x.jsonl", "line": n, "sequence": n, "reason": "user: missing",
                 "sample": f"{EVIL}{n}"} for n in (1, 2)]  # fmt: skip
        connection.execute(sa.insert(dead_letters), rows)
    page = Page(who["rob"].get("/tuning/sources").text)
    assert "Entra ID signIns" in page.text
    assert "2 x.jsonl: user: missing" in page.text
    assert f"{EVIL}2" in page.text
    assert page.acting == []
    assert "img" not in page.tags
    assert EVIL not in Page(who["ana"].get("/tuning/sources").text).text  # samples: responders


def add_model(served: Served, status: str, outcome: str = "shadow") -> str:
    models = Models(store_of(served))
    name = models.next_name()
    report = Report("shipped", {"logins": 1}, {}, compare([], {}, {}), Gate(outcome, ("as it is",)))
    body = encode_model(Model(version=name, weights=dict(SHIPPED.weights)))
    models.add(name, body, msgspec.json.encode(report), NOW, status, Author("l", "learned", NOW))
    return name


def test_a_model_is_promoted_against_the_gate_only_by_force_and_rolled_back(
    served: Served, who: dict[str, Browser]
) -> None:
    ada = who["ada"]
    name = add_model(served, "shadow")
    path = f"/tuning/models/{name}"
    assert name in who["ana"].get("/tuning/models").text
    assert who["ana"].get(path).status_code == 200
    assert who["ana"].get("/tuning/models/v99").status_code == 404
    assert ada.post(path, path, what="promote", why="").status_code == 422
    barred = ada.post(path, path, what="promote", why="better")
    assert barred.status_code == 422
    assert "The gate bars it" in barred.text
    assert ada.post(path, path, what="melt", why="x").status_code == 422
    done = ada.post(path, path, what="promote", why="better", force="yes")
    assert done.status_code == 303
    assert Models(store_of(served)).active() == name
    assert served.server.judge.judging.live.models.model.version == name
    assert ada.post("/tuning/models/roll-back", why="worse").status_code == 303
    assert Models(store_of(served)).active() == "shipped"
    assert served.server.judge.judging.live.models.model.version == "shipped"
    assert ada.post("/tuning/models/roll-back", why="again").status_code == 422
    second = add_model(served, "candidate")
    assert ada.post(f"/tuning/models/{second}", what="shadow", why="look").status_code == 303
    assert ada.post(f"/tuning/models/{second}", what="retire", why="no").status_code == 303
    actors = {(r.action, r.actor) for r in recorded(served, "model")}
    assert {actor for action, actor in actors if "learn" not in action} == {"ada"}
    assert len(actors) >= 4


def test_the_queue_draws_asks_and_forgets_what_was_judged(
    served: Served, who: dict[str, Browser]
) -> None:
    ana = who["ana"]
    assert "Nothing is asked" in ana.get("/tuning/verdicts").text
    assert ana.post("/tuning/verdicts/ask").status_code == 303
    asked = Verdicts(store_of(served)).asked()
    text = ana.get("/tuning/verdicts").text
    rows = re.findall(r'data-row="([^"]+)"', text)
    assert set(rows) == set(asked)
    assert any(one.at_random for one in asked.values())
    form = f"/findings/{quote(rows[0], safe='')}/verdict"
    ana.post(form, form, kind="false_positive", why="the usual", next="/tuning/verdicts")
    assert rows[0] not in re.findall(r'data-row="([^"]+)"', ana.get("/tuning/verdicts").text)


def test_another_budget_of_findings_is_the_riskiest_share(
    served: Served, who: dict[str, Browser]
) -> None:
    page = who["ana"].get("/tuning/alerts?human=9&service=0&days=90")
    text = Page(page.text).text
    with store_of(served).reading() as connection:
        count = connection.exec_driver_sql(
            "SELECT count(*) FROM assessments WHERE stratum LIKE 'human/%'"
        ).scalar()
    assert f"{round(count * 0.02)} findings of {count:,} logins" in text
    assert "People: 2 %" in text
    assert who["ana"].get("/tuning/alerts?human=10").status_code == 400


# --- executive


def test_the_executive_page_and_its_files(
    served: Served, who: dict[str, Browser], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vic = who["vic"]
    for days in (7, 28):
        text = Page(vic.get(f"/executive?days={days}").text).text
        assert all(f"M{n} " in text for n in range(1, 11))
    report = vic.get("/executive/report.html?days=28")
    assert "attachment" in report.headers["content-disposition"]
    assert "28 days" in report.text
    assert "@" not in re.sub(r"<style>.*?</style>", "", report.text, flags=re.DOTALL)
    assert vic.get("/executive?days=0").status_code == 400
    assert vic.get("/executive?until=someday").status_code == 400
    assert vic.get("/executive/report.pdf").status_code == 403
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("QUIVIVE_CHROMIUM", raising=False)
    answer: httpx2.Response = who["ana"].get("/executive/report.pdf")
    assert answer.status_code == 501
    assert "chromium" in answer.text.lower()


def test_empty_pages_say_what_to_connect(tmp_path: Path) -> None:
    served = cheap(Served(tmp_path / "state"))
    try:
        ada = Browser(served, "ada")
        for path in ("/identities", "/executive", "/tuning/sources", "/tuning/drift"):
            assert 'href="/sources"' in ada.get(path).text, path
        for path in ("/tuning", "/tuning/contexts", "/tuning/models", "/tuning/alerts"):
            assert ada.get(path).status_code == 200, path
        assert ada.post("/tuning/preview", days="7").status_code == 200
        assert ada.post("/tuning/verdicts/ask").status_code == 303
        assert policies.active_text(store_of(served)) == shipped_text()
    finally:
        served.close()
