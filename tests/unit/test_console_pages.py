"""What the console's pages show, whatever the logs hold."""

import asyncio
import hashlib
import re
import threading
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa

from quivive.app.keys import random_key
from quivive.app.notifying import VERDICT_KEY
from quivive.model.incident import Incident
from quivive.notify.buttons import make
from quivive.server.console import words
from quivive.server.console.render import assets
from quivive.server.console.veil import Names, Veil
from quivive.store import console, views
from quivive.store.audit import Trail
from quivive.store.database import Store
from quivive.store.incidents import Incidents, incidents, write
from quivive.store.incidents import _row as _row_of
from quivive.store.verdicts import Verdicts
from tests.unit.console import MINUTE, Browser, Page, cheap, line, put
from tests.unit.serving import NOW, Served

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
RTL = "user\u202egpj.exe\u2066\x1b[31m\x00\u200b"
LONG = "x" * 10_000
HOSTILE = (EVIL, RTL, LONG, "javascript:alert(1)", "😀" * 30)
FIELDS = (
    "place", "network", "device", "client", "service", "product", "reason", "ip", "full_name",
    "email", "counterfactual", "id",
)  # fmt: skip
SCRIPTS_MOST = 300 << 10  # bytes a page


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    state = tmp_path_factory.mktemp("console") / "state"
    lines = []
    number = 0
    for text in HOSTILE:
        lines.append(line(900 + number, f"m{number}@example.com", place=text, at=(47.0, 8.0)))
        for field in FIELDS:
            number += 1
            given = {field: text} if field != "id" else {"id": f"{text[:300]}{number}"}
            lines.append(line(number, f"u{number}@example.com", **given))
        number += 1
        lines.append(line(number, text[:900], risk=90.0, kind="service"))
    put(state, lines)
    found = cheap(Served(state))
    yield found
    found.close()


@pytest.fixture(scope="module")
def ana(served: Served) -> Browser:
    return Browser(served, "ana")


@pytest.fixture(scope="module")
def vic(served: Served) -> Browser:
    return Browser(served, "vic")


def every_page(served: Served) -> list[str]:
    from urllib.parse import quote

    store = served.server.context.store
    lines = views.page(store, views.Wanted(limit=200))
    found = [
        "/",
        "/now",
        "/tour",
        "/incidents",
        "/findings",
        "/findings?all=yes",
        "/account",
        "/keys",
    ]
    found += [f"/findings/{quote(each.id, safe='')}" for each in lines]
    found += [f"/findings/{quote(lines[0].id, safe='')}/verdict?kind=true_positive"]
    for incident in Incidents(store).listed(limit=200):
        found += [f"/incidents/{incident.id}", f"/incidents/{incident.id}/address"]
    return found


def test_hostile_texts_are_shown_and_do_nothing(served: Served, ana: Browser) -> None:
    seen = set()
    for path in every_page(served):
        answer = ana.get(path)
        assert answer.status_code == 200, path
        page = Page(answer.text)
        assert page.acting == [], path
        assert all(load.startswith(("/", "otpauth:")) for load in page.loads), path
        assert "img" not in page.tags, path
        for character in "\u202e\u2066\x1b\x00\u200b":
            assert character not in answer.text, path
        assert "x" * 2_500 not in answer.text, path
        assert len(answer.content) < 600_000, path
        seen |= {
            bit for bit in ("<script>alert(1)</script>", "\\u202e", "{{7*7}}") if bit in page.text
        }
    assert seen == {"<script>alert(1)</script>", "\\u202e", "{{7*7}}"}


def test_downloads_hold_no_markup(served: Served, ana: Browser) -> None:
    store = served.server.context.store
    for incident in Incidents(store).listed(limit=200):
        answer = ana.get(f"/incidents/{incident.id}/post-mortem.md")
        assert answer.headers["content-type"].startswith("text/markdown")
        assert "attachment" in answer.headers["content-disposition"]
        assert not re.search(r"(?<!\\)<(script|img)", answer.text)
        assert "\u202e" not in answer.text


