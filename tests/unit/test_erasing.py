"""Erasing one identity: nothing of it is left where it need not be, and the others lose nothing."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from quivive.app import kept
from quivive.app.audit import signing_key, verify
from quivive.app.erasing import Erased, erase, pseudonymise, stand_in
from quivive.app.errors import UsageError
from quivive.app.keeping import load_state
from quivive.app.ssf import Transmitter
from quivive.app.telemetry import Telemetry
from quivive.cli.main import cli
from quivive.engine import observe
from quivive.respond import caep
from quivive.respond.secret import Secret
from quivive.respond.ssf.streams import Poll, Wanted
from quivive.respond.ssf.tokens import SESSION_REVOKED
from quivive.store import ssf, views
from quivive.store.analytics import Analytics
from quivive.store.database import Store
from quivive.store.models import Author
from quivive.store.telemetry import Line, Parts
from tests.scenario import company as scenario
from tests.unit.company_state import company
from tests.vendor import key_pem

BY = Author("ada", "asked for", 1_800_000_000_000)
STAYS = {"audit", "verdicts", "contexts"}  # append-only, or said to stay


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return company(tmp_path_factory.mktemp("erasing"))


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    shutil.copytree(made, tmp_path / "state")
    return Store(tmp_path / "state", lasting=False)


def found_in(store: Store, *names: str) -> set[str]:
    """The tables in which any of some names stands."""
    assert store.folder is not None
    with sqlite3.connect(store.folder / "quivive.sqlite") as raw:
        tables = [r[0] for r in raw.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return {
            table
            for table in tables
            for row in raw.execute(f"SELECT * FROM {table}")
            for name in names
            if any(name.encode() in (v if isinstance(v, bytes) else str(v).encode()) for v in row)
        }


def somebody(store: Store) -> tuple[str, list[str]]:
    """Somebody with a finding, and what else they are called by."""
    found = views.page(store, views.Wanted(finding=True, kind="human", limit=1))[0]
    line = json.loads(found.body)
    user = line["event"]["user"]
    return line["identity"], [line["identity"], user["uid"]]


@pytest.mark.parametrize("do", [erase, pseudonymise])
def test_no_table_but_what_must_stay_names_it_any_more(
    store: Store, do: Callable[[Store, str, Author], Erased]
) -> None:
    name, called = somebody(store)
    assert {"assessments", "profiles", "addresses", "incidents", "state"} <= found_in(
        store, *called
    )
    done = do(store, name, BY)
    assert found_in(store, *called) <= STAYS
    assert done.logins > 20
    assert done.addresses > 0
    assert done.incidents > 0
    assert done.in_trail > 0
    assert verify(store, signing_key(store)).broken is None


def test_what_the_process_remembers_of_logins_is_forgotten_with_it(store: Store) -> None:
    made = scenario.company()
    *before, call = list(scenario.machines(43, 44))[:4]
    made.sees([*before, call])
    kept.row_of("id", made.judges(replace(call, time=call.time + 60_000)), b"{}")
    assert observe._observed.cache_info().currsize
    assert kept._repeated._known
    erase(store, somebody(store)[0], BY)
    assert not observe._observed.cache_info().currsize
    assert not kept._repeated._known


def test_tokens_that_name_it_leave_the_streams(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are signed, so that nothing in them can be changed, and read as they are."""
    monkeypatch.setenv("SSF_KEY", key_pem("ec"))
    key = Secret(env="SSF_KEY")
    made = Transmitter(store, caep.Settings(issuer="https://q", key=key, streams=True))
    number = made.create("app", Wanted(), BY.at)["stream_id"]
    name, _ = somebody(store)
    for who in (name, "somebody.else@example.com"):
        subject = {"format": "email", "email": who}
        made.publish(SESSION_REVOKED, {}, subject, who, BY.at)
        made.set_subject("app", number, subject, BY.at, wanted=False)
    erase(store, name, BY)
    assert len(made.poll("app", number, Poll(), BY.at)["sets"]) == 1
    with store.reading() as connection:
        assert ssf.removed(connection, number) == 1


