"""The audit trail: bound, signed, and telling where it was broken."""

import json
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import OKPKey
from sqlalchemy.exc import DBAPIError

from quivive.app.audit import (
    EVERY_RECORDS,
    Recorder,
    checkpoint,
    exported,
    load_key,
    read_checkpoints,
    sign,
    signing_key,
    verify,
)
from quivive.app.errors import UsageError
from quivive.app.key_health import key_status
from quivive.app.keys import keys_of
from quivive.cli.main import cli
from quivive.model.audit import (
    GENESIS,
    MOST_DETAILS,
    MOST_TEXT,
    Entry,
    Record,
    bind,
    first_broken,
)
from quivive.store import audit
from quivive.store.audit import Filters, Trail
from quivive.store.database import FILE, Store, StoreError
from quivive.store.models import Author, Models


def entries(count: int, start: int = 0) -> list[Entry]:
    return [
        Entry(
            time=1_790_000_000_000 + n,
            actor="policy" if n % 2 else "a.meyer",
            action="decision:notify" if n % 2 else "verdict:true_positive",
            subject=f"event-{n}",
            details={"risk": n, "why": "ü"},
        )
        for n in range(start, start + count)
    ]


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "state") as opened:
        with opened.transaction() as connection:
            audit.append(connection, entries(10))
        yield opened


def tamper(store: Store, *statements: str) -> None:
    """What somebody with the file does: past the triggers."""
    with sqlite3.connect(Path(store.folder) / FILE) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


# --- the chain


def test_records_are_numbered_and_bound(store: Store) -> None:
    records = list(Trail(store).records())
    assert [r.seq for r in records] == list(range(1, 11))
    assert records[0].previous == GENESIS
    assert all(b.previous == a.digest for a, b in pairwise(records))
    assert verify(store, None).broken is None


def test_appending_in_parts_gives_the_same_chain(tmp_path: Path, store: Store) -> None:
    with Store(tmp_path / "other") as other:
        for start, count in ((0, 3), (3, 1), (4, 6)):
            with other.transaction() as connection:
                audit.append(connection, entries(count, start))
        assert Trail(other).newest() == Trail(store).newest()


def test_what_is_rolled_back_leaves_no_record(store: Store) -> None:
    before = Trail(store).newest()
    with store.reading() as connection, connection.begin() as transaction:
        audit.append(connection, entries(3, 50))
        transaction.rollback()
    assert Trail(store).newest() == before


_texts = st.text(max_size=40)
_entries = st.builds(
    Entry,
    time=st.integers(0, 2**50),
    actor=_texts,
    action=_texts,
    subject=_texts,
    details=st.dictionaries(_texts, st.one_of(st.integers(-9, 9), _texts, st.booleans())),
)


@settings(max_examples=60)
@given(st.lists(_entries, min_size=2, max_size=8), st.data())
def test_any_change_of_a_chain_is_found(made: list[Entry], data: st.DataObject) -> None:
    records = bind(made, 0, GENESIS)
    assert first_broken(records)[0] is None
    at = data.draw(st.integers(0, len(records) - 1))
    how = data.draw(st.sampled_from(["edit", "drop", "swap", "double", "insert"]))
    changed = list(records)
    if how == "edit":
        fields = {f: getattr(records[at], f) for f in Record.__struct_fields__}
        changed[at] = Record(**fields | {"actor": records[at].actor + "x"})
    elif how == "drop":
        if at == len(records) - 1:
            return  # a tail: only a checkpoint shows that
        del changed[at]
    elif how == "swap":
        other = (at + 1) % len(records)
        changed[at], changed[other] = changed[other], changed[at]
    elif how == "double":
        changed.insert(at, records[at])
    else:
        forged = bind([made[at]], at, b"\0" * 32)[0]
        changed.insert(at, forged)
    broken, _, _ = first_broken(changed)
    assert broken is not None
    assert 1 <= broken.seq <= at + 2


def test_long_text_is_cut_and_long_details_are_left_out() -> None:
    huge = Entry(time=1, actor="a" * 9999, action="x:y", subject="s", details={"t": "z" * 99_999})
    record = bind([huge], 0, GENESIS)[0]
    assert len(record.actor) == MOST_TEXT
    assert len(record.details) < MOST_DETAILS
    assert json.loads(record.details)["left_out_bytes"] > 99_999
    assert first_broken([record])[0] is None


# --- tampering


