"""Telemetry: every login once in the files, whatever happens; and questions to it."""

import os
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from quivive.app import running, telemetry
from quivive.app.errors import UsageError
from quivive.app.retention import parse_age, parse_classes, prune
from quivive.app.telemetry import SERVER_RUN, Telemetry, folder_of
from quivive.cli.main import cli
from quivive.model.event import AuthEvent
from quivive.model.ocsf import encode_event
from quivive.model.record import Reject
from quivive.store import schema
from quivive.store.analytics import Analytics, QueryError
from quivive.store.audit import Filters, Trail
from quivive.store.batch import Batch
from quivive.store.database import Store, StoreError, StoreUnavailable
from quivive.store.telemetry import COLUMNS, DAY_MS, MADE, Line, Parts, positions
from tests.scenario.company import DAY0, PEOPLE, ordinary
from tests.unit.test_live import live

LOGINS, PER_BATCH = 60, 25


class Crash(BaseException):
    """Ends the process, as far as a test can."""


@pytest.fixture(scope="module")
def events() -> list[AuthEvent]:
    return [
        replace(event, metadata=replace(event.metadata, uid=f"u-{number}", original_time="x"))
        for number, event in enumerate(ordinary(0, 10, people=PEOPLE[:6])[:LOGINS])
    ]