def test_erasing_takes_back_exactly_what_it_taught_the_organisation(store: Store) -> None:
    name, _ = somebody(store)
    before = load_state(store)
    assert before is not None
    country = before.organisation.everyone.tables["country"]
    mine = before.profiles[name].own.tables["country"]
    taught = mine.total / before.profiles[name].own.scale(BY.at)
    whole = country.total / before.organisation.everyone.scale(BY.at)
    assert taught > 0
    erase(store, name, BY)
    after = load_state(store)
    assert after is not None
    assert name not in after.profiles
    left = after.organisation.everyone.tables["country"].total
    # half-lives differ, so the sums do, too: something went, and not more than it was
    assert 0 < left / after.organisation.everyone.scale(BY.at) < whole
    assert after.organisation.known == before.organisation.known - 1


def test_the_others_are_left_as_they_were(store: Store) -> None:
    name, _ = somebody(store)
    erase(store, name, BY)
    others = views.page(store, views.Wanted(limit=1_000))
    assert others
    assert all(json.loads(o.body)["identity"] != name for o in others)
    again = load_state(store)
    assert again is not None
    assert len(again.profiles) > 3


def test_a_pseudonym_leaves_what_is_counted_and_nothing_that_tells_who(store: Store) -> None:
    name, _ = somebody(store)
    before = views.summary(store, name)
    done = pseudonymise(store, name, BY)
    assert done.stand_in == stand_in(store, name)
    assert views.summary(store, name) is None
    after = views.summary(store, done.stand_in)
    assert after is not None
    assert before is not None
    assert (after.logins, after.findings, after.worst) == (
        before.logins, before.findings, before.worst,
    )  # fmt: skip
    line = json.loads(views.page(store, views.Wanted(identity=done.stand_in, limit=1))[0].body)
    event = line["event"]
    assert event["user"]["name"] == done.stand_in
    assert not {"device", "session", "http_request", "actor"} & set(event)
    assert set(event.get("src_endpoint", {})) <= {"location"}
    assert all("erased" in reason["text"] for reason in line["reasons"])


def test_logins_of_others_that_name_it_name_the_stand_in(store: Store) -> None:
    name, _ = somebody(store)
    mine = next(
        row for row in views.page(store, views.Wanted(limit=1_000))
        if json.loads(row.body)["identity"] != name
    )  # fmt: skip
    before = json.loads(mine.body)
    before["event"]["actor"] = {"user": {"name": name}}
    with store.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE assessments SET body = ? WHERE id = ?",
            (json.dumps(before).encode(), before["id"]),
        )
    done = erase(store, name, BY)
    body = store.assessment(before["id"])
    assert body is not None
    after = json.loads(body)
    assert after["event"]["actor"] == {"user": {"name": done.stand_in}}
    assert after["identity"] == before["identity"]
    assert "assessments" not in found_in(store, name)


def test_its_own_record_does_not_name_it(store: Store) -> None:
    name, _ = somebody(store)
    erase(store, name, BY)
    with store.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT subject, details FROM audit WHERE action = 'identity:erased'"
        ).all()
    assert len(rows) == 1
    assert rows[0][0] == stand_in(store, name)
    assert name not in rows[0][1]


def test_a_request_may_spell_the_name_as_it_likes(store: Store) -> None:
    name, _ = somebody(store)
    assert name != name.upper()
    assert erase(store, name.upper(), BY).logins > 0
    assert not found_in(store, name) - {"audit"}
    with pytest.raises(UsageError, match="no such identity"):
        erase(store, name.upper(), BY)


def test_somebody_unknown_is_refused_and_nothing_changes(store: Store) -> None:
    with pytest.raises(UsageError, match="no such identity"):
        erase(store, "nobody@example.com", BY)


def test_what_is_under_way_is_finished_first(store: Store) -> None:
    name, _ = somebody(store)
    with store.transaction() as connection:
        connection.exec_driver_sql(
            "INSERT INTO outbox (key, kind, created, due, attempts, state, body, error)"
            " VALUES ('k', 'response', 1, 1, 0, 'due', ?, '')",
            (json.dumps({"target": {"identity": name}}).encode(),),
        )
    with pytest.raises(UsageError, match="under way"):
        erase(store, name, BY)
    assert views.summary(store, name) is not None


def test_the_command_asks_first_and_says_what_stays(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "s")
    with Store(tmp_path / "s") as store:
        name, _ = somebody(store)
    args = ["identity", "erase", name, "--state", str(tmp_path / "s"), "--why", "asked for"]
    assert CliRunner().invoke(cli, args, input="n\n").exit_code != 0
    said = CliRunner().invoke(cli, args, input="y\n")
    assert said.exit_code == 0, said.output
    assert "deleted" in said.output
    assert "audit trail" in said.output