def test_the_database_refuses_changes(store: Store) -> None:
    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit WHERE seq = 10"):
        with pytest.raises((DBAPIError, StoreError)), store.transaction() as connection:
            connection.execute(sa.text(statement))
    assert verify(store, None).records == 10


@pytest.mark.parametrize(
    ("statement", "seq", "what"),
    [
        ("UPDATE audit SET details = '{}' WHERE seq = 4", 4, "content was changed"),
        ("UPDATE audit SET actor = 'nobody' WHERE seq = 7", 7, "content was changed"),
        ("UPDATE audit SET time = time + 1 WHERE seq = 1", 1, "content was changed"),
        ("DELETE FROM audit WHERE seq = 5", 5, "missing"),
        ("DELETE FROM audit WHERE seq = 1", 1, "missing"),
        ("DELETE FROM audit WHERE seq > 8", 9, "cut off"),
        ("DELETE FROM audit", 1, "cut off"),
    ],
)
def test_the_first_broken_record_is_named(
    store: Store, statement: str, seq: int, what: str
) -> None:
    sign(store)
    key = signing_key(store)
    assert verify(store, key).signed == 10
    tamper(store, statement)
    broken = verify(store, key).broken
    assert broken is not None
    assert broken.seq == seq
    assert what in broken.what


def test_swapped_records_are_named(store: Store) -> None:
    tamper(
        store,
        "UPDATE audit SET seq = -1 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 6",
        "UPDATE audit SET seq = 6 WHERE seq = -1",
    )
    broken = verify(store, None).broken
    assert broken is not None
    assert broken.seq == 3
    assert "not bound" in broken.what


def test_a_chain_made_anew_does_not_fit_what_was_signed(store: Store) -> None:
    sign(store)
    key = signing_key(store)
    tamper(store, "DELETE FROM audit")
    with store.transaction() as connection:
        audit.append(connection, entries(10, 100))
    assert verify(store, None).broken is None  # the chain alone cannot show it
    broken = verify(store, key).broken
    assert broken is not None
    assert broken.seq == 10
    assert "written anew" in broken.what


def test_a_forged_checkpoint_is_refused(store: Store) -> None:
    sign(store)
    key = signing_key(store)
    tamper(store, "UPDATE audit_checkpoints SET time = time + 1")
    broken = verify(store, key).broken
    assert broken is not None
    assert "not what was signed" in broken.what


def test_a_checkpoint_of_another_key_is_refused(store: Store) -> None:
    with store.transaction() as connection:
        checkpoint(connection, OKPKey.generate_key("Ed25519"))
    broken = verify(store, signing_key(store)).broken
    assert broken is not None
    assert "another key" in broken.what


def test_checkpoints_kept_elsewhere_show_what_is_gone_from_the_store(
    store: Store, tmp_path: Path
) -> None:
    signed = sign(store)
    assert signed is not None
    key = signing_key(store)
    tamper(store, "DELETE FROM audit_checkpoints", "DELETE FROM audit WHERE seq > 6")
    assert verify(store, key).broken is None
    broken = verify(store, key, [signed]).broken
    assert broken is not None
    assert broken.seq == 7


def test_a_recorder_signs_every_now_and_then(store: Store) -> None:
    recorder = Recorder(signing_key(store))
    for number in range(3):
        with store.transaction() as connection:
            recorder.append(connection, entries(2), 1_000_000 + number)
    assert [c.seq for c in Trail(store).checkpoints()] == [12]
    with store.transaction() as connection:
        recorder.append(connection, entries(EVERY_RECORDS), 1_000_010)
    assert Trail(store).checkpoints()[-1].seq == 16 + EVERY_RECORDS


# --- keys


def test_the_key_is_made_once_for_its_owner_only(store: Store) -> None:
    first = signing_key(store)
    file = Path(store.folder) / "keys" / "audit.jwk"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o077 == 0
    assert signing_key(store).thumbprint() == first.thumbprint()


@pytest.mark.parametrize(
    "body", ["", "{}", '{"kty": "oct", "k": "c2VjcmV0LXNlY3JldA"}', "[1]", "\x00"]
)
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, body: str) -> None:
    (tmp_path / "key").write_text(body)
    with pytest.raises(UsageError, match="no Ed25519 key") as raised:
        load_key(tmp_path / "key")
    assert "c2VjcmV0" not in str(raised.value)


# --- export