@pytest.fixture(scope="module")
def log(events: list[AuthEvent], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("logs") / "month.ndjson"
    path.write_bytes(b"\n".join(map(encode_event, events)) + b"\n{nonsense\n")
    return str(path)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH_LOGINS", PER_BATCH)


def score(folder: Path, log: str, *more: str) -> None:
    given = ["score", "--state", str(folder / "state"), "--out", str(folder / "out"), *more, log]
    cli(given, standalone_mode=False)


def files(folder: Path) -> dict[str, bytes]:
    root = folder / "state" / "telemetry"
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.parquet"))}


@pytest.fixture(scope="module")
def undisturbed(log: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "BATCH_LOGINS", PER_BATCH)
        score(folder, log, "--telemetry")
    return folder


def test_every_login_is_a_row_of_its_day(undisturbed: Path) -> None:
    lines = [msgspec.json.decode(line) for line in (undisturbed / "out").read_bytes().splitlines()]
    rows = {}
    for path in sorted((undisturbed / "state" / "telemetry").glob("day=*/*.parquet")):
        for row in pq.read_table(path, partitioning=None).to_pylist():
            assert path.parent.name == f"day={row['time'].date().isoformat()}"
            rows[row["position"]] = row
    assert len(lines) == LOGINS
    assert sorted(rows) == list(range(1, LOGINS + 1))
    for number, line in enumerate(lines, 1):
        row = rows[number]
        assert row.keys() == COLUMNS.keys() | MADE.keys()
        assert row["run"] == 1
        for name, (kind, path) in COLUMNS.items():
            found = line
            for step in path.split("."):
                found = None if found is None else found.get(step)
            if kind == "timestamp":
                assert round(row[name].replace(tzinfo=UTC).timestamp() * 1000) == found
            elif found is not None:
                assert row[name] == found, name
            else:
                assert row[name] in (None, "", 0, False), name
        assert [r["signal"] for r in row["reasons"]] == [r["signal"] for r in line["reasons"]]


def test_the_same_input_gives_the_same_files(undisturbed: Path, log: str, tmp_path: Path) -> None:
    score(tmp_path, log, "--telemetry")
    assert files(tmp_path) == files(undisturbed)
    before = files(tmp_path)
    score(tmp_path, log, "--telemetry")  # judged before: nothing is added
    assert files(tmp_path) == before


def crashing(point: str, nth: int) -> Callable[[str], None]:
    left = [nth]

    def at(found: str) -> None:
        if found == point:
            left[0] -= 1
            if not left[0]:
                raise Crash

    return at


@pytest.mark.parametrize("nth", [1, 3])
@pytest.mark.parametrize("point", ["before-part-rename", "after-part-rename", "in-transaction"])
def test_a_crash_neither_loses_nor_doubles_rows(
    undisturbed: Path, log: str, tmp_path: Path, monkeypatch, point: str, nth: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Store, "at", staticmethod(crashing(point, nth)))
        with pytest.raises(Crash):
            score(tmp_path, log, "--telemetry")
    score(tmp_path, log, "--telemetry")
    assert files(tmp_path) == files(undisturbed)
    assert (tmp_path / "out").read_bytes() == (undisturbed / "out").read_bytes()
    assert not list((tmp_path / "state" / "telemetry").rglob(".*"))


def test_what_a_run_given_up_left_goes(log: str, events, tmp_path: Path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Store, "at", staticmethod(crashing("before-commit", 2)))
        with pytest.raises(Crash):
            score(tmp_path, log, "--telemetry")
    other = tmp_path / "other.ndjson"
    other.write_bytes(encode_event(events[-1]) + b"\n")
    score(tmp_path, str(other), "--telemetry", "--abandon")
    with Store(tmp_path / "state") as store:
        assert positions(store) == {1: PER_BATCH, 2: 1}
    with Analytics(tmp_path / "state" / "telemetry") as asking:
        answer = asking.ask(
            "SELECT run, count(*), max(position) FROM logins GROUP BY run ORDER BY 1"
        )
    assert answer.rows == [(1, PER_BATCH, PER_BATCH), (2, 1, 1)]


def test_logins_judged_without_telemetry_are_made_up_for(
    undisturbed: Path, log: str, tmp_path: Path, monkeypatch
) -> None:
    score(tmp_path, log)
    assert not (tmp_path / "state" / "telemetry").exists()
    score(tmp_path, log, "--telemetry")
    query = "SELECT * EXCLUDE (day) FROM logins ORDER BY position"
    with (
        Analytics(tmp_path / "state" / "telemetry") as a,
        Analytics(undisturbed / "state" / "telemetry") as b,
    ):
        assert a.ask(query) == b.ask(query)


def test_a_server_writes_what_is_committed(tmp_path: Path, events, monkeypatch) -> None:
    monkeypatch.setattr(telemetry, "lines_after", lambda *a: lines_after(*a, limit=10))
    from quivive.store.telemetry import lines_after

    with Store(tmp_path / "state") as store:
        at_work, writes = live(store), Telemetry(store, folder_of(store))
        writes.begin(SERVER_RUN)
        for event in events[:25]:
            at_work.judge("api", event)
        assert writes.fill(SERVER_RUN) == 0  # nobody was answered yet
        at_work.commit()
        monkeypatch.setattr(telemetry, "mark", crash)
        with pytest.raises(Crash):
            writes.fill(SERVER_RUN)
        monkeypatch.undo()
        again = Telemetry(store, folder_of(store))
        again.begin(SERVER_RUN)
        for event in events[25:40]:
            at_work.judge("api", event)
        at_work.commit()
        assert again.fill(SERVER_RUN) == 15
        assert positions(store) == {SERVER_RUN: 40}
    with Analytics(tmp_path / "state" / "telemetry") as asking:
        (row,) = asking.ask("SELECT count(*), count(DISTINCT position), max(run) FROM logins").rows
    assert row == (40, 40, 0)


def crash(*_: object) -> None:
    raise Crash


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, undisturbed: Path) -> None:
    (tmp_path / "telemetry").write_text("a file")
    line = (undisturbed / "out").read_bytes().splitlines()[0]
    with pytest.raises(StoreUnavailable, match="nothing of this was kept"):
        Parts(tmp_path / "telemetry").write(1, [Line(1, line)])
    with pytest.raises(StoreError, match="line 7 is damaged"):
        Parts(tmp_path / "elsewhere").write(1, [Line(7, b'{"event": 1}')])


def test_a_database_needs_a_folder_named() -> None:
    class Url:
        folder, given = None, "postgresql://host/q"

    with pytest.raises(UsageError, match="--telemetry-dir"):
        folder_of(Url())  # type: ignore[arg-type]
    assert folder_of(Url(), "/data") == Path("/data")  # type: ignore[arg-type]


def test_telemetry_goes_with_a_store(log: str) -> None:
    with pytest.raises(UsageError, match="goes with --state"):
        cli(["score", "--telemetry", log], standalone_mode=False)


# --- questions


def ask(undisturbed: Path, *args: str) -> None:
    given = ["query", "--state", str(undisturbed / "state"), "--by", "pia", *args]
    cli(given, standalone_mode=False)


