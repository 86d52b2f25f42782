"""Backups: whole or not at all, of one instant, checked, and put back where nothing is."""

import gzip
import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quivive.app import backup as backups
from quivive.app import restore as restores
from quivive.app.audit import checking_key, signing_key, verify
from quivive.app.backup import Asked, Manifest, make
from quivive.app.errors import UsageError
from quivive.app.key_health import key_status
from quivive.app.keys import random_key
from quivive.app.restore import check, read_manifest, restore
from quivive.cli.main import COMMANDS
from quivive.store.audit import Filters, Trail
from quivive.store.database import Batch, Row, Store
from tests.scenario.company import PEOPLE, ordinary, written
from tests.unit.conftest import score

Runs = Callable[..., Any]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    log = written(folder / "log.ndjson", ordinary(0, 6, people=PEOPLE[:3])[:40])
    score(folder / "state", log)
    with Store(folder / "state") as store:
        random_key(store, "verdict-links.key")
    day = folder / "state" / "telemetry" / "day=2026-01-05"
    day.mkdir(parents=True)
    (day / "run-1-part-1.parquet").write_bytes(b"PAR1" * 50)
    (day / ".run-1-part-9.parquet.tmp").write_bytes(b"half")
    return folder


@pytest.fixture
def state(scored: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(scored / "state", tmp_path / "state"))


def rows(folder: Path) -> list[Any]:
    with sqlite3.connect(folder / "quivive.sqlite") as connection:
        found = connection.execute("SELECT * FROM assessments ORDER BY id").fetchall()
    connection.close()
    return found


@pytest.fixture(params=["copy", "copy.tar", "copy.tar.gz"])
def made(request: pytest.FixtureRequest, state: Path, tmp_path: Path, run: Runs) -> Path:
    """A backup of each kind, made by the command."""
    out = tmp_path / request.param
    settings = tmp_path / "quivive.yaml"
    settings.write_text("server: {}\n")
    ran = run("backup", out, "--state", state, "--also", settings, "--by", "op")
    assert ran.code == 0, ran.err
    return out


def test_what_is_restored_is_what_was_there(
    made: Path, state: Path, tmp_path: Path, run: Runs
) -> None:
    target = tmp_path / "new" / "state"
    checked = run("restore", made, "--check")
    assert checked.code == 0
    assert "logins up to 20" in checked.out
    ran = run("restore", made, "--state", target)
    assert ran.code == 0, ran.err
    assert rows(target) == rows(state)
    for name in ("audit.jwk", "verdict-links.key"):
        assert (target / "keys" / name).read_bytes() == (state / "keys" / name).read_bytes()
        assert (target / "keys" / name).stat().st_mode & 0o777 == 0o600
    assert target.stat().st_mode & 0o777 == 0o700
    assert made.stat().st_mode & 0o077 == 0
    files = {p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file()}
    assert files == {
        "quivive.sqlite", "keys/audit.jwk", "keys/verdict-links.key",
        "telemetry/day=2026-01-05/run-1-part-1.parquet", "settings/0/quivive.yaml",
    }  # fmt: skip
    assert (target / "settings" / "0" / "quivive.yaml").read_text() == "server: {}\n"
    assert f"settings/0/quivive.yaml was {tmp_path / 'quivive.yaml'}" in ran.out
    with Store(target, create=False) as store:
        assert verify(store, checking_key(store)).broken is None
        assert key_status(store) == []
        (record,) = Trail(store).records(Filters(action="backup"))
        assert (record.actor, record.subject) == ("op", str(made))
        with store.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    assert not list(tmp_path.glob("*.partial"))


def test_a_backup_is_of_one_instant_while_somebody_writes(tmp_path: Path) -> None:
    with Store(tmp_path / "state") as store, store.writing("a server"):
        signing_key(store)
        store.commit(Batch(rows=[Row("a", 1, "dana", 1.0, b"{}", run=0, position=1)]))
        with Store(tmp_path / "state") as other, other.transaction() as connection:
            connection.exec_driver_sql("DELETE FROM assessments")  # not committed yet
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(backups, "_record", lambda *_: None)
                made = make(store, tmp_path / "out", Asked(None, (), "op", 5))
    assert made.newest == 1
    assert [row[0] for row in rows(tmp_path / "out")] == ["a"]