def test_evidence_can_be_checked_without_the_store(store: Store, tmp_path: Path) -> None:
    import hashlib

    sign(store)
    out = tmp_path / "evidence.ndjson"
    manifest = exported(store, out, signing_key(store))
    assert manifest.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    records = [
        Record(**line | {n: bytes.fromhex(line[n]) for n in ("previous", "digest")})
        for line in lines
    ]
    assert first_broken(records)[0] is None
    said = json.loads((tmp_path / "evidence.ndjson.manifest.json").read_text())
    assert said["last_digest"] == lines[-1]["digest"]
    assert "d" not in said["public_key"]
    assert len(said["checkpoints"]) == 1


def test_filters(store: Store) -> None:
    trail = Trail(store)

    def chosen(**kw: object) -> list[int]:
        return [r.seq for r in trail.records(Filters(**kw))]

    assert chosen(action="verdict") == [1, 3, 5, 7, 9]
    assert chosen(action="verdict:true_positive", actor="a.meyer") == [1, 3, 5, 7, 9]
    assert chosen(action="verdict:true") == []
    assert chosen(subject="event-4") == [5]
    assert chosen(since=1_790_000_000_003, until=1_790_000_000_005) == [4, 5]


# --- what writes to it, and the commands


def test_changes_of_models_are_recorded(store: Store) -> None:
    author = Author("eve", "because", 1_790_000_000_000)
    Models(store).add("v1", b"{}", b"{}", 0, "candidate", author)
    Models(store).move("v1", "candidate", "retired", "retired", author)
    found = [(r.actor, r.action, r.subject) for r in Trail(store).records(Filters(action="model"))]
    assert found == [("eve", "model:learned", "v1"), ("eve", "model:retired", "v1")]


def run(*words: str) -> "tuple[int, str]":
    found = CliRunner().invoke(cli, list(words))
    return found.exit_code, found.output


def test_the_commands(store: Store, tmp_path: Path) -> None:
    state = str(store.folder)
    code, line = run("audit", "checkpoint", "--state", state)
    assert code == 0
    (tmp_path / "kept.jsonl").write_text(line)
    code, said = run("audit", "verify", "--state", state)
    assert code == 0
    assert "10 records" in said
    assert "signed for up to record 10" in said
    code, said = run("audit", "list", "--state", state, "--action", "verdict", "--json")
    assert len(said.splitlines()) == 5
    code, said = run("audit", "key", "--state", state)
    assert set(json.loads(said)) >= {"crv", "x"}
    assert "d" not in json.loads(said)
    (tmp_path / "public.jwk").write_text(said)
    assert run("audit", "export", "--state", state, "--out", str(tmp_path / "e"))[0] == 0
    tamper(store, "DELETE FROM audit_checkpoints", "DELETE FROM audit WHERE seq = 10")
    assert run("audit", "verify", "--state", state)[0] == 0
    kept = ("--checkpoint", str(tmp_path / "kept.jsonl"), "--key", str(tmp_path / "public.jwk"))
    code, said = run("audit", "verify", "--state", state, *kept)
    assert code == 1
    assert "broken at record 10" in said


def test_a_trail_restored_without_its_key_is_not_called_forged(
    store: Store, tmp_path: Path
) -> None:
    state = str(store.folder)
    assert run("audit", "checkpoint", "--state", state)[0] == 0
    assert key_status(store) == []
    key = keys_of(store) / "audit.jwk"
    held = key.rename(tmp_path / "held.jwk")
    ran = CliRunner().invoke(cli, ["audit", "verify", "--state", state])
    assert isinstance(ran.exception, UsageError)
    assert "bring back the folder keys of the backup" in str(ran.exception)
    assert not key.exists()  # looking makes no other
    assert "is not here" in key_status(store)[0].text
    signing_key(store)
    assert "signed with another key" in key_status(store)[0].text
    assert "bring back the folder" in str(key_status(store)[0].remedy)
    held.replace(key)
    assert run("audit", "verify", "--state", state)[0] == 0


def test_a_state_that_is_made_is_its_owners(tmp_path: Path) -> None:
    with Store(tmp_path / "made" / "state", lasting=False):
        assert (tmp_path / "made" / "state").stat().st_mode & 0o077 == 0


def test_a_file_without_checkpoints_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    file.write_bytes(b'\n{"seq": 1}\n')
    with file.open("rb") as stream, pytest.raises(UsageError, match="kept:2: no checkpoint"):
        read_checkpoints(stream, "kept")