def test_a_page_of_a_viewer_names_nobody(tmp_path: Path) -> None:
    state = tmp_path / "state"
    secret = (
        "ann.secret@example.com",
        "Ann Secret",
        "203.0.113.77",
        "ANN-SECRETS-MAC",
        "198.51.100.9",
    )
    reason = "address 198.51.100.9 of ann.secret@example.com: 0 of its 61 logins; Ann Secret"
    put(
        state,
        [
            line(n, "ann.secret@example.com", full_name="Ann Secret", device="ANN-SECRETS-MAC",
                 reason=reason, counterfactual="no finding from 198.51.100.9", client=f"curl {n}")
            for n in range(4)
        ],
    )  # fmt: skip
    served = cheap(Served(state))
    try:
        viewer, analyst = Browser(served, "vic"), Browser(served, "ana")
        shown = ""
        for path in every_page(served):
            if path.endswith("true_positive"):
                continue
            text = viewer.get(path).text
            for name in secret:
                assert name.lower() not in text.lower(), (path, name)
            shown += text
        stand_in = set(re.findall(r"\bid-[0-9a-f]{8}\b", shown))
        assert len(stand_in) == 1
        assert "203.0.113.x" in shown
        assert "ann.secret@example.com" in analyst.get("/").text
        handle = re.search(r'href="/identities/([0-9a-f]{16})"', shown)
        assert handle is not None
        assert handle[1] in analyst.get("/findings/login-0").text
        assert served.server.console.names.identity(handle[1]) == "ann.secret@example.com"
        mine = viewer.get(f"/findings?who={handle[1]}").text
        assert mine.count('data-row="login-') == 4
        assert viewer.get("/findings?who=ann.secret@example.com").status_code == 404
    finally:
        served.close()


def test_handles_are_found_again_after_a_restart(tmp_path: Path) -> None:
    put(tmp_path / "state", [line(1, "ann@example.com"), line(2, "bob@example.com")])
    with Store(tmp_path / "state", lasting=False) as store:
        handle = Names(store).handle("bob@example.com")
        assert Names(store).identity(handle) == "bob@example.com"
        assert Names(store).identity("0" * 16) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("203.0.113.77", "203.0.113.x"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("from 10.1.2.3, then", "from 10.1.2.x, then"),
        ("version 1.2.3", "version 1.2.3"),
        ("12:30:05", "12:30:05"),
        ("Chrome/145.0.0.0 at https://203.0.113.77/x", "Chrome/145.0.0.0 at https://203.0.113.x/x"),
        ("203.0.113.77:443", "203.0.113.x:443"),
        ("[2001:db8:1:2::3]:443", "[2001:db8:1::/48]:443"),
        ("::ffff:203.0.113.77", "::ffff:203.0.113.x"),
    ],
)
def test_addresses_are_cut(tmp_path: Path, given: str, expected: str) -> None:
    with Store(tmp_path / "state", lasting=False) as store:
        assert Veil(Names(store), drawn=True).text(given) == expected
        assert Veil(Names(store), drawn=False).text(given) == given