def test_nothing_is_overwritten_and_nothing_left_behind(
    state: Path, tmp_path: Path, run: Runs
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert "is there already" in run("backup", out, "--state", state).err
    inside = run("backup", state / "backup", "--state", state)
    assert (inside.code, "which is backed up" in inside.err) == (2, True)
    missing = run("backup", tmp_path / "b", "--state", state, "--also", tmp_path / "none")
    assert "nothing there; check the path" in missing.err
    away = run("backup", tmp_path / "no" / "b", "--state", state)
    assert (away.code, "choose another place" in away.err) == (2, True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "out", "state"] or sorted(
        p.name for p in tmp_path.iterdir()
    ) == ["out", "state"]
    assert run("backup", tmp_path / "b", "--state", state, "--no-telemetry").code == 0
    refused = run("restore", tmp_path / "b", "--state", state)
    assert (refused.code, "takes the place of nothing" in refused.err) == (2, True)
    assert run("restore", tmp_path / "b", "--state", out).code == 0  # empty
    assert not (out / "telemetry").exists()
    assert run("restore", tmp_path / "b").code == 2
    assert run("restore", tmp_path / "b", "--check", "--state", out).code == 2
    assert run("backup", tmp_path / "c", "--state", tmp_path / "nostate").code == 2


def changed(manifest: Path, **fields: object) -> None:
    said = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps({**said, **fields}))


def damage(folder: Path, what: str) -> None:
    manifest = folder / "manifest.json"
    if what == "changed":
        path = folder / "keys" / "verdict-links.key"
        path.write_bytes(bytes(reversed(path.read_bytes())))
    elif what == "missing":
        (folder / "telemetry" / "day=2026-01-05" / "run-1-part-1.parquet").unlink()
    elif what == "more":
        (folder / "keys" / "more").write_bytes(b"")
    elif what == "link":
        (folder / "keys" / "more").symlink_to("/etc/hostname")
    elif what == "newer":
        changed(manifest, schema=99, quivive="9.9")
    elif what == "format":
        changed(manifest, format="quivive.backup.2")
    elif what == "outside":
        said = json.loads(manifest.read_bytes())
        said["files"][0]["path"] = "keys/../../x"
        manifest.write_text(json.dumps(said))
    elif what == "field":
        changed(manifest, made="yesterday")
    else:
        manifest.unlink()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("changed", "keys/verdict-links.key: not as it was written"),
        ("missing", "run-1-part-1.parquet: missing"),
        ("more", "keys/more: not in the manifest"),
        ("link", "keys/more: no ordinary file"),
        ("newer", "a store of version 99, this Quivive reads 6; use Quivive 9.9, which made it"),
        ("format", "format 'quivive.backup.2', this Quivive reads quivive.backup.1"),
        ("outside", "'keys/../../x' is no file of a backup"),
        ("field", "manifest.json: damaged"),
        ("none", "no backup: it has no manifest.json"),
    ],
)
def test_what_is_not_as_it_was_written_is_refused(
    state: Path, tmp_path: Path, run: Runs, what: str, said: str
) -> None:
    out = tmp_path / "out"
    assert run("backup", out, "--state", state).code == 0
    damage(out, what)
    for given in (["--check"], ["--state", tmp_path / "new"]):
        ran = run("restore", out, *given)
        assert ran.code == 2
        assert said in ran.err
    assert not (tmp_path / "new").exists()


def test_a_tar_file_that_is_cut_or_something_else_is_refused(
    state: Path, tmp_path: Path, run: Runs
) -> None:
    assert run("backup", tmp_path / "out.tar.gz", "--state", state).code == 0
    body = (tmp_path / "out.tar.gz").read_bytes()
    plain = gzip.decompress(body)
    odd = io.BytesIO()
    with tarfile.open(fileobj=odd, mode="w") as tar:
        info = tarfile.TarInfo("manifest.json")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    for number, given in enumerate(
        (body[:-2_000], body[:300], plain[:-30_000], plain[:5_000], b"", b"x" * 5_000,
         odd.getvalue())
    ):  # fmt: skip
        path = tmp_path / f"cut-{number}.tar"
        path.write_bytes(given)
        for more in (["--check"], ["--state", tmp_path / "new"]):
            ran = run("restore", path, *more)
            assert ran.code == 2, number
            assert f"{path}: " in ran.err
            assert "Traceback" not in ran.err
        assert not (tmp_path / "new").exists()
    assert "No such file" in run("restore", tmp_path / "none.tar", "--check").err