def telemetry_of(store: Store, folder: Path) -> Path:
    """Every login of a store as telemetry, in two parts a run."""
    with store.reading() as connection:
        runs = connection.exec_driver_sql("SELECT DISTINCT run FROM assessments").scalars().all()
    for run in runs:
        assert Telemetry(store, folder).fill(run) > 0
    return folder


def bytes_of(folder: Path, *names: str) -> list[str]:
    """The values of all files of telemetry in which any of some names stands."""
    return [
        text
        for file in folder.rglob("*.parquet")
        for row in pq.read_table(file, partitioning=None).to_pylist()
        for text in map(str, row.values())
        if any(name in text for name in names)
    ]


@pytest.mark.parametrize("do", [erase, pseudonymise])
def test_its_rows_of_telemetry_go_and_those_of_others_stay(
    store: Store, do: Callable[..., Erased]
) -> None:
    assert store.folder is not None
    folder = telemetry_of(store, store.folder / "telemetry")
    name, called = somebody(store)
    summary = views.summary(store, name)
    assert summary is not None
    with Analytics(folder) as analytics:
        whole = analytics.ask("SELECT count(*) FROM logins").rows[0][0]
    assert bytes_of(folder, *called)
    done = do(store, name, BY)
    assert done.telemetry == summary.logins
    assert bytes_of(folder, *called) == []
    with Analytics(folder) as analytics:
        assert analytics.ask("SELECT count(*) FROM logins").rows == [(whole - done.telemetry,)]
    assert not list(folder.rglob(".*"))


def test_rows_of_others_that_name_it_name_the_stand_in(store: Store, tmp_path: Path) -> None:
    name, _ = somebody(store)
    line = json.loads(views.page(store, views.Wanted(limit=1))[0].body)
    line["identity"], line["id"] = "role/deploy", "assumed"
    line["event"]["user"] = {"name": "deploy", "type_id": 3}
    line["event"]["actor"] = {"user": {"name": name}}
    line["reasons"] = [{"signal": "address", "text": f"{name} is at home there", "weight": -1.0,
                        "attack": []}]  # fmt: skip
    Parts(tmp_path / "t").write(9, [Line(1, json.dumps(line).encode())])
    done = erase(store, name, BY, str(tmp_path / "t"))
    assert done.telemetry == 0
    assert bytes_of(tmp_path / "t", name) == []
    (row,) = pq.read_table(next((tmp_path / "t").rglob("*.parquet")), partitioning=None).to_pylist()
    assert row["identity"] == "role/deploy"
    assert row["actor_user_name"] == done.stand_in
    assert row["reasons"][0]["text"] == f"{done.stand_in} is at home there"


def test_telemetry_that_is_elsewhere_or_damaged_stops_it_before_anything_changes(
    store: Store, tmp_path: Path
) -> None:
    name, _ = somebody(store)
    folder = telemetry_of(store, tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="--telemetry-dir"):
        erase(store, name, BY)
    with pytest.raises(UsageError, match="--telemetry-dir"):
        erase(store, name, BY, str(tmp_path / "nowhere"))
    damaged = sorted(folder.rglob("*.parquet"))[-1]
    kept = damaged.read_bytes()
    damaged.write_bytes(kept[:100])
    with pytest.raises(UsageError, match="damaged"):
        erase(store, name, BY, str(folder))
    assert views.summary(store, name) is not None
    damaged.write_bytes(kept)
    args = ["identity", "erase", name, "--state", str(store.folder), "--why", "asked for", "--yes"]
    said = CliRunner().invoke(cli, [*args, "--telemetry-dir", str(folder)])
    assert said.exit_code == 0, said.output
    assert "rows of telemetry deleted" in said.output
    assert bytes_of(folder, name) == []


def test_whoever_writes_in_the_store_is_told_of_before_anything_is_asked(store: Store) -> None:
    name, _ = somebody(store)
    args = ["identity", "erase", name, "--state", str(store.folder), "--why", "asked for"]
    with Store(store.folder) as other, other.writing("quivive serve"):
        said = CliRunner().invoke(cli, args, input="y\n")
    assert "in use by another" in str(said.exception)
    assert "for good?" not in said.output
    assert views.summary(store, name) is not None
    said = CliRunner().invoke(cli, args, input="n\n")
    assert f"Erase {name} for good?" in said.output
    assert views.summary(store, name) is not None