def test_findings_by_page_are_all_of_them_once(tmp_path: Path) -> None:
    many = [line(n, f"u{n % 7}@example.com", time=NOW - (n // 3) * MINUTE) for n in range(130)]
    put(tmp_path / "state", many)
    served = cheap(Served(tmp_path / "state"))
    try:
        browser = Browser(served, "ana")
        for first, path in (("/findings", "findings"), ("/incidents", "incidents")):
            seen: list[str] = []
            at = first
            while at:
                text = browser.get(at).text
                seen += re.findall(r'data-row="([^"]+)"', text)
                older = re.search(rf'rel="next"[^>]*href="(/{path}[^"]+)"', text)
                at = older[1].replace("&amp;", "&") if older else ""
            assert len(seen) == len(set(seen))
            if path == "findings":
                assert len(seen) == 130
        text = browser.get("/findings?who=u3@example.com&min_risk=60&kind=human").text
        assert len(re.findall(r'data-row="', text)) == len([n for n in range(130) if n % 7 == 3])
        assert "Nothing fits" in browser.get("/findings?kind=service").text
        assert browser.get("/findings?min_risk=many").status_code == 400
        assert browser.get("/findings?since=yesterday").status_code == 400
        assert browser.get("/findings?at=%%%").status_code == 400
        assert browser.get("/incidents?at=AAAA").status_code == 400
        assert (
            browser.get("/findings?since=2026-06-30&until=2026-07-02T00:00:00Z").status_code == 200
        )
    finally:
        served.close()


def test_the_pages_queries_use_an_index(tmp_path: Path) -> None:
    """With 100,000 incidents and millions of logins nothing is read from end to end."""
    with Store(tmp_path / "state", lasting=False) as store:
        Incidents(store)
        asked: list[tuple[str, object]] = []

        @sa.event.listens_for(store._engine, "before_cursor_execute")
        def note(_c, _k, statement, parameters, _x, _m) -> None:  # type: ignore[no-untyped-def]
            asked.append((statement, parameters))

        after = (5, "x")
        console.mark(store)
        console.newest(store)
        console.riskiest(store, 5, 3)
        console.logins_since(store, 5)
        console.urgent(store, 5)
        console.open_by_priority(store)
        console.logins_of(store, ["a"], 1, 9, 5)
        console.recorded(store, ["a"], 5)
        console.verdicts_on(store, ["a"])
        console.incident_of(store, "a")
        console.logins_from(store, "192.0.2.1", 1, 9, 100, 10)
        for statuses in ((), ("open",), ("closed",)):
            console.incident_page(store, console.IncidentsWanted(statuses=statuses, after=after))
        for wanted in (
            views.Wanted(finding=True, after=after),
            views.Wanted(after=after),
            views.Wanted(identity="a", after=after),
            views.Wanted(finding=True, since=3, kind="human"),
        ):
            views.page(store, wanted)
        selects = [each for each in asked if each[0].startswith("SELECT")]
        assert len(selects) > 15
        with store.reading() as connection:
            for statement, parameters in selects:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                for row in plan:
                    scans = row[3].startswith("SCAN") and "INDEX" not in row[3]
                    derived = row[3].startswith("SCAN anon")
                    assert derived or not scans, (statement, row[3])


def test_a_slow_database_holds_up_nobody_who_does_not_wait_for_it(
    served: Served, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that waits for the store leaves the server free to answer others."""
    asked, answered = threading.Event(), threading.Event()
    slow = console.urgent

    def urgent(*given: object) -> object:
        asked.set()
        assert answered.wait(20)
        return slow(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(console, "urgent", urgent)

    async def go() -> tuple[int, int, int]:
        transport = httpx2.ASGITransport(app=served.server.front)  # type: ignore[arg-type]
        async with httpx2.AsyncClient(
            transport=transport, base_url=ana.base, cookies=ana.cookies
        ) as client:
            waiting = asyncio.create_task(client.get("/"))
            while not asked.is_set():
                await asyncio.sleep(0)
            keys, health = await client.get("/keys"), await client.get("/healthz")
            assert not waiting.done()
            answered.set()
            return (await waiting).status_code, keys.status_code, health.status_code

    assert served.runner.run(go()) == (200, 200, 200)


def test_a_hundred_thousand_incidents_are_paged(tmp_path: Path) -> None:
    with Store(tmp_path / "state", lasting=False) as store:
        Incidents(store)
        near = {n: Incident(id=f"INC-{n:06}", opened=n, last=n) for n in range(49_990, 50_010)}
        plain = _row(Incident(id="", opened=0, last=0))
        rows = [
            {**(_row(near[n]) if n in near else plain), "id": f"INC-{n:06}", "last": n,
             "status": "closed"}
            for n in range(100_000)
        ]  # fmt: skip
        with store.transaction() as connection:
            connection.execute(sa.insert(incidents), rows)
        wanted = console.IncidentsWanted(
            statuses=("closed",), after=(50_000, "INC-050000"), limit=3
        )
        found = console.incident_page(store, wanted)
        assert [i.id for i in found] == ["INC-049999", "INC-049998", "INC-049997"]
        assert console.urgent(store, 5) == []


def _row(incident: Incident) -> dict[str, object]:
    return _row_of(incident)


def test_acknowledging_and_closing(served: Served, ana: Browser) -> None:
    store = served.server.context.store
    open_ = Incidents(store).listed(status="open", limit=2)
    assert len(open_) == 2
    first, second = open_
    answer = ana.post(f"/incidents/{first.id}/acknowledge", "/", next="/")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?said=acknowledged"
    told = ana.get("/?said=acknowledged").text
    assert words.SAID["acknowledged"] in told
    kept = Incidents(store).get(first.id)
    assert kept is not None
    assert (kept.status, kept.acknowledged_by) == ("acknowledged", "ana")
    assert ana.post(f"/incidents/{second.id}/close").status_code == 422
    assert ana.post(f"/incidents/{second.id}/close", why="a drill").status_code == 303
    closed = Incidents(store).get(second.id)
    assert closed is not None
    assert closed.status == "closed"
    assert ana.post(f"/incidents/{second.id}/close", why="again").status_code == 409
    actions = [r.action for r in Trail(store).records() if r.actor == "ana"]
    assert "incident:acknowledged" in actions
    assert "incident:closed" in actions


def test_a_verdict_by_its_form(served: Served, ana: Browser) -> None:
    path = "/findings/login-3/verdict"
    assert ana.post(path, kind="maybe", why="x").status_code == 422
    assert ana.post(path, kind="true_positive", why="  ").status_code == 422
    done = ana.post(path, kind="true_positive", why="called her", next="/findings")
    assert done.headers["location"] == "/findings?said=verdict"
    store = served.server.context.store
    given = Verdicts(store).on(["login-3"])["login-3"].verdict
    assert (given.kind, given.by, given.why) == ("true_positive", "ana", "called her")
    other = ana.post(path, kind="false_positive", why="no: on the phone again")
    assert other.status_code == 422
    assert "already" in other.text
    amended = ana.post(path, kind="false_positive", why="on the phone", amend="yes")
    assert amended.status_code == 303
    assert console.verdicts_on(store, ["login-3"]) == {"login-3": "false_positive"}
    assert "theirs, as ever" in ana.get("/findings/login-3").text


def test_a_verdict_by_link_needs_the_form_and_works_once(served: Served) -> None:
    store = served.server.context.store
    key = random_key(store, VERDICT_KEY)
    token = make(key, "login-5", "benign_true_positive", "mail", "note-1", NOW)
    stranger = Browser(served)
    for _ in range(2):  # whoever scans mail opens it, and nothing happens
        shown = stranger.get(f"/verdict/{token}")
        assert shown.status_code == 200
        assert "Odd, but in order" in shown.text
        assert "u5@example.com" not in shown.text
    assert Verdicts(store).on(["login-5"]) == {}
    path = f"/verdict/{token}"
    assert stranger.ask("POST", path, data={"why": ""}).status_code == 422
    evil = stranger.ask("POST", path, data={"why": "x"}, headers={"origin": "http://evil.example"})
    assert evil.status_code == 403
    assert "Thank you" in stranger.ask("POST", path, data={"why": "a test"}).text
    given = Verdicts(store).on(["login-5"])["login-5"].verdict
    assert (given.kind, given.by) == ("benign_true_positive", "link to mail")
    assert stranger.ask("POST", path, data={"why": "again"}).status_code == 410
    assert stranger.get("/verdict/forged").status_code == 410
    served.now = NOW + 4 * 86_400_000
    try:
        late = make(key, "login-6", "true_positive", "mail", "note-2", NOW)
        assert stranger.get(f"/verdict/{late}").status_code == 410
    finally:
        served.now = NOW


def test_an_incident_has_a_map_and_the_list_has_its_numbers(tmp_path: Path) -> None:
    put(
        tmp_path / "state",
        [
            line(0, risk=10.0, place="Toronto", at=(43.7, -79.4), ip="192.0.2.1"),
            line(1, risk=12.0, place="Hidden"),
            line(2, place="Tokyo", at=(35.7, 139.7)),
            line(3, risk=20.0, status=2, place="Lagos", at=(6.5, 3.4)),
        ],
    )
    served = cheap(Served(tmp_path / "state"))
    try:
        browser, store = Browser(served, "vic"), served.server.context.store
        found = Incidents(store).listed()[0]
        text = browser.get(f"/incidents/{found.id}").text
        who = browser.get(f"/identities/{served.server.console.names.handle('ann@example.com')}")
        land = browser.get(served.server.console.land.partition("#")[0])
    finally:
        served.close()
    for page in (text, who.text):
        drawing = re.search(r'<svg class="map".*?</svg>', page, re.DOTALL)
        assert drawing is not None
        assert "with a finding: 2 Tokyo, RO" in drawing[0]
        assert drawing[0].count('class="ring"') == 1
        assert 'class="way told"' in drawing[0]
    rows = re.findall(r'<tr><td class="number dim">(\d*)</td><td>(?:<span[^>]*>)?(\w+)', text)
    assert sorted(rows) == [("", "Hidden"), ("1", "Toronto"), ("2", "Tokyo"), ("3", "Lagos")]
    assert land.headers["content-type"] == "image/svg+xml"
    assert 'id="land"' in land.text


def test_the_post_mortem_says_what_is_known(tmp_path: Path) -> None:
    put(tmp_path / "state", [line(n, client=f"agent {n}", service=f"App {n}") for n in range(3)])
    served = cheap(Served(tmp_path / "state"))
    try:
        ana = Browser(served, "ana")
        incident = Incidents(served.server.context.store).listed()[0]
        ana.post("/findings/login-1/verdict", kind="true_positive", why="not hers")
        text = ana.get(f"/incidents/{incident.id}/post-mortem.md").text
    finally:
        served.close()
    for bit in (
        f"# Post-mortem: {incident.id}", "ann@example.com", "App 0, App 1, App 2".split(", ")[0],
        "country RO: 0 of its 61 logins", "Bucharest, RO", "end all sessions by rule",
        "shadow, so nothing was done", "Verdicts: not theirs (1 of 3 findings)", "verdict:true",
        "*What should have been told earlier?", "### Beside the login before",
        "| client | agent 0 |",
        "203.0.113.77: 0 logins of 0 other identities within a day",
    ):  # fmt: skip
        assert bit.replace("_", "\\_") in text or bit in text, bit


def test_empty_states_say_what_to_do_next(tmp_path: Path) -> None:
    served = cheap(Served(tmp_path / "state"))
    try:
        ana = Browser(served, "ana")
        assert "No login has been judged yet" in ana.get("/").text
        assert "POST /v1/events" in ana.get("/").text
        assert "No login has been judged yet" in ana.get("/findings").text
        assert "No incident yet" in ana.get("/incidents").text
    finally:
        served.close()


def test_runbooks_are_served_and_link_to_each_other(ana: Browser) -> None:
    index = ana.get("/runbooks").text
    names = re.findall(r'href="/runbooks/([a-z0-9-]+)"', index)
    assert {"takeover", "response-failed", "latency"} <= set(names)
    for name in names:
        page = ana.get(f"/runbooks/{name}")
        assert page.status_code == 200
        assert Page(page.text).acting == []
        for linked in re.findall(r'href="/runbooks/([^"#]+)', page.text):
            assert linked in names, (name, linked)
        assert 'href="../' not in page.text
    assert ana.get("/runbooks/takeover.md").status_code == 200
    assert ana.get("/runbooks/none").status_code == 404
    assert ana.get("/runbooks/..%2f..%2fREADME").status_code == 404


def test_links_of_the_pages_lead_somewhere(served: Served, ana: Browser) -> None:
    for path in ("/", "/incidents", "/findings", "/findings/login-3", "/account", "/keys"):
        for link in set(
            re.findall(r'href="(/(?!assets|identities|sources)[^"]*)"', ana.get(path).text)
        ):
            assert ana.get(link.replace("&amp;", "&")).status_code in (200, 303), (path, link)


def test_files_of_others_are_what_they_say(ana: Browser) -> None:
    folder = resources.files("quivive.server.console").joinpath("assets")
    said = folder.joinpath("VENDORED.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \| .* `([^`]+\.LICENSE)` \| `([0-9a-f]{64})` \|$", said, re.M)
    ours = {"console.js", "console.css", "icon.svg"}
    theirs = {name for name in assets() if name.endswith((".js", ".svg"))} - ours
    assert {name for name, _, _ in rows} == theirs
    for name, licence, digest in rows:
        assert hashlib.sha256(folder.joinpath(name).read_bytes()).hexdigest() == digest
        assert folder.joinpath(licence).read_text()
    for path in ("/", "/findings", "/incidents"):
        loads = [load for load in Page(ana.get(path).text).loads if load.endswith(".js")]
        assert loads
        assert sum(len(ana.get(load).content) for load in loads) < SCRIPTS_MOST


def test_pages_are_told_that_something_changed(served: Served, ana: Browser) -> None:
    pulse = served.server.console.pulse

    async def go() -> list[bytes]:
        assert not await pulse.look()
        said: list[bytes] = []
        stream = pulse.listen(most=60.0)
        said.append(await anext(stream))
        asyncio.get_running_loop().call_later(
            0.01, put, served.state, [line(999, "new@example.com")]
        )
        said.append(await anext(stream))
        await stream.aclose()
        return said

    first, second = served.runner.run(go())
    assert first.startswith(b"retry:")
    assert second.startswith(b"event: change\ndata: ")
    assert pulse.listeners == 0
    assert "new@example.com" in ana.get("/now", headers={"hx-request": "true"}).text


def test_a_stream_ends_when_the_server_does(served: Served) -> None:
    pulse = served.server.console.pulse

    async def go() -> list[bytes]:
        pulse.stopping = lambda: True
        try:
            return [chunk async for chunk in pulse.listen()]
        finally:
            pulse.stopping = lambda: False

    assert served.runner.run(go()) == [b"retry: 3000\n\n"]


def test_texts_are_cleaned() -> None:
    assert words.clean("a\u202eb\x07") == "a\\u202eb\\u0007"
    assert words.clean("two\nlines\t") == "two\nlines\t"
    assert words.clean(None) == ""
    assert words.clean(7) == 7
    assert len(words.clean("y" * 50_000)) < 2_100
    assert words.short("a" * 100, 20) == "a" * 13 + "…" + "a" * 6
    assert words.moment(10**18) is None
    assert words.span(90_000) == "90 s"
    assert words.span(7_200_000) == "2 h"


def test_incidents_of_another_version_are_said(tmp_path: Path) -> None:
    put(tmp_path / "state", [line(1)])
    served = cheap(Served(tmp_path / "state"))
    try:
        store = served.server.context.store
        incident = Incidents(store).listed()[0]
        incident.containment_failed = True
        with store.transaction() as connection:
            write(connection, [incident])
        text = Browser(served, "ana").get(f"/incidents/{incident.id}").text
        assert "Containment failed" in text
        assert "/runbooks/response-failed" in text
    finally:
        served.close()