def test_a_broken_trail_is_said_at_once_and_when_it_is_put_back(
    state: Path, tmp_path: Path, run: Runs
) -> None:
    assert run("backup", tmp_path / "sound", "--state", state).code == 0
    with sqlite3.connect(state / "quivive.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 1")
    connection.close()
    ran = run("backup", tmp_path / "out", "--state", state)
    assert ran.code == 1
    assert "the audit trail is broken: record 1" in ran.err
    assert (read_manifest(tmp_path / "out").broken or "").startswith("record 1")
    again = run("restore", tmp_path / "out", "--state", tmp_path / "new")
    assert again.code == 1
    assert "audit-broken.md" in again.err
    assert rows(tmp_path / "new") == rows(state)


def test_a_damaged_store_gives_no_backup(state: Path, tmp_path: Path, run: Runs) -> None:
    path = state / "quivive.sqlite"
    with path.open("r+b") as stream:
        stream.seek(16_384 * 6)
        stream.write(b"\xff" * 16_384 * 3)
    ran = run("backup", tmp_path / "out", "--state", state)
    assert ran.code == 2
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob("*.partial"))


def test_a_crash_leaves_no_backup_and_no_state(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> tuple[int, str]:
        raise OSError(28, "No space left on device")

    with Store(state) as store:
        asked = Asked(None, (), "op", 5)
        monkeypatch.setattr(backups, "write", full)
        with pytest.raises(UsageError, match="No space left on device; no backup was made"):
            make(store, tmp_path / "out", asked)
        monkeypatch.undo()
        make(store, tmp_path / "out", asked)
    monkeypatch.setattr(restores, "write", full)
    with pytest.raises(UsageError, match="No space left on device; nothing restored"):
        restore(tmp_path / "out", tmp_path / "new")
    monkeypatch.undo()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "state"]
    assert isinstance(check(tmp_path / "out"), Manifest)


def test_beside_postgresql_the_rest_is_kept_and_put_back(
    postgres: str, tmp_path: Path, run: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("QUIVIVE_HOME", str(home))
    with Store(postgres) as store:
        random_key(store, "verdict-links.key")
        signing_key(store)
    day = tmp_path / "telemetry" / "day=2026-01-05"
    day.mkdir(parents=True)
    (day / "run-1-part-1.parquet").write_bytes(b"PAR1" * 50)
    out = tmp_path / "out.tar"
    ran = run("backup", out, "--state", postgres, "--telemetry-dir", tmp_path / "telemetry")
    assert ran.code == 0, ran.err
    assert "pg_dump --format=custom --schema=t" in ran.err
    assert [part.path for part in read_manifest(out).files] == [
        "keys/audit.jwk", "keys/verdict-links.key", "telemetry/day=2026-01-05/run-1-part-1.parquet",
    ]  # fmt: skip
    assert "pg_restore" in run("restore", out, "--state", tmp_path / "new").err
    there = run("restore", out, "--state", postgres, "--telemetry-dir", tmp_path / "t2")
    assert "not empty; a backup takes the place of nothing" in there.err
    key = (home / "keys" / "verdict-links.key").read_bytes()
    (home / "keys").rename(tmp_path / "away")
    assert "--telemetry-dir" in run("restore", out, "--state", postgres).err
    done = run("restore", out, "--state", postgres, "--telemetry-dir", tmp_path / "t2")
    assert done.code == 0, done.err
    assert (home / "keys" / "verdict-links.key").read_bytes() == key
    assert (tmp_path / "t2" / "day=2026-01-05" / "run-1-part-1.parquet").exists()
    assert not list(home.glob(".rest*"))


def test_the_commands_are_listed() -> None:
    assert {"backup", "restore"} <= set(COMMANDS)
