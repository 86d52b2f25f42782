"""``quivive verdict`` from end to end: taken, refused, amended, asked for, summed up."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quivive.app.keeping import load_state
from quivive.app.kept import decode_kept
from quivive.app.snapshot import encode_state
from quivive.model.event import AuthEvent
from quivive.model.verdict import KINDS, Verdict, VerdictError, checked
from quivive.store.database import SCHEMA_VERSION, Batch, Row, Store, StoreError
from quivive.store.verdicts import Given, Verdicts
from tests.scenario.company import (
    BUCHAREST,
    DANA,
    LISBON,
    PEOPLE,
    UNKNOWN_CLIENT,
    at,
    in_order,
    login,
    numbered,
    ordinary,
    usual,
    written,
)
from tests.unit.conftest import Ran, score
from tests.unit.test_verdicts import same

FIRST_DAYS, NEXT_DAYS = range(22, 25), range(25, 28)


def moves(days: range) -> list[AuthEvent]:
    return [usual(DANA, at(day, 15), LISBON, ip=LISBON.ip(9), device=None) for day in days]


def attacks(days: range) -> list[AuthEvent]:
    return [login("eric", at(day, 3), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False) for day in days]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Three weeks of eight people with a mover and an attacker at the end; and what comes next."""
    folder = tmp_path_factory.mktemp("logs")
    people = PEOPLE[:8]
    first = numbered(ordinary(0, 22, people=people), "o-")
    then = numbered(ordinary(25, 28, seed=5, people=people), "n-")
    return (
        written(
            folder / "first.ndjson",
            in_order(first, numbered(moves(FIRST_DAYS), "m-"), numbered(attacks(FIRST_DAYS), "x-")),
        ),
        written(
            folder / "next.ndjson",
            in_order(then, numbered(moves(NEXT_DAYS), "mm-"), numbered(attacks(NEXT_DAYS), "xx-")),
        ),
    )


@pytest.fixture(scope="module")
def scored(logs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored") / "state"
    score(folder, logs[0])
    return folder


@pytest.fixture
def state(scored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scored, tmp_path / "state"))


def engine_of(folder: Path) -> Any:
    with Store(folder) as store:
        state = load_state(store, judging=True)
        assert state is not None
        return msgspec.msgpack.decode(encode_state(state))


def without_idle(state: Any) -> Any:
    """The state without addresses that mean nothing, and without when others were last seen."""
    for table in ("addresses", "networks"):
        kept = {key: {k: v for k, v in a.items() if k != "last_seen"}
                for key, a in state[table].items()}  # fmt: skip
        state[table] = {k: a for k, a in kept.items() if a["good"] or a["hostile"] or a["findings"]}
    return state


def line(event_id: str, verdict: str, **changes: object) -> dict[str, object]:
    return {"event_id": event_id, "verdict": verdict, "by": "kim", "why": "asked her", **changes}