def test_a_question_is_answered_and_recorded(undisturbed: Path, capsys) -> None:
    sql = "SELECT identity, count(*) AS logins FROM logins GROUP BY 1 ORDER BY 2 DESC, 1"
    ask(undisturbed, sql, "--json", "--limit", "2")
    out, err = capsys.readouterr()
    rows = [msgspec.json.decode(line) for line in out.splitlines()]
    assert len(rows) == 2
    assert rows[0].keys() == {"identity", "logins"}
    assert "only the first 2 rows" in err
    ask(undisturbed, "SELECT 'a' || chr(27) || '[31m' AS x, NULL AS y")
    shown = capsys.readouterr().out
    assert "a\\x1b[31m" in shown
    with Store(undisturbed / "state") as store:
        records = list(Trail(store).records(Filters(action="telemetry")))
    assert [record.actor for record in records] == ["pia", "pia"]
    assert sql in msgspec.json.decode(records[0].details)["sql"]


def test_latest_has_each_login_once(tmp_path: Path, undisturbed: Path) -> None:
    lines = (undisturbed / "out").read_bytes().splitlines()
    parts = Parts(tmp_path)
    parts.write(1, [Line(n, line) for n, line in enumerate(lines, 1)])
    parts.write(2, [Line(n, line) for n, line in enumerate(lines[:9], 1)])
    with Analytics(tmp_path) as asking:
        assert asking.ask("SELECT count(*) FROM logins").rows == [(LOGINS + 9,)]
        assert asking.ask("SELECT count(*), sum(run = 2) FROM latest").rows == [(LOGINS, 9)]
        assert asking.ask("SELECT count(*) FROM logins WHERE run = ?", 2).rows == [(9,)]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("COPY logins TO '{inside}/x.parquet'", "one SELECT"),
        ("COPY logins TO '{outside}/x.parquet'", "one SELECT"),
        ("INSTALL httpfs", "one SELECT"),
        ("LOAD httpfs", "one SELECT"),
        ("ATTACH '{outside}/a.db'", "one SELECT"),
        ("SET memory_limit = '8GB'", "one SELECT"),
        ("PRAGMA database_list", "one SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("", "one SELECT"),
        ("SELEKT 1", "syntax error"),
        ("SELECT nothing FROM logins", "nothing"),
        ("SELECT * FROM read_text('/etc/hostname')", "Cannot access file"),
        ("SELECT * FROM read_csv('{outside}/../*')", "Cannot access file"),
        ("SELECT * FROM '{inside}/../quivive.sqlite'", "Cannot access file|Permission|not exist"),
        ("SELECT * FROM read_text('{inside}/../keys/audit.jwk')", "Cannot access file"),
        ("SELECT * FROM read_csv('https://example.com/x')", "."),
        ("SELECT * FROM sqlite_scan('{inside}/../quivive.sqlite', 'meta')", "."),
        ("SELECT now()", "::TIMESTAMP"),
        ("SELECT 1 --" + "x" * 70_000, "over 65536 characters"),
    ],
)
def test_nothing_else_is_done_or_read(
    undisturbed: Path, tmp_path: Path, sql: str, why: str
) -> None:
    inside = undisturbed / "state" / "telemetry"
    before = files(undisturbed)
    with Analytics(inside) as asking, pytest.raises(QueryError, match=why):
        asking.ask(sql.format(inside=inside, outside=tmp_path))
    assert files(undisturbed) == before
    assert not list(tmp_path.iterdir())


def test_a_question_that_takes_too_long_is_given_up(undisturbed: Path) -> None:
    endless = (
        "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range * b.range < 0"
    )
    with Analytics(undisturbed / "state" / "telemetry", seconds=0.05) as asking:
        with pytest.raises(QueryError, match="no answer within"):
            asking.ask(endless)
        assert asking.ask("SELECT 1").rows == [(1,)]


def test_no_telemetry_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no telemetry here; quivive score"):
        Analytics(tmp_path)


# --- retention


