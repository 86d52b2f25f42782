"""The store on both databases: what belongs together is there together, once, or not at all."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from quivive.app.keeping import load_state, save_state
from quivive.app.snapshot import encode_state
from quivive.engine.publish import publish_all
from quivive.engine.state import State
from quivive.model.record import Reject
from quivive.model.verdict import Verdict
from quivive.store import schema
from quivive.store.connect import Place
from quivive.store.database import (
    SCHEMA_VERSION,
    Batch,
    EntryRow,
    Noted,
    Outgoing,
    Row,
    RunRow,
    Store,
    StoreError,
    StoreUnavailable,
    metadata,
    new_token,
)
from quivive.store.models import Author, Models
from quivive.store.runs import Runs
from quivive.store.verdicts import Asked, Given, Verdicts
from tests.scenario.company import PEOPLE, Company, engine, ordinary

BATCH = Batch(
    rows=[Row("a", 5, "dana", 50.0, b"{}", b"l", "k", "human/x", True, 1, 1)],
    rejects=[Reject(log="x", sequence=1, line=1, reason="broken", sample="s")],
    states={"engine": b"\x02"},
    changed={"profiles": ([EntryRow("dana", b"p", None, 9)], ["eric"])},
    seen=(0, b"0123456789ab", 0),
    journal=[Noted(1, "x", b"event")],
    outbox=[Outgoing("key", "response", 1, 2, b"{}")],
    run=RunRow(1, "d", "{}", "running", 1, 2, 1, 10, 3),
)


def rows(store: Store, table: str) -> int:
    with store.reading() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_a_batch_is_kept_whole_and_once(where: str) -> None:
    token = new_token()
    with Store(where) as store:
        store.commit(BATCH, token)
        store.commit(BATCH, token)  # the answer to the first was lost
        assert rows(store, "dead_letters") == 1
    with Store(where, create=False) as store:
        assert store.assessment("a") == b"{}"
        assert store.load("engine") == b"\x02"
        assert store.read("profiles", "dana") == EntryRow("dana", b"p", None, 9)
        assert store.read("profiles", "eric") is None
        assert list(store.scan("profiles")) == [EntryRow("dana", b"p", None, 9)]
        assert store.seen() == ([(0, b"0123456789ab")], 0)
        assert list(store.journal()) == [Noted(1, "x", b"event")]
        run = Runs(store).unfinished()
        assert run == BATCH.run
        assert [line.body for line in Runs(store).lines(run)] == [b"{}"]
        done = msgspec.structs.replace(BATCH, settled=True, journal=(), rows=())
        done.outbox = [Outgoing("key", "response", 1, 99, b"changed")]
        store.commit(done)
        assert store.journaled() == 0
        with store.reading() as connection:
            (kept,) = connection.execute(sa.select(schema.outbox)).all()
        assert (kept.due, bytes(kept.body)) == (2, b"{}")  # what is there stays as it is


@pytest.mark.parametrize("point", ["in-transaction", "before-commit"])
def test_what_breaks_off_leaves_nothing(where: str, point: str) -> None:
    def breaks(found: str) -> None:
        if found == point:
            raise KeyboardInterrupt

    with Store(where) as store:
        store.at = breaks
        with pytest.raises(KeyboardInterrupt):
            store.commit(BATCH)
        tables = ("assessments", "dead_letters", "state", "profiles", "journal", "outbox", "runs")
        assert [rows(store, table) for table in tables] == [0] * len(tables)
        store.at = lambda _: None
        store.commit(BATCH)
        assert rows(store, "outbox") == 1


def test_idle_rows_are_swept_by_time(where: str) -> None:
    found = [EntryRow("gone", b"", 50, 10), EntryRow("met since", b"", 50, 100)]
    found += [EntryRow("later", b"", 101, 10), EntryRow("never", b"", None, 10)]
    with Store(where) as store:
        store.commit(Batch(changed={"addresses": (found, [])}, swept=100))
        assert sorted(row.key for row in store.scan("addresses")) == ["later", "met since", "never"]


def test_old_ids_are_dropped_a_chunk_at_a_time(where: str) -> None:
    with Store(where) as store:
        for number, oldest in ((0, 0), (2, 0), (4, 3)):
            store.commit(Batch(seen=(number, b"x" * 24, oldest)))
        assert store.seen() == ([(2, b"x" * 24), (4, b"x" * 24)], 3)


def test_of_two_writers_the_second_is_refused_and_readers_are_not(where: str) -> None:
    with Store(where) as store, store.writing("quivive serve"), store.writing("again"):
        store.commit(BATCH)
        with Store(where, create=False) as other:
            assert other.assessment("a") == b"{}"
            with pytest.raises(StoreError, match="in use by another writer"), other.writing("x"):
                pass
    with Store(where) as store, store.writing("now it is free"):
        pass


def test_a_write_between_load_and_put_is_refused(where: str) -> None:
    with Store(where) as store, Store(where) as other:
        store.load("engine")
        other.commit(Batch(states={"engine": b"1"}))
        with pytest.raises(StoreError, match="another run has written"):
            store.commit(Batch(states={"engine": b"2"}))
        store.forget_loaded()
        assert store.load("engine") == b"1"
        store.commit(Batch(states={"engine": b"2"}))


def test_verdicts_and_models_on_both(where: str) -> None:
    author = Author("ana", "because", 5)
    with Store(where) as store:
        kept, models = Verdicts(store), Models(store)
        store.commit(Batch(rows=[Row(f"e{n}", n, "dana", float(n), b"{}") for n in range(50)]))
        verdict = Verdict(event_id="e1", kind="true_positive", by="k", why="w", when=9)
        kept.write([Given(1, verdict)], [], [], {"engine": b"3"})
        assert kept.standing()["e1"].verdict == verdict
        assert kept.horizon() == (0, 49)
        assert {"e1", "e10", "e41"} <= set(kept.near("e1"))
        assert sum(kept.population().values()) == 50
        for _ in range(2):
            kept.ask([Asked("e1", True, "human/x", "low")])
        assert set(kept.asked()) == {"e1"}
        assert [login.id for login in kept.ranked()][:2] == ["e49", "e48"]
        models.add(models.next_name(), b"m", b"{}", 1, "candidate", author)
        models.activate("v1", "shipped", "promoted", author, {"engine": b"4"})
        assert (models.active(), store.load("engine")) == ("v1", b"4")
        for change in ("UPDATE verdicts SET why = 'x'", "DELETE FROM model_history"):
            with (
                pytest.raises(StoreError, match="append-only"),
                store.transaction() as connection,
            ):
                connection.exec_driver_sql(change)


def test_a_state_comes_back_from_the_store_as_it_went(where: str) -> None:
    made = Company(engine(State()))
    made.sees(ordinary(0, 6, people=PEOPLE[:5]))
    with Store(where) as store:
        assert load_state(store) is None
        save_state(store, made.engine.state)
        again = load_state(store, judging=True)
        assert again is not None
        assert again.profiles.in_memory == 0
        assert encode_state(again) == encode_state(made.engine.state)


# --- stores that are refused


def test_a_newer_store_is_refused(where: str) -> None:
    with Store(where) as store, store.transaction() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = '99' WHERE key = 'version'")
    with pytest.raises(StoreError, match=f"version 99, this Quivive reads {SCHEMA_VERSION}; use"):
        Store(where)


def test_tables_of_something_else_are_refused_and_left_alone(where: str) -> None:
    with Store(where) as store, store.transaction() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.exec_driver_sql(f"DROP TABLE {table.name}")
    with pytest.raises(StoreError, match="something else"):
        Store(where)  # what is left is Alembic's


def test_no_store_is_said_to_be_none(where: str) -> None:
    with pytest.raises(StoreError, match="no store here; make one with quivive score --state"):
        Store(where, create=False)


@pytest.mark.parametrize("url", ["mysql://u:hidden@h/d", "postgresql://u:hidden@127.0.0.1:1/d"])
def test_a_url_that_leads_nowhere_is_named_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store(url)
    assert "hidden" not in str(caught.value)
    assert "--state" in str(caught.value)


# --- faults


def test_a_full_disk_keeps_what_was_there_and_names_the_setting(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.commit(BATCH)
        limit = sa.event.listens_for(store._engine, "begin")

        @limit
        def _full(connection: sa.Connection) -> None:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")

        more = [Row(f"b{n}", n, "eric", 1.0, b"x" * 90_000) for n in range(20)]
        with pytest.raises(StoreUnavailable, match=r"disk is full; .* make room where --state is"):
            store.commit(Batch(rows=more))
        assert rows(store, "assessments") == 1
        sa.event.remove(store._engine, "begin", _full)
        with store.transaction() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        store.commit(Batch(rows=more))
        assert rows(store, "assessments") == 21


def test_a_store_that_may_only_be_read_says_so(tmp_path: Path) -> None:
    with Store(tmp_path) as store:

        @sa.event.listens_for(store._engine, "begin")
        def _read_only(connection: sa.Connection) -> None:
            connection.exec_driver_sql("PRAGMA query_only = ON")

        with pytest.raises(StoreUnavailable, match=r"readonly .* make --state writable"):
            store.commit(BATCH)
        assert store.assessment("a") is None


def test_a_store_on_a_read_only_medium_is_read_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a b?c#d%41"
    with Store(folder) as store:
        store.commit(Batch(states={"a": b"1"}))
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}

    class Still:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr("quivive.store.connect.os.statvfs", lambda _: Still)
    with Store(folder, create=False) as store:
        assert store.load("a") == b"1"
        assert {path.name for path in folder.iterdir()} == {*kept}  # no log, no shared memory
        with pytest.raises(StoreUnavailable, match="writable"):
            store.commit(Batch(states={"a": b"2"}))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
    (folder / "quivive.sqlite-wal").write_bytes(b"something that the file has not")
    assert not Place(folder)._is_still()


def test_a_database_that_restarts_is_found_again(postgres: str) -> None:
    import psycopg

    with Store(postgres) as store, store.writing("serving"):
        store.commit(BATCH)
        assert store.read("profiles", "dana") is not None
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        with pytest.raises(StoreUnavailable, match="see that the server runs"):
            store.read("profiles", "dana")
        store.commit(Batch(states={"engine": b"9"}))
        assert store.read("profiles", "dana") is not None
        with (
            Store(postgres) as other,
            pytest.raises(StoreError, match="another writer"),
            other.writing("x"),
        ):
            pass


# --- older stores


def old_store(folder: Path, body: bytes) -> Path:
    """A store as version 2 made it."""
    folder.mkdir()
    with sqlite3.connect(folder / "quivive.sqlite") as connection:
        connection.executescript(
            """
            CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
            CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL);
            CREATE TABLE assessments (id TEXT NOT NULL PRIMARY KEY, time BIGINT NOT NULL,
                identity TEXT NOT NULL, risk_score FLOAT NOT NULL, body BLOB NOT NULL,
                lesson BLOB, kind TEXT, stratum TEXT NOT NULL DEFAULT '',
                finding BOOLEAN NOT NULL DEFAULT 0);
            CREATE INDEX ix_assessments_time ON assessments (time);
            CREATE INDEX ix_assessments_identity ON assessments (identity);
            CREATE INDEX ix_assessments_risk_score ON assessments (risk_score);
            CREATE TABLE dead_letters (id INTEGER NOT NULL PRIMARY KEY, log TEXT NOT NULL,
                line INTEGER NOT NULL, sequence INTEGER NOT NULL, reason TEXT NOT NULL,
                sample TEXT NOT NULL);
            INSERT INTO meta VALUES ('version', '2');
            INSERT INTO assessments (id, time, identity, risk_score, body, finding)
                VALUES ('b', 7, 'eric', 1, x'7b7d', 0), ('a', 7, 'dana', 51.5, x'7b7d', 1);
            """
        )
        connection.execute("INSERT INTO state VALUES ('engine', ?)", (body,))
    connection.close()
    return folder


def test_a_store_of_version_2_comes_along_with_all_it_holds(tmp_path: Path) -> None:
    made = Company(engine(State()))
    made.sees(ordinary(0, 6, people=PEOPLE[:5]))
    publish_all(made.engine.state)
    whole = encode_state(made.engine.state)
    old = msgspec.msgpack.decode(whole)
    del old["organisation"]["known"]
    folder = old_store(
        tmp_path / "old", msgspec.msgpack.encode({**old, "version": 1, "seen": {"Okta|x|1": 5}})
    )
    with Store(folder, create=False) as store:
        state = load_state(store, judging=True)
        assert state is not None
        assert state.seen.again("Okta|x|1")
        assert [event_id for event_id, _ in store.history()] == ["b", "a"]
        assert [login.id for login in Verdicts(store).ranked()] == ["a", "b"]
        state.seen, state.pending = made.engine.state.seen, made.engine.state.pending
        assert encode_state(state) == whole


def test_a_store_that_cannot_be_brought_up_stays_as_it_was(tmp_path: Path) -> None:
    odd = msgspec.msgpack.encode({"version": 1, "profiles": {"dana": []}})
    folder = old_store(tmp_path / "old", odd)
    with pytest.raises(StoreError, match="store version 2 cannot be brought up"):
        Store(folder)
    with sqlite3.connect(folder / "quivive.sqlite") as connection:
        assert connection.execute("SELECT value FROM meta").fetchall() == [("2",)]
        assert connection.execute("SELECT body FROM state").fetchone() == (odd,)
    connection.close()


def shape(where: str | Path) -> dict[str, object]:
    """Columns, indexes and triggers of every table."""
    with Store(where) as store, store.reading() as connection:
        look = sa.inspect(connection)
        found: dict[str, object] = {
            name: (
                sorted(
                    (c["name"], str(c["type"]), c["nullable"], bool(c.get("default")))
                    for c in look.get_columns(name)
                ),
                sorted(
                    (i["name"], i["column_names"], bool(i["unique"]))
                    for i in look.get_indexes(name)
                ),
                look.get_pk_constraint(name)["constrained_columns"],
                sorted(c["column_names"] for c in look.get_unique_constraints(name)),
            )
            for name in look.get_table_names()
        }
        if connection.dialect.name == "sqlite":
            query = "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
        else:
            query = (
                "SELECT relname, pg_get_triggerdef(t.oid) FROM pg_trigger t"
                " JOIN pg_class c ON c.oid = tgrelid"
                " WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace"
            )
        triggers = connection.execute(sa.text(query))
        found["triggers"] = sorted((name, " ".join(sql.split())) for name, sql in triggers)
        return found


def test_a_migrated_store_of_version_2_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    old = shape(old_store(tmp_path / "old", b"\x02"))
    assert old == shape(tmp_path / "new")
    assert SCHEMA_VERSION == 6


@pytest.mark.parametrize("made", [set(), {"audit", "tokens", "incidents", "verdicts"}])
def test_migrations_make_what_the_metadata_says(where: str, made: set[str]) -> None:
    """From nothing, and from a store where some tables were made when they were first needed."""
    from alembic.autogenerate import compare_metadata
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    from quivive.store.connect import Place
    from quivive.store.upgrade import MIGRATIONS, know_all_tables

    know_all_tables()
    script = ScriptDirectory(str(MIGRATIONS))
    assert script.get_heads() == [f"{SCHEMA_VERSION:04}"]
    if not where.startswith("postgresql"):
        Path(where).mkdir()
    engine = Place(where).engine()
    with engine.begin() as connection:
        how = {"fn": lambda found, _: script._upgrade_revs("0004", found)}
        context = MigrationContext.configure(connection, opts=how)
        with Operations.context(context):
            context.run_migrations()
        connection.execute(sa.text("INSERT INTO meta (key, value) VALUES ('version', '4')"))
        metadata.create_all(connection, tables=[metadata.tables[name] for name in sorted(made)])
    engine.dispose()
    with Store(where) as store, store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        different = [
            one for one in compare_metadata(context, metadata)
            if not (one[0] == "remove_table" and one[1].name == "alembic_version")
        ]  # fmt: skip
        assert different == []
        assert context.get_current_heads() == (f"{SCHEMA_VERSION:04}",)
    migrated = shape(where)
    if not where.startswith("postgresql"):
        assert migrated == shape(f"{where}-new")
    triggers: Any = migrated["triggers"]
    assert {name for name, _ in triggers} == {
        "audit", "audit_checkpoints", "model_history", "policy_history", "verdicts",
    }  # fmt: skip


@pytest.mark.parametrize("nothing", ["", " ", Path()])
def test_the_folder_one_is_in_is_no_state_by_accident(
    nothing: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="no folder is named"):
        Store(nothing)
    assert list(tmp_path.iterdir()) == []
