"""The console's pages about one identity: figure, stream, one login taken apart, erasing."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from quivive.app.kept import decode_kept
from quivive.app.past import Point
from quivive.app.scatter import scatter
from quivive.server.console import breakdown, cursor
from quivive.server.console.login import read
from quivive.server.console.refused import RefusedError
from quivive.server.console.veil import Names, Veil
from quivive.store import identities, views
from quivive.store.database import Store, assessments
from tests.unit.company_state import company
from tests.unit.console import MINUTE, Browser, Page, cheap, line, put
from tests.unit.serving import DAY, NOW, Served

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
RTL = "user\u202egpj.exe\u2066\x1b[31m\x00\u200b"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return company(tmp_path_factory.mktemp("identity"))


@pytest.fixture(scope="module")
def served(made: Path) -> Iterator[Served]:
    found = cheap(Served(made))
    yield found
    found.close()


@pytest.fixture(scope="module")
def ana(served: Served) -> Browser:
    return Browser(served, "ana")


def somebody(served: Served) -> tuple[str, str, str]:
    """Name, handle and a finding of somebody."""
    store = served.server.context.store
    found = views.page(store, views.Wanted(finding=True, kind="human", limit=1))[0]
    name = json.loads(found.body)["identity"]
    return name, served.server.console.names.handle(name), found.id


def test_the_figure_has_a_mark_for_every_day_and_place(served: Served, ana: Browser) -> None:
    name, handle, _ = somebody(served)
    text = ana.get(f"/identities/{handle}").text
    assert name in text
    figure = re.search(r'<svg class="scatter".*?</svg>', text, re.DOTALL)
    assert figure is not None
    store = served.server.context.store
    rows = [json.loads(r.body)["event"] for r in views.page(store, views.Wanted(name, limit=9_999))]
    days = {
        (e["time"] // DAY, (e.get("src_endpoint") or {}).get("location", {}).get("country"))
        for e in rows
        if e["status_id"] == 1
    }
    assert figure[0].count('class="in"') == len(days)
    assert figure[0].count('class="told"') >= 1
    # the table beside it says the same as numbers
    got_in = sum(e["status_id"] == 1 for e in rows)
    table = text.split('aria-label="The same as numbers"')[1].split("</table>")[0]
    cells = re.findall(r'<td class="number ok">(\d*)</td>', table)
    assert sum(int(c or 0) for c in cells) == got_in


@pytest.mark.parametrize("by", ["country", "city", "network", "device", "hour"])
def test_the_figure_is_drawn_by(served: Served, ana: Browser, by: str) -> None:
    _, handle, _ = somebody(served)
    answer = ana.get(f"/identities/{handle}?by={by}")
    assert answer.status_code == 200
    assert f"Logins by day and {by}" in Page(answer.text).text
    if by == "hour":
        assert answer.text.count('text-anchor="end">') == 24


def test_what_is_not_drawn_by_is_refused(served: Served, ana: Browser) -> None:
    _, handle, _ = somebody(served)
    assert ana.get(f"/identities/{handle}?by=name").status_code == 400
    assert "min risk: a number is wanted" in ana.get("/findings?min_risk=high").text
    assert ana.get("/identities/0123456789abcdef").status_code == 404
    assert ana.get(f"/identities/{handle}/logins?at=nonsense").status_code == 400


def test_own_counts_as_of_a_login_are_those_that_its_reasons_told(served: Served) -> None:
    """Shares are worked out from what was learned since; the reasons told them at the time."""
    store = served.server.context.store
    veil = Veil(Names(store), drawn=False)
    checked = 0
    for found in views.page(store, views.Wanted(min_risk=30, kind="human", limit=60)):
        login = read(found.body, veil)
        rows = [r for _, _, rows in breakdown.of(store, login).groups for r in rows]
        for row in rows:
            told = re.search(r": (\d+) of its (\d+) logins[,:]", row.text)
            if told and row.own is not None and row.title in ("country", "city"):
                assert row.own.count == pytest.approx(int(told[1]), abs=0.51)
                assert row.own.of == pytest.approx(int(told[2]), abs=0.51)
                checked += 1
    assert checked >= 3


def test_a_login_taken_apart_shows_what_it_taught(served: Served, ana: Browser) -> None:
    name, handle, event_id = somebody(served)
    text = Page(ana.get(f"/identities/{handle}/logins/{quote(event_id)}").text).text
    body = identities.lesson(served.server.context.store, event_id)
    assert body is not None
    lesson = decode_kept(body, "").lesson
    assert lesson is not None
    country = lesson.own("country")
    assert country is not None
    assert country in text
    assert name in text
    some = views.page(served.server.context.store, views.Wanted(limit=99))
    other = next(i for r in some if (i := json.loads(r.body)["identity"]) != name)
    wrong = served.server.console.names.handle(other)
    assert ana.get(f"/identities/{wrong}/logins/{quote(event_id)}").status_code == 404


def test_what_waits_and_what_verdicts_said_is_shown(served: Served, ana: Browser) -> None:
    name, handle, event_id = somebody(served)
    ana.post(f"/findings/{quote(event_id)}/verdict", f"/findings/{quote(event_id)}/verdict",
             kind="true_positive", why="she was asleep", next="/")  # fmt: skip
    text = Page(ana.get(f"/identities/{handle}").text).text
    assert "she was asleep" in text
    assert "Held: what came was too unusual" in text
    ana.post("/tuning/contexts", kind="travel", reason="a fair", identities=name, countries="FI",
             until="3d")  # fmt: skip
    assert "a fair" not in Page(ana.get(f"/identities/{handle}").text).text  # an analyst may not
    rob = Browser(served, "rob")
    rob.post("/tuning/contexts", kind="travel", reason="a fair", identities=name, countries="FI",
             until="3d")  # fmt: skip
    assert "a fair" in Page(ana.get(f"/identities/{handle}").text).text


def test_whoever_looks_is_recorded(served: Served, ana: Browser) -> None:
    store = served.server.context.store
    name, handle, _ = somebody(served)
    ana.get(f"/identities/{handle}")
    found = identities.looks(store, name, 50)
    assert {"access:identity"} <= {r.action for r in found}
    assert {r.actor for r in found} == {"ana"}
    assert all(handle in r.details or "/findings/" in r.details for r in found)


def test_finding_an_identity_by_a_part_of_its_name(served: Served, ana: Browser) -> None:
    name, handle, _ = somebody(served)
    part = name[2:12]
    assert f'href="/identities/{handle}"' in ana.get(f"/identities?who={quote(part)}").text
    assert "No identity of that name" in ana.get("/identities?who=nobody-at-all").text
    assert ana.get(f"/identities?who={handle}").headers["location"] == f"/identities/{handle}"
    vic = Browser(served, "vic")
    assert vic.get(f"/identities?who={quote(part)}").status_code == 404


def test_a_viewer_sees_no_name_address_device_or_session(served: Served) -> None:
    name, handle, event_id = somebody(served)
    vic = Browser(served, "vic")
    store = served.server.context.store
    secret = {name}
    for row in views.page(store, views.Wanted(name, limit=9_999)):
        event = json.loads(row.body)["event"]
        secret.add((event.get("src_endpoint") or {}).get("ip", ""))
        device = event.get("device") or {}
        if device.get("name") != (device.get("os") or {}).get("name"):
            secret.add(device.get("name", ""))
        secret.add((event.get("session") or {}).get("uid", ""))
        secret.add(event["user"].get("uid", ""))
    secret.discard("")
    assert len(secret) > 5
    pages = [f"/identities/{handle}?by={by}" for by in ("country", "city", "device", "network")]
    pages += [f"/identities/{handle}/logins", f"/identities/{handle}/logins/{quote(event_id)}"]
    for path in pages:
        text = vic.get(path).text
        assert vic.get(path).status_code == 200
        for one in secret:
            assert one not in text, (path, one)


def test_hostile_names_are_shown_and_do_nothing(tmp_path: Path) -> None:
    lines = [line(n, who, place=EVIL, network=RTL, device=EVIL, client=RTL, service=EVIL,
                  id=f"{who}-{n}") for n, who in enumerate((EVIL, RTL, "z" * 9_000))]  # fmt: skip
    put(tmp_path / "state", lines)
    found = cheap(Served(tmp_path / "state"))
    try:
        ana = Browser(found, "ana")
        for who in (EVIL, RTL, "z" * 9_000):
            handle = found.server.console.names.handle(who)
            paths = [f"/identities/{handle}?by={by}" for by in ("city", "network", "device")]
            for path in [*paths, f"/identities/{handle}/logins", "/executive", "/tuning/alerts"]:
                answer = ana.get(path)
                assert answer.status_code == 200, path
                page = Page(answer.text)
                assert page.acting == []
                assert not {"img"} & set(page.tags)
                assert not any(c in answer.text for c in "\u202e\u2066\x1b\x00\u200b")
                assert "z" * 2_500 not in answer.text
    finally:
        found.close()


def test_pages_of_a_long_stream_are_all_of_it_once(tmp_path: Path) -> None:
    put(tmp_path / "state", [line(n, time=NOW - (n // 2) * MINUTE) for n in range(130)])
    found = cheap(Served(tmp_path / "state"))
    try:
        ana = Browser(found, "ana")
        handle = found.server.console.names.handle("ann@example.com")
        seen: list[str] = []
        at = f"/identities/{handle}/logins"
        while at:
            text = ana.get(at).text
            seen += re.findall(r'data-row="(login-\d+)"', text)
            older = re.search(r'rel="next" href="([^"]+)"', text)
            at = older[1].replace("&amp;", "&") if older else ""
        assert len(seen) == 130 == len(set(seen))
    finally:
        found.close()


def test_a_page_of_many_rows_reads_only_its_own_bodies(tmp_path: Path) -> None:
    """20,000 logins of one identity: the page comes from fifty of their bodies."""
    with Store(tmp_path / "state", lasting=False) as store:
        rows = [
            {"id": f"e{n}", "time": NOW - n, "identity": "ann", "risk_score": 1.0, "body": b"{}",
             "finding": n % 100 == 0, "stratum": "human/x"}
            for n in range(20_000)
        ]  # fmt: skip
        with store.transaction() as connection:
            connection.execute(sa.insert(assessments), rows)
        found = identities.stream(store, "ann", 51, (NOW - 9_000, "e9000"), findings=False)
        assert [row.id for row in found] == [f"e{n}" for n in range(9_001, 9_052)]
        told = identities.stream(store, "ann", 51, None, findings=True)
        assert [row.id for row in told] == [f"e{n}" for n in range(0, 5_100, 100)]


def test_where_a_page_begins_can_be_read_back_and_nothing_else() -> None:
    assert cursor.read(cursor.written(17, "ä/?&")) == (17, "ä/?&")
    assert cursor.read("") is None
    for wrong in ("x", "bnVsbA==", "WzEsMl0=", "[]"):
        with pytest.raises(RefusedError):
            cursor.read(wrong)


def test_a_figure_joins_what_finds_no_room_and_escapes_what_logs_say() -> None:
    points = [Point(n * DAY, f"<{n:02}>", n % 3 > 0, False) for n in range(400)]
    svg = str(scatter(points, "network"))
    assert "all others" in svg
    assert "&lt;00&gt;" in svg
    assert "<00>" not in svg
    assert svg.count('<text class="label"') == 16
    assert svg.count("<g>") <= 16 * 90
    assert str(scatter([], "network")) == ""


def test_only_an_admin_erases_and_only_by_typing_the_name(served: Served) -> None:
    """Last: it takes somebody out of the module's company."""
    name, handle, _ = somebody(served)
    path = f"/identities/{handle}/erase"
    rob, ada = Browser(served, "rob"), Browser(served, "ada")
    assert rob.get(path).status_code == 403
    assert rob.post(path, what="erase", name=name, why="asked").status_code == 403
    assert ada.ask("POST", path, data={"what": "erase", "name": name}).status_code == 403
    for wrong in ({"what": "erase", "name": "x", "why": "asked"},
                  {"what": "erase", "name": name, "why": " "},
                  {"what": "burn", "name": name, "why": "asked"}):  # fmt: skip
        assert ada.post(path, path, **wrong).status_code == 422
    store = served.server.context.store
    assert views.summary(store, name) is not None
    done = ada.post(path, path, what="pseudonymise", name=name, why="asked for")
    assert done.status_code == 200
    assert views.summary(store, name) is None
    stand_in = f"erased-{handle}"
    assert stand_in in done.text
    assert views.summary(store, stand_in) is not None
    assert ada.get(f"/identities/{handle}").status_code == 404
    desk = served.server.judge.judging.desk
    assert desk is not None
    assert not any(name in i.identities for i in desk.book.incidents.values())
    answer = served.ask("POST", "/v1/assess", json={**LOGIN, "user": {"name": "new@example.com"}})
    assert answer.status_code == 200  # it judges on


LOGIN = {
    "class_uid": 3002, "category_uid": 3, "activity_id": 1, "status_id": 1, "time": NOW,
    "metadata": {"version": "1.8.0", "product": {"name": "Portal"}, "uid": "after"},
    "service": {"name": "mail"}, "src_endpoint": {"ip": "198.51.100.7"},
}  # fmt: skip