def kept(store: Store, table: sa.Table) -> int:
    with store.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_what_is_older_goes_and_the_trail_says_so(log: str, tmp_path: Path) -> None:
    score(tmp_path, log, "--telemetry")
    now = DAY0 + 3 * DAY_MS  # nothing but the first day and its logins are older than two days
    with Store(tmp_path / "state") as store:
        with store.reading() as connection:
            older = connection.scalar(
                sa.select(sa.func.count()).where(schema.assessments.c.time < DAY0 + DAY_MS)
            )
        assert older
        store.commit(Batch(rejects=[Reject(log="x", sequence=1, line=1, reason="r", sample="s")]))
        state = store.load("engine/organisation")
        parts = len(files(tmp_path))
        folder = folder_of(store)
        gone = prune(store, folder, ("telemetry", "assessments", "dead_letters"), 2, "pia", now)
        assert gone["assessments"] == older
        assert kept(store, schema.assessments) == LOGINS - older
        assert gone["dead_letters"] == 0  # rejected when the newest login was known
        assert gone["telemetry"] == parts - len(files(tmp_path)) > 0
        assert min(files(tmp_path)) >= "day=2025-11-11"
        assert store.load("engine/organisation") == state  # what was learned stays
        (record,) = Trail(store).records(Filters(action="retention"))
        assert (record.actor, record.subject) == ("pia", "telemetry,assessments,dead_letters")
        assert msgspec.json.decode(record.details)["gone"] == gone
        again = prune(store, folder, ("assessments",), 2, "pia", now)
        assert again == {"assessments": 0}
        assert prune(store, folder, ("dead_letters",), 1, "pia", now + 30 * DAY_MS) == {
            "dead_letters": 2
        }


def test_lines_that_a_run_still_needs_stay(log: str, tmp_path: Path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Store, "at", staticmethod(crashing("before-commit", 2)))
        with pytest.raises(Crash):
            score(tmp_path, log)
    with Store(tmp_path / "state") as store:
        before = kept(store, schema.assessments)
        with pytest.raises(
            UsageError, match="cut short, after 25 logins, and its lines are needed"
        ):
            prune(store, None, ("assessments",), 1, "pia", DAY0 + 90 * DAY_MS)
        assert kept(store, schema.assessments) == before


def test_prune_from_the_command_line(log: str, tmp_path: Path, capsys) -> None:
    score(tmp_path, log, "--telemetry")
    capsys.readouterr()
    state = str(tmp_path / "state")
    cli(["prune", "--state", state, "--older-than", "1d", "--by", "pia"], standalone_mode=False)
    said = capsys.readouterr().err
    assert f"{LOGINS} logins deleted" in said
    assert files(tmp_path) == {}
    assert not any(os.scandir(tmp_path / "state" / "telemetry"))


@pytest.mark.parametrize("text", ["", "0d", "-3d", "4", "d", "1h", "999999d", "1d; DROP"])
def test_an_age_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="400d, 8w, 2y"):
        parse_age(text)


def test_ages_and_classes() -> None:
    assert (parse_age("400d"), parse_age("8W"), parse_age("2y")) == (400, 56, 730)
    assert parse_classes("dead_letters, telemetry") == ("telemetry", "dead_letters")
    for wrong in ("", "verdicts", "telemetry,x"):
        with pytest.raises(UsageError, match="--what"):
            parse_classes(wrong)


def test_marks_and_retention_on_each_kind_of_store(where: str, tmp_path: Path, events) -> None:
    with Store(where) as store:
        at_work, writes = live(store), Telemetry(store, tmp_path / "parquet")
        for event in events[:10]:
            at_work.judge("api", event)
        at_work.commit(rejects=[Reject(log="x", sequence=1, line=1, reason="r", sample="s")])
        at_work.checkpoint()
        assert writes.fill(SERVER_RUN) == 10
        assert writes.fill(SERVER_RUN) == 0
        answer = telemetry.ask(store, tmp_path / "parquet", "SELECT count(*) FROM logins", "pia", 1)
        assert answer.rows == [(10,)]
        classes = ("telemetry", "assessments", "dead_letters")
        gone = prune(store, tmp_path / "parquet", classes, 1, "pia", DAY0 + 90 * DAY_MS)
        assert (gone["assessments"], gone["dead_letters"]) == (10, 1)
        assert gone["telemetry"] > 0
        assert len(list(Trail(store).records())) == 2


def test_a_server_with_telemetry_has_all_of_it_at_its_end(tmp_path: Path, events) -> None:
    from quivive.enrich.enricher import Enricher
    from quivive.policy.budget import Budgets
    from quivive.server.app import Server
    from quivive.server.asks import Ask
    from quivive.server.judging import Settings

    given = Settings(Enricher(None, None), Budgets())
    server = Server(tmp_path, given, lasting=False, sending=False, telemetry=True)
    answers: list[object] = []
    server.judge.ask(Ask("api", events[:8], answers.append), urgent=False)
    server.close()
    assert len(answers) == 1
    with Analytics(tmp_path / "telemetry") as asking:
        assert asking.ask("SELECT count(*) FROM logins").rows == [(8,)]
