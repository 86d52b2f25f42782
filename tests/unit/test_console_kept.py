"""What the console shows and sets beyond a restart: the service level's budget, clocks, budgets."""

from pathlib import Path

import pytest

from quivive.app import burning, logs
from quivive.app.accounts import SignIn
from quivive.app.budgets import in_force, save, saved
from quivive.app.erasing import erase
from quivive.app.keeping import load_state
from quivive.app.telemetry import SERVER_RUN, Telemetry
from quivive.incidents.slo import BUCKET, DECIDED_IN_TIME, HOUR, Burn
from quivive.policy.budget import parse_budgets
from quivive.sim.build import simulate
from quivive.store.analytics import Analytics
from quivive.store.audit import Trail
from quivive.store.database import Store
from quivive.store.models import Author
from quivive.store.policies import Policies
from tests.unit.company_state import run
from tests.unit.console import HASHER, Browser, Page, cheap, line, put
from tests.unit.serving import NOW, Served, login

LEAKED = {"unmapped": {"vendor_risk": "leakedCredentials"}}
LATE = 10 * 60_000
SOON = NOW + 59_000  # a login is a minute before what it is given


def slo(served: Served) -> str:
    text = Page(Browser(served, "vic").get("/").text).text
    return text[text.index("Service level") :][:160]


def test_the_error_budget_outlasts_a_crash_and_a_restart(tmp_path: Path) -> None:
    served = cheap(Served(tmp_path))
    assert "100 % of three days" in slo(served)
    for number, time in enumerate((SOON, SOON, SOON - LATE)):  # one of them came too late
        given = login(number, f"who{number}@example.com", time=time, **LEAKED)
        assert served.ask("POST", "/v1/assess", json=given).json()["risk_score"] >= 66
    said = slo(served)
    assert "1 of 3 late" in said
    with Store(tmp_path) as store:  # in the store with the answers already: nothing was stopped yet
        assert burning.load(store).counts(NOW, HOUR) == (2, 1)
    served.close()
    again = Served(tmp_path)
    again.server.console.sign_in = SignIn(again.server.context.store, HASHER)
    assert slo(again) == said
    again.now += 4 * 24 * HOUR
    assert "100 % of three days" in slo(again)
    again.close()


def test_an_alarm_that_was_told_is_not_told_again_after_a_restart(tmp_path: Path) -> None:
    served = Served(tmp_path)
    served.server.figures.burn.add(NOW, 1, 9)
    served.runner.run(served.server.look())
    alarms = dict(served.server.figures.burn.alarms)
    assert f"{DECIDED_IN_TIME.name}/14.4" in alarms
    served.close()
    again = Served(tmp_path)
    assert again.server.figures.burn.alarms == alarms
    again.now += BUCKET
    again.runner.run(again.server.look())
    assert again.server.figures.burn.alarms[f"{DECIDED_IN_TIME.name}/14.4"] == NOW
    again.close()


