"""Ids that two products give to different logins: both are kept, and each can be named."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from quivive.app.live import Live
from quivive.app.naming import REMEMBERED, Names
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent, Product
from quivive.model.naming import MOST_PART, full_name, parted, source_name
from quivive.store import schema
from quivive.store.database import Batch, Row, Store
from quivive.store.named import AmbiguousName, find, named, others
from quivive.store.verdicts import Verdicts
from tests.scenario.company import DANA, LISBON, PEOPLE, at, ordinary, usual, written
from tests.unit.console import Browser, Page, cheap, line, put
from tests.unit.serving import Served, login

UIDS = [f"{number}" for number in range(6)]
OTHER = "Tickets|access|"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path / "state")
    yield found
    found.close()


def twins() -> list[AuthEvent]:
    """Logins of one day in two products, which count their logins from nought."""
    events = ordinary(0, 6, people=PEOPLE[:3])[: len(UIDS)]
    made = []
    for uid, event in zip(UIDS, events, strict=True):
        own = replace(event.metadata, uid=uid)
        theirs = replace(own, product=Product(name="Tickets"), log_name="access")
        made += [replace(event, metadata=own), replace(event, metadata=theirs)]
    return made


def kept(where: Path | str) -> dict[str, tuple[str, str | None]]:
    with Store(where) as store, store.reading() as connection:
        table = schema.assessments.c
        rows = connection.execute(sa.select(table.id, table.source, table.plain)).all()
    return {row.id: (row.source, row.plain) for row in rows}


def own_source(event: AuthEvent) -> str:
    return source_name(event.metadata.product.name, event.metadata.log_name)


def test_both_logins_of_one_id_are_kept(where: str) -> None:
    events = twins()
    with Store(where) as store, store.writing("test"):
        live = Live(store, Enricher(None, None), rows=5)
        for event in events[:3]:
            assert live.judge("api", event) is not None
        live.commit()
    with Store(where) as store, store.writing("test"):  # what is not in memory is in the store
        live = Live(store, Enricher(None, None))
        for event in events[3:]:
            assert live.judge("api", event) is not None
        live.commit()
    mine = own_source(events[0])
    assert kept(where) == {
        **dict.fromkeys(UIDS, (mine, None)),
        **{OTHER + uid: ("Tickets|access", uid) for uid in UIDS},
    }
    with Store(where) as store:
        assert store.sources() == {mine, "Tickets|access"}
        for uid in UIDS:
            line = json.loads(store.assessment(OTHER + uid) or b"")
            assert line["id"] == OTHER + uid
            assert line["event"]["metadata"]["product"]["name"] == "Tickets"


@pytest.mark.parametrize("jobs", [[], ["--jobs", "2"]])
def test_a_run_over_files_keeps_both_with_every_number_of_processes(
    tmp_path: Path, run: Any, jobs: list[str]
) -> None:
    log = written(tmp_path / "log.ndjson", twins())
    state, out = tmp_path / "state", tmp_path / "out"
    assert run("score", "--state", state, "--out", out, *jobs, log).code == 0
    assert run("score", "--out", tmp_path / "alone", *jobs, log).code == 0
    assert out.read_bytes() == (tmp_path / "alone").read_bytes()
    ids = [json.loads(line)["id"] for line in out.read_text().splitlines()]
    assert sorted(ids) == sorted([*UIDS, *(OTHER + uid for uid in UIDS)])
    assert set(kept(state)) == set(ids)
    before = kept(state)
    assert run("score", "--state", state, "--out", tmp_path / "again", log).code == 0
    assert kept(state) == before
    alone = run("explain", "3", "--state", state)
    assert alone.code == 2
    assert "2 logins of different products have the id 3" in alone.err
    assert f"{OTHER}3 (of 20" in alone.err
    assert "give the full name of the one you mean" in alone.err
    for where in (["--state", state], ["--in", out]):
        assert run("explain", "3", *where).code == 2
        assert "Tickets" in run("explain", f"{OTHER}3", *where).out
        mine = full_name(own_source(twins()[0]), "3")
        found = run("explain", mine, *where)
        assert found.code == 0
        assert "Tickets" not in found.out


def test_a_verdict_is_on_the_login_that_is_named(tmp_path: Path, run: Any) -> None:
    log = written(tmp_path / "log.ndjson", twins()[:-1])
    state = tmp_path / "state"
    assert run("score", "--state", state, "--out", tmp_path / "out", log).code == 0
    add = ("verdict", "add", "--state", state, "--why", "seen")
    refused = run(*add, "3", "true_positive")
    assert refused.code == 2
    assert "no verdict was taken: 2 logins of different products have the id 3" in refused.err
    mine = full_name(own_source(twins()[0]), "3")
    assert run(*add, mine, "false_positive").code == 0
    assert run(*add, f"{OTHER}3", "true_positive").code == 0
    assert run(*add, UIDS[-1], "false_positive").code == 0  # nothing else is called so
    with Store(state) as store:
        standing = {i: g.verdict.kind for i, g in Verdicts(store).standing().items()}
    assert standing == {
        "3": "false_positive", f"{OTHER}3": "true_positive", UIDS[-1]: "false_positive",
    }  # fmt: skip
    said = tmp_path / "said.jsonl"
    lines = [
        {"event_id": name, "verdict": "false_positive", "by": "k", "why": "w"}
        for name in ("2", f"{OTHER}1")
    ]
    said.write_text("".join(json.dumps(line) + "\n" for line in lines))
    refused = run("verdict", "import", said, "--state", state)
    assert refused.code == 2
    assert f"{said}:1: 2 logins of different products have the id 2" in refused.err
    shown = run("explain", f"{OTHER}3", "--state", state)
    assert "true positive" in shown.out
    # What the commands print is understood by them, and by another store.
    listed = run("verdict", "list", "--json", "--state", state).out
    assert [json.loads(line)["event_id"] for line in listed.splitlines()] == [
        mine, f"{OTHER}3", UIDS[-1],
    ]  # fmt: skip
    assert mine in run("verdict", "list", "--state", state).out
    asked = run("verdict", "ask", "--count", "20", "--json", "--state", state).out
    names = {json.loads(line)["event_id"] for line in asked.splitlines()}
    assert names >= {f"{OTHER}2", full_name(own_source(twins()[0]), "2")}
    said.write_text(listed)
    assert run("verdict", "import", said, "--state", state).code == 0
    other = tmp_path / "other"
    assert run("score", "--state", other, "--out", tmp_path / "out2", log).code == 0
    assert run("verdict", "import", said, "--state", other).code == 0
    with Store(other) as store:
        assert {i: g.verdict.kind for i, g in Verdicts(store).standing().items()} == standing


def test_the_api_keeps_both_and_says_which_there_are(served: Served) -> None:
    first = login(number=7)
    other = json.loads(json.dumps(first))
    other["metadata"]["product"]["name"] = "Tickets|2"
    other["metadata"]["log_name"] = None
    own = served.ask("POST", "/v1/assess", json=first).json()
    second = served.ask("POST", "/v1/assess", json=other).json()
    uid = first["metadata"]["uid"]
    assert own["id"] == uid
    assert second["id"] == f"Tickets/2||{uid}"
    for name, said in ((second["id"], second), (f"Quivive|{uid}", None)):
        answer = served.ask("GET", f"/v1/assessments/{name}")
        assert answer.status_code == (404 if said is None else 200)
        assert said is None or answer.json() == said
    plain = served.ask("GET", f"/v1/assessments/{uid}")
    assert plain.status_code == 409
    assert plain.headers["content-type"] == "application/problem+json"
    assert second["id"] in plain.json()["detail"]
    again = served.ask("POST", "/v1/assess", json=other)
    assert again.json() == second
    assert again.headers["idempotent-replayed"] == "true"
    word = {"verdict": "false_positive", "why": "hers"}
    refused = served.ask("POST", "/v1/verdicts", json={"event_id": uid, **word})
    assert refused.status_code == 422
    assert second["id"] in refused.json()["detail"]
    taken = served.ask("POST", "/v1/verdicts", json={"event_id": second["id"], **word})
    assert taken.json()["taken"] == 1
    with Store(served.state) as store:
        assert set(Verdicts(store).standing()) == {second["id"]}
        assert [login.id for login in others(store, uid)] == [second["id"]]
        assert [login.id for login in others(store, second["id"])] == [uid]


def test_a_store_of_one_source_is_never_asked() -> None:
    class Asked:
        count = 0

        def sources(self) -> set[str]:
            return set()

        def source_of(self, _: str) -> None:
            self.count += 1

    store: Any = Asked()
    names = Names(store)
    event = usual(DANA, at(0, 9), LISBON)
    for number in range(REMEMBERED + 2):
        uid = f"u{number}"
        made = replace(event, metadata=replace(event.metadata, uid=uid))
        assert names.name("x", made) == uid
    assert store.count == 0
    assert len(names._given) <= REMEMBERED
    theirs = replace(event.metadata, uid="v", product=Product(name="Tickets"))
    assert names.name("x", replace(event, metadata=theirs)) == "v"
    assert store.count == 1
    without = replace(event.metadata, uid=None, sequence=4)
    assert names.name("x", replace(event, metadata=without)) == "x:4"


def test_full_names_are_told_from_ids_that_look_like_them(store: Store) -> None:
    trap = "A|log|1"  # a vendor's own id may look like another login's full name
    rows = [
        Row("1", 5, "dana", 1.0, b"{}", source="A|log"),
        Row(trap, 6, "eric", 1.0, b"{}", source="B|log"),
        Row("C|log|1", 7, "flo", 1.0, b"{}", source="C|log", plain="1"),
        Row("old", 8, "flo", 1.0, b"{}"),
    ]
    store.commit(Batch(rows=rows))
    assert find(store, trap) == "1"
    assert find(store, f"B|log|{trap}") == trap
    assert find(store, "C|log|1") == "C|log|1"
    assert find(store, "D|log|1") is None
    assert find(store, "D|log|old") == "old"
    assert find(store, "old") == "old"
    with pytest.raises(AmbiguousName, match=r"A\|log\|1 \(of 1970-.*C\|log\|1 \(of 1970-"):
        find(store, "1")
    assert named(store, ["none", "old"]) == {"old": named(store, ["old"])["old"]}


def test_a_source_is_short_and_has_two_parts() -> None:
    assert source_name("a|b", None) == "a/b|"
    assert len(source_name("x" * 500, "y" * 500)) == 2 * MOST_PART + 1
    assert parted("a|b|c|d") == ("a|b", "c|d")
    assert parted("a|b") is None


@pytest.mark.parametrize("made", ["", "lines"])
def test_stores_of_version_5_know_whose_their_logins_are(where: str, made: str) -> None:
    """Also those that hold a line which is damaged."""
    events = twins()[::2]
    with Store(where) as store, store.writing("test"):
        if made:
            live = Live(store, Enricher(None, None))
            for event in events:
                live.judge("api", event)
            live.commit()
            store.commit(Batch(rows=[Row("damaged", 5, "dana", 50.0, b"{")]))
        with store.transaction() as connection:
            for statement in (
                "DROP INDEX ix_assessments_plain",
                "ALTER TABLE assessments DROP COLUMN plain",
                "ALTER TABLE assessments DROP COLUMN source",
                "DROP TABLE sources",
                "UPDATE meta SET value = '5' WHERE key = 'version'",
                "UPDATE alembic_version SET version_num = '0005'",
            ):
                connection.exec_driver_sql(statement)
    rows = kept(where)
    assert rows == ({
        **{uid: (own_source(events[0]), None) for uid in UIDS}, "damaged": ("", None),
    } if made else {})  # fmt: skip
    with Store(where) as store, store.writing("test"):
        assert store.sources() == ({own_source(events[0])} if made else set())
        live = Live(store, Enricher(None, None))
        for event in twins():
            live.judge("api", event)
        live.commit()
        assert find(store, f"{OTHER}2") == f"{OTHER}2"
        assert store.source_of("2") == own_source(events[0])
        with pytest.raises(AmbiguousName):
            find(store, "2")
    assert len(kept(where)) == 2 * len(UIDS) + len(rows) % len(UIDS)


def test_a_journal_of_before_is_read(where: str) -> None:
    """A row of an older version ends before the source."""
    row = Row("9", 5, "dana", 50.0, b"{}", b"l", "k", "human/x", True, 0, 1)
    older = msgspec.msgpack.encode(tuple(row)[: Row._fields.index("source")])
    assert msgspec.msgpack.decode(older, type=Row) == row


def test_the_console_shows_each_and_points_to_the_other(tmp_path: Path) -> None:
    theirs = msgspec.json.decode(line(2, "bea@example.com", id="3", product="Tickets"))
    theirs["id"] = "Tickets||3"
    put(tmp_path / "state", [line(1, id="3"), msgspec.json.encode(theirs)])
    with Store(tmp_path / "state") as store, store.transaction() as connection:
        connection.exec_driver_sql("UPDATE assessments SET source = 'Entra ID|' WHERE id = '3'")
        connection.exec_driver_sql(
            "UPDATE assessments SET source = 'Tickets|', plain = '3' WHERE id <> '3'"
        )
    served = cheap(Served(tmp_path / "state"))
    try:
        browser = Browser(served, "rob")
        for name, own, other in (
            ("3", "ann@example.com", "Tickets||3"),
            ("Entra%20ID%7C%7C3", "ann@example.com", "Tickets||3"),
            ("Tickets%7C%7C3", "bea@example.com", "Entra ID||3"),
        ):
            page = browser.get(f"/findings/{name}")
            assert page.status_code == 200
            text = Page(page.text).text
            assert own in text
            assert f"Another login has this id, from another product: {other}" in text
            assert browser.get(f"/findings/{name}/respond").status_code == 200
        assert browser.get("/findings/Duo%7C%7C3").status_code == 404
        for name, kind in (("3", "false_positive"), ("Tickets%7C%7C3", "true_positive")):
            given = browser.post(f"/findings/{name}/verdict", kind=kind, why="seen")
            assert given.status_code == 303
    finally:
        served.close()
    with Store(tmp_path / "state") as store:
        standing = {i: g.verdict.kind for i, g in Verdicts(store).standing().items()}
    assert standing == {"3": "false_positive", "Tickets||3": "true_positive"}