def batch(path: Path, *lines: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


def add(run, state: Path, event_id: str, kind: str, *more: object) -> Ran:
    return run("verdict", "add", event_id, kind, "--by", "kim", "--why", "asked her",
               "--state", state, *more)  # fmt: skip


def scores(run, state: Path, log: Path, out: Path) -> dict[str, dict[str, Any]]:
    assert run("score", "--state", state, "--out", out, log).code == 0
    return {x["id"]: x for x in map(json.loads, out.read_text().splitlines())}


# what a verdict does


def test_a_mover_somebody_answers_for_scores_low_from_then_on(run, state, logs, tmp_path) -> None:
    other = Path(shutil.copytree(state, tmp_path / "other"))
    taken = add(run, state, "m-0", "false_positive")
    assert taken.code == 0
    assert "1 verdict taken" in taken.err
    assert "3 held logins learned after all" in taken.err  # those of the same kind too
    after = scores(run, state, logs[1], tmp_path / "a")
    without = scores(run, other, logs[1], tmp_path / "b")
    for n in range(3):
        assert after[f"mm-{n}"]["risk_level"] == "low"
        assert after[f"mm-{n}"]["score"] < without[f"mm-{n}"]["score"] - 2
        assert after[f"xx-{n}"]["decision"] == without[f"xx-{n}"]["decision"]


def test_a_confirmed_attacker_stays_as_odd_as_he_was(run, state, logs, tmp_path) -> None:
    assert add(run, state, "x-0", "true_positive").code == 0
    found = scores(run, state, logs[1], tmp_path / "a")
    assert all(found[f"xx-{n}"]["score"] > 8 for n in range(3))
    eric = engine_of(state)["profiles"]["eric@example.com"]
    assert "RO" not in eric["own"]["tables"]["country"]["values"]
    assert [judged["hostile"] for judged in eric["judged"].values()] == [True]


@pytest.mark.parametrize("kinds", [KINDS, KINDS[::-1], (KINDS[0], KINDS[2], KINDS[0])])
def test_an_amended_verdict_ends_where_the_last_alone_does(run, state, tmp_path, kinds) -> None:
    other = Path(shutil.copytree(state, tmp_path / "other"))
    assert add(run, state, "m-0", kinds[0]).code == 0
    for kind in kinds[1:]:
        refused = add(run, state, "m-0", kind)
        assert refused.code == 2
        assert "already, by kim (asked her); to change that: --amend" in refused.err
        assert add(run, state, "m-0", kind, "--amend").code == 0
    assert add(run, other, "m-0", kinds[-1]).code == 0
    same(without_idle(engine_of(state)), without_idle(engine_of(other)))
    listed = run("verdict", "list", "--state", state).out.splitlines()
    assert len(listed) == len(kinds)
    assert [("(amended since)" in text) for text in listed] == [True] * (len(kinds) - 1) + [False]


def test_a_follower_judged_otherwise_is_taken_out_of_what_was_released(run, state) -> None:
    add(run, state, "m-0", "false_positive")
    taken = add(run, state, "m-1", "true_positive")
    assert taken.code == 0
    with Store(state) as store:
        changed = {c.event_id: c.verdict_id for c in Verdicts(store).changed()}
    assert changed == {"m-0": 1, "m-2": 1, "m-1": 2}
    pt = engine_of(state)["profiles"][DANA.email]["own"]["tables"]["country"]["values"]["PT"]
    add(run, state, "m-0", "true_positive", "--amend")
    assert pt > 0
    assert (
        "PT" not in engine_of(state)["profiles"][DANA.email]["own"]["tables"]["country"]["values"]
    )


def test_what_was_learned_on_a_wrong_word_is_taken_back_with_it(run, state, logs, tmp_path) -> None:
    """The logins that were learned because somebody answered for their kind go with the word."""
    add(run, state, "x-0", "false_positive")
    scores(run, state, logs[1], tmp_path / "a")

    def countries() -> set[str]:
        return set(
            engine_of(state)["profiles"]["eric@example.com"]["own"]["tables"]["country"]["values"]
        )

    assert "RO" in countries()
    amended = add(run, state, "x-0", "true_positive", "--amend")
    assert "3 logins taken back" in amended.err
    assert "RO" not in countries()


def test_a_word_on_the_owners_own_kind_is_on_its_network_only(run, state) -> None:
    """Two odd logins with her own laptop in her own country, over two networks: one is judged."""
    with sqlite3.connect(state / "quivive.sqlite") as connection:
        rows = connection.execute(
            "SELECT id, lesson FROM assessments WHERE identity = 'dana@example.com'"
            " AND id LIKE 'o-%' AND lesson IS NOT NULL ORDER BY time DESC"
        ).fetchall()
        met: dict[str, str] = {}
        for event_id, body in rows:
            kept = decode_kept(body, event_id)
            lesson = kept.lesson
            if lesson is None or lesson.network is None or lesson.network in met:
                continue
            met[lesson.network] = event_id
            held = msgspec.structs.replace(
                kept, lesson=msgspec.structs.replace(lesson, held=True, trust=0.0, before=None)
            )
            connection.execute(
                "UPDATE assessments SET lesson = ?, kind = ? WHERE id = ?",
                (msgspec.msgpack.encode(held), lesson.alike, event_id),
            )
    connection.close()
    assert len(met) > 1
    taken = add(run, state, next(iter(met.values())), "false_positive")
    assert "1 held login learned after all" in taken.err


def test_a_verdict_on_a_login_that_taught_nothing_is_a_label(run, state) -> None:
    with sqlite3.connect(state / "quivive.sqlite") as connection:
        connection.execute("UPDATE assessments SET lesson = NULL WHERE id = 'm-0'")
    connection.close()
    before = engine_of(state)
    taken = add(run, state, "m-0", "true_positive")
    assert "1 of them on logins that had taught nothing" in taken.err
    assert engine_of(state) == before


def test_whoever_is_at_the_keyboard_says_so(run, state, monkeypatch) -> None:
    monkeypatch.setenv("LOGNAME", "robin")
    assert run("verdict", "add", "m-0", "false_positive", "--why", "w", "--state", state).code == 0
    assert "by robin: w" in run("verdict", "list", "--state", state).out
    missing = run("verdict", "add", "m-1", "false_positive", "--state", state)
    assert (missing.code, "--why" in missing.err) == (2, True)


# files


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_file_of_verdicts_is_taken_once(run, state, tmp_path, form) -> None:
    lines = [
        line("x-0", "true_positive", when="2025-12-04T14:30:00Z"),
        line("x-1", "true_positive"),
        line("m-0", "false_positive", why='moved, says "HR"', when=at(24, 20)),
    ]
    path = tmp_path / "verdicts"
    if form == "json":
        batch(path, *lines)
    else:
        text = "event_id,verdict,by,why,when\n"
        for one in lines:
            why = str(one["why"]).replace('"', '""')
            text += f'{one["event_id"]},{one["verdict"]},kim,"{why}",{one.get("when", "")}\n'
        path.write_text("\ufeff" + text)
    lines[2]["when"] = at(24, 15)
    taken = run("verdict", "import", path, "--state", state)
    if form == "json" or taken.code:
        assert "after the newest login" in taken.err  # 20:00 has not come yet
        path.write_text(path.read_text().replace(str(at(24, 20)), str(at(24, 15))))
        taken = run("verdict", "import", path, "--state", state)
    assert taken.code == 0, taken.err
    assert "3 verdicts taken" in taken.err
    again = run("verdict", "import", path, "--state", state)
    assert "0 verdicts taken" in again.err
    assert "3 known already" in again.err
    listed = run("verdict", "list", "--json", "--state", state).out.splitlines()
    found = {x["event_id"]: x for x in map(json.loads, listed)}
    assert found["x-0"]["when"] == 1_764_858_600_000
    assert found["m-0"]["why"] == 'moved, says "HR"'
    assert all(x["stands"] for x in found.values())


def test_verdicts_can_be_taken_along_to_another_store(run, state, scored, tmp_path) -> None:
    add(run, state, "m-0", "true_positive")
    add(run, state, "m-0", "false_positive", "--amend")
    add(run, state, "x-0", "true_positive")
    path = tmp_path / "along.jsonl"
    path.write_text(run("verdict", "list", "--json", "--state", state).out)
    other = Path(shutil.copytree(scored, tmp_path / "other"))
    assert "2 verdicts taken" in run("verdict", "import", path, "--state", other).err
    same(without_idle(engine_of(state)), without_idle(engine_of(other)))


def test_an_explanation_ends_with_the_verdict(run, state) -> None:
    plain = run("explain", "m-0", "--state", state).out
    add(run, state, "m-0", "false_positive")
    with_it = run("explain", "m-0", "--state", state).out
    assert "Verdict" not in plain
    assert "Verdict         false positive, by kim on 2025-12-04" in with_it
    assert "asked her" in with_it


WRONG = [
    ([line("m-99", "false_positive")], ":1: no login m-99; there is "),
    ([line("zzz", "false_positive")], "the store holds those from 2025-11-10 "),
    ([line("m-0", "innocent")], ":1: no verdict 'innocent': one of true_positive, "),
    ([line("m-0", "false_positive"), line("m-0", "true_positive")],
     ":2: m-0 is true positive here and false positive at "),
    ([line("m-0", "false_positive", by="")], ":1: by is missing"),
    ([line("m-0", "false_positive", why="  ")], ":1: why is missing"),
    ([line("m-0", "false_positive", why=None)], ":1: why is missing"),
    ([line("m-0", "false_positive", why=7)], ":1: why is not text"),
    ([line("m-0", "false_positive", why="x" * 2001)], ":1: why has 2001 characters"),
    ([line("m-0", "false_positive", by="a\x1b[2Jb")], ":1: by has a control character (U+001B)"),
    ([line("m-0", "false_positive", sure=True)], ":1: unknown field sure"),
    ([line("m-0", "false_positive", when="2026-02-30")], ":1: when is '2026-02-30': give ISO"),
    ([line("m-0", "false_positive", when="2025-12-04T10:00:00")], "with a zone"),
    ([line("m-0", "false_positive", when=at(60))], "after the newest login that is known"),
    ([line("m-1", "false_positive", when=at(20))], "before the login itself"),
    ([line("x-0", "true_positive"), line("x-1", "true_positive", by="")], ":2: by is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "said"), WRONG)
def test_a_file_with_anything_wrong_is_refused_whole(run, state, tmp_path, lines, said) -> None:
    before = engine_of(state)
    path = batch(tmp_path / "v.jsonl", line("o-3", "false_positive"), *lines)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    ran = run("verdict", "import", path, "--state", state)
    assert ran.code == 2
    assert said in ran.err
    assert f"{path}:" in ran.err
    assert "\x1b" not in ran.err
    assert engine_of(state) == before
    assert "no verdict yet" in run("verdict", "list", "--state", state).out


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no verdict in it"),
        (b"event_id,verdict,by\nm-0,false_positive,kim\n", ":1: no column why"),
        (b"event_id,verdict,by,why\nm-0,false_positive\n", ":2: 2 fields under 4 columns"),
        (b'{"event_id": \n', ":1: not JSON"),
        (b'{"event_id": "m-0"}\n[1]\n', ":2: not an object"),
        (b"\xff\xfe{", "not UTF-8"),
    ],
)
def test_a_file_of_something_else_is_refused(run, state, tmp_path, body, said) -> None:
    path = tmp_path / "v"
    path.write_bytes(body)
    ran = run("verdict", "import", path, "--state", state)
    assert (ran.code, said in ran.err) == (2, True), ran.err
    assert run("verdict", "import", tmp_path / "none", "--state", state).code == 2
    assert run("verdict", "import", path, "--state", tmp_path / "nowhere").code == 2


def test_a_batch_against_what_stands_names_the_line(run, state, tmp_path) -> None:
    add(run, state, "m-0", "false_positive")
    path = batch(tmp_path / "v", line("x-0", "true_positive"), line("m-0", "true_positive"))
    ran = run("verdict", "import", path, "--state", state)
    assert ran.code == 2
    assert f"{path}:2: m-0 is false positive already" in ran.err
    amended = run("verdict", "import", path, "--state", state, "--amend")
    assert "2 verdicts taken, 1 in place of another" in amended.err


def test_a_verdict_is_checked_strictly() -> None:
    whole = Verdict(event_id="a", kind="true_positive", by="k", why="w\nx", when=at(1))
    assert checked(whole) is whole
    assert whole.attack
    for changes, why in (
        ({"kind": "x"}, "no verdict 'x'"),
        ({"event_id": " "}, "event_id is missing"),
        ({"when": 1}, "between 2000 and 2100"),
    ):
        with pytest.raises(VerdictError, match=why):
            checked(msgspec.structs.replace(whole, **changes))


# what to ask, and how right it was


def test_what_to_ask_is_the_top_and_a_random_slice_and_the_same_until_answered(run, state) -> None:
    first = run("verdict", "ask", "--count", 10, "--json", "--state", state).out
    assert run("verdict", "ask", "--count", 10, "--json", "--state", state).out == first
    asked = [json.loads(text) for text in first.splitlines()]
    assert len(asked) == 10
    assert [x["at_random"] for x in asked] == [False] * 9 + [True]
    risks = [x["risk_score"] for x in asked[:9]]
    assert risks == sorted(risks, reverse=True)
    assert "number 1 of all by risk" in asked[0]["why"]
    assert "drawn at random from the " in asked[9]["why"]
    assert len({x["identity"] for x in asked if x["event_id"].startswith("x-")}) == 1
    for x in asked:
        assert add(run, state, x["event_id"], "false_positive").code == 0
    second = run("verdict", "ask", "--count", 10, "--json", "--state", state).out
    ids = {json.loads(text)["event_id"] for text in second.splitlines()}
    assert not ids & {x["event_id"] for x in asked}
    kinds = {json.loads(text)["why"] for text in second.splitlines()[-1:]} | {asked[9]["why"]}
    assert len(kinds) == 2  # another stratum's turn


def test_the_summary_waits_for_enough_verdicts(run, state, tmp_path) -> None:
    said = run("verdict", "list", "--summary", "--state", state).out
    assert "too early to say how right they are: that takes 10 verdicts" in said
    with Store(state) as store:
        found = [x for x in Verdicts(store).ranked() if x.band == "finding"]
    with sqlite3.connect(state / "quivive.sqlite") as connection:
        connection.execute(
            "UPDATE assessments SET finding = 1 WHERE id IN (SELECT id FROM assessments"
            " ORDER BY risk_score DESC LIMIT 12)"
        )
    connection.close()
    with Store(state) as store:
        found = [x for x in Verdicts(store).ranked() if x.band == "finding"]
    assert len(found) >= 12
    lines = [
        line(x.id, "true_positive" if x.id.startswith("x-") else "false_positive") for x in found
    ]
    assert run("verdict", "import", batch(tmp_path / "v", *lines), "--state", state).code == 0
    said = run("verdict", "list", "--summary", "--state", state).out
    precise = round(100 * sum(x.id.startswith("x-") for x in found) / len(found))
    assert f"all: {len(found)} findings" in said
    assert f"precision {precise}% (" in said
    assert "Entra ID: " in said


# the store


def old_store(folder: Path) -> Path:
    """A store as version 1 made it, with one login and a state."""
    folder.mkdir()
    with sqlite3.connect(folder / "quivive.sqlite") as connection:
        connection.executescript(
            """
            CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
            CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL);
            CREATE TABLE assessments (id TEXT NOT NULL PRIMARY KEY, time BIGINT NOT NULL,
                identity TEXT NOT NULL, risk_score FLOAT NOT NULL, body BLOB NOT NULL);
            CREATE TABLE dead_letters (id INTEGER NOT NULL PRIMARY KEY, log TEXT NOT NULL,
                line INTEGER NOT NULL, sequence INTEGER NOT NULL, reason TEXT NOT NULL,
                sample TEXT NOT NULL);
            INSERT INTO meta VALUES ('version', '1');
            INSERT INTO state VALUES ('engine', x'01');
            INSERT INTO assessments VALUES ('a', 1700000000000, 'dana', 51.5, x'7b7d');
            """
        )
    connection.close()
    return folder


def test_a_store_of_the_first_version_is_brought_up_in_place(tmp_path: Path) -> None:
    folder = old_store(tmp_path / "old")
    for _ in range(2):
        with Store(folder) as store:
            assert store.assessment("a") == b"{}"
            assert store.load("engine") == b"\x01"
            (old,) = Verdicts(store).ranked()
            assert (old.band, old.kind, old.stratum) == ("finding", None, "")
    with Store(folder) as store:
        row = Row("b", 1, "eric", 2.0, b"{}", b"lesson", "kind", "human/x")
        store.commit(Batch(rows=[row]))
        assert Verdicts(store).held("eric", "kind")[0].lesson == b"lesson"
    assert SCHEMA_VERSION == 6


def test_verdicts_are_append_only_and_written_with_the_state_or_not_at_all(tmp_path: Path) -> None:
    given = Given(1, Verdict(event_id="a", kind="true_positive", by="k", why="w", when=at(1)))
    with Store(tmp_path) as store, Store(tmp_path) as other:
        kept = Verdicts(store)
        store.load("engine")
        other.load("engine")
        other.commit(Batch(states={"engine": b"2"}))
        with pytest.raises(StoreError, match="another run"):
            kept.write([given], [], [], {"engine": b"3"})
        assert kept.all() == []
        kept.write([given], [], [], {})
        with pytest.raises(StoreError, match="other verdicts have come in"):
            kept.write([given], [], [], {})
    with sqlite3.connect(tmp_path / "quivive.sqlite") as connection:
        for change in ("UPDATE verdicts SET by = 'x'", "DELETE FROM verdicts"):
            with pytest.raises(sqlite3.DatabaseError, match="append-only"):
                connection.execute(change)
    connection.close()


def test_one_problem_is_one_sentence(run, state, tmp_path) -> None:
    alone = run("verdict", "add", "m-0", "false_positive", "--why", " ", "--state", state)
    assert alone.code == 2
    assert alone.err.count("\n") == 1
    assert alone.err.startswith("quivive: no verdict was taken: why is missing")
    array = tmp_path / "verdicts.json"
    array.write_text('[{"event_id": "m-0"}]')
    assert "write one object a line" in run("verdict", "import", array, "--state", state).err