def test_counts_that_are_damaged_begin_anew(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        for body in (b"\xc1", b"\x84\xa6newest\x01\xa4good\x91\x01\xa3bad\x91\x01\xa6alarms\x80"):
            with store.transaction() as connection:
                connection.exec_driver_sql(
                    "INSERT OR REPLACE INTO state (name, body) VALUES ('slo', ?)", (body,)
                )
            assert burning.load(store) == Burn()


def test_the_sources_page_tells_whose_clock_is_off(tmp_path: Path) -> None:
    served = cheap(Served(tmp_path))
    clocks = served.server.figures.clocks
    for late in (-200_000, 1_000, 2_000):
        clocks.note("Ahead", NOW, NOW + late)
    for late in (700_000, 900_000):
        clocks.note("Behind", NOW, NOW + late)
    clocks.note("Right <b>", NOW, NOW + 800)
    clocks.note("Old", NOW, NOW + 3 * 24 * HOUR)
    assert served.ask("POST", "/v1/assess", json=login(time=SOON)).status_code == 200
    found = {s.source: s for s in logs.skews(clocks)}
    assert found["Ahead"].text == "ahead by 3.33 min at least"
    assert found["Behind"].text == "behind by up to 11.7 min, or delivered late"
    assert (found["Behind"].median, found["Behind"].off) == (900_000, True)
    assert found["Right <b>"].text == "right, to 0.8 s"
    assert not found["Right <b>"].off
    assert found["Old"].median is None
    served.server.judge.judging.checkpoint()
    answer = Browser(served, "ana").get("/tuning/sources")
    text = Page(answer.text).text
    assert "Clocks and delivery" in text
    assert text.index("Ahead") < text.index("Behind") < text.index("Right <b>")
    assert "<b>" not in answer.text.replace("<b>0</b>", "")
    assert "not measured" in text
    served.close()


def budgets_of(served: Served) -> dict[str, str]:
    judging = served.server.judge.judging
    assert judging._engine.budgets is judging.budgets
    return {of: str(budget) for of, budget in judging.budgets.by_class.items()}


def test_a_budget_is_saved_holds_at_once_and_after_a_restart(tmp_path: Path) -> None:
    served = cheap(Served(tmp_path))
    assert served.ask("POST", "/v1/assess", json=login()).json()["risk_score"] >= 0
    ada, page = Browser(served, "ada"), "/tuning/alerts"
    assert "no budget holds" in Page(ada.get(page).text).text
    done = ada.post(page, page, of="human", budget="0.30 %", step="4", why="fewer at night")
    assert (done.status_code, done.headers["location"]) == (303, f"{page}?said=budget")
    assert budgets_of(served) == {"human": "0.3%"}
    assert served.ask("POST", "/v1/assess", json=login(1)).status_code == 200
    threshold = served.server.judge.judging.live.state.thresholds.by_class["human"]
    assert str(threshold.budget) == "0.3%"
    assert "0.3% holds" in Page(ada.get(page).text).text
    with Store(tmp_path) as store:
        record = next(r for r in Trail(store).records() if r.action == "budget:set")
    assert (record.actor, record.subject) == ("ada", "human=0.3%")
    assert "fewer at night" in record.details
    again = ada.post(page, page, of="human", budget="0.3%", why="x")
    assert again.status_code == 422
    assert "holds already" in again.text
    ada.post(page, page, of="human", budget="20/day", why="the shift takes twenty")
    served.close()
    later = Served(tmp_path)
    assert budgets_of(later) == {"human": "20/day"}
    later.server.console.sign_in = SignIn(later.server.context.store, HASHER)
    cleared = Browser(later, "ada").post(page, page, of="human", budget="", why="enough")
    assert cleared.status_code == 303
    assert budgets_of(later) == {}
    with Store(tmp_path) as store:
        changes = [(c.action, c.subject, c.replaced) for c in Policies(store).history()]
    assert changes == [
        ("budget-set", "human=0.3%", None),
        ("budget-set", "human=20/day", "0.3%"),
        ("budget-clear", "human", "20/day"),
    ]
    later.close()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"of": "human", "budget": "lots", "why": "x"}, "not understood"),
        ({"of": "human", "budget": "99%", "why": "x"}, "between 0.001 and 50"),
        ({"of": "human", "budget": "service=1%", "why": "x"}, "not understood"),
        ({"of": "everybody<b>", "budget": "1%", "why": "x"}, "human, service"),
        ({"of": "human", "budget": "1%", "why": " "}, "Say why"),
        ({"of": "service", "budget": "", "why": "x"}, "no budget"),
        ({"of": "service", "budget": "1%", "step": "99999999", "why": ""}, "Say why"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(
    tmp_path: Path, fields: dict[str, str], said: str
) -> None:
    served = cheap(Served(tmp_path))
    answer = Browser(served, "ada").post("/tuning/alerts", "/tuning/alerts", **fields)
    assert answer.status_code == 422
    assert said in Page(answer.text).text
    assert "<b>&" not in answer.text
    assert budgets_of(served) == {}
    analyst = Browser(served, "ana")
    assert analyst.post("/tuning/alerts", of="human", budget="1%", why="x").status_code == 403
    served.close()


def test_what_a_command_is_given_goes_before_what_is_saved(tmp_path: Path) -> None:
    simulate(tmp_path / "org", seed=5, people=12, services=2, days=3, incidents=0)
    state = tmp_path / "state"
    with Store(state) as store:
        assert save(store, "human", "3%", Author("ada", "more", NOW)) == "3%"
    log = str(tmp_path / "org" / "entra.jsonl")
    run("score", "--state", str(state), log)
    with Store(state) as store:
        assert {o: str(b) for o, b in saved(store).by_class.items()} == {"human": "3%"}
        assert in_force(store, parse_budgets(["1%"])).by_class["all"].amount == 0.01
        kept = load_state(store)
        assert kept is not None
        assert {o: str(t.budget) for o, t in kept.thresholds.by_class.items()} == {"human": "3%"}
    assert "budget of findings human=3%" in run("policy", "list", "--state", str(state))


def test_erasing_on_the_page_reaches_the_servers_own_telemetry(tmp_path: Path) -> None:
    served = cheap(Served(tmp_path / "state"))
    for number, who in enumerate(("ann@example.com", "bob@example.com") * 3):
        assert served.ask("POST", "/v1/assess", json=login(number, who)).status_code == 200
    context = served.server.context
    with Store(tmp_path / "state") as store:
        served.runner.run(context.aside(lambda: None))  # everything is where it is read
        context.telemetry = Telemetry(store, tmp_path / "elsewhere")
        assert context.telemetry.fill(SERVER_RUN) == 6
        handle = served.server.console.names.handle("ann@example.com")
        page = f"/identities/{handle}/erase"
        done = Browser(served, "ada").post(
            page, page, what="erase", name="ann@example.com", why="asked for"
        )
        assert done.status_code == 200
        assert "3 rows deleted" in Page(done.text).text
        with Analytics(tmp_path / "elsewhere") as analytics:
            found = analytics.ask("SELECT DISTINCT identity FROM logins").rows
        assert found == [("bob@example.com",)]
        assert not context.telemetry.lock.locked()
    served.close()


def test_either_database_keeps_budgets_and_burn_and_forgets_names(where: str) -> None:
    """``where``: a store of each kind."""
    lines = [
        line(n, who, risk=9.0, id=f"l{n}")
        for n, who in enumerate(("ann@x.example", "bob@x.example"))
    ]
    put(where, [lines[0], lines[1].replace(b"Ann Orange", b"by ann@x.example")])
    with Store(where, lasting=False) as store:
        assert save(store, "service", "2/day", Author("ada", "few", NOW)) == "2/day"
        assert str(saved(store).by_class["service"]) == "2/day"
        burn = Burn()
        burn.add(NOW, 3, 1)
        with store.transaction() as connection:
            burning.write(connection, burn)
        assert burning.load(store).counts(NOW, HOUR) == (3, 1)
        done = erase(store, "ann@x.example", Author("ada", "asked for", NOW))
        left = store.assessment("l1")
    assert done.logins == 1
    assert left is not None
    assert b"ann@x.example" not in left
    assert done.stand_in.encode() in left
