"""The commands as DESIGN fixes them: what they write, where, and with which exit code."""

import gzip
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from quivive.app.keeping import begin_state
from quivive.app.snapshot import encode_state
from quivive.cli.main import COMMANDS, main
from quivive.store.database import Batch, Store, StoreError
from tests.conftest import DATA
from tests.golden import outcomes
from tests.scenario.company import (
    BUCHAREST,
    PEOPLE,
    UNKNOWN_CLIENT,
    at,
    login,
    numbered,
    ordinary,
    written,
)

OKTA = DATA / "sources" / "okta" / "raw" / "system-log.jsonl"
SSHD = DATA / "sources" / "sshd" / "raw" / "auth.log"
AUDIT = DATA / "sources" / "kubernetes" / "raw" / "audit.log"
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


class Ran(NamedTuple):
    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No installed databases and lists of whoever runs the tests."""
    monkeypatch.setenv("QUIVIVE_HOME", str(tmp_path / "home"))


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch):
    """Runs the command in this process; what it wrote and its exit code."""

    def ran(*arguments: object, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "argv", ["quivive", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsysbinary.readouterr()
        return Ran(stop.value.code or 0, out, err.decode())  # type: ignore[arg-type]

    return ran


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two weeks of eight people as OCSF, newest first, and a takeover on the last day."""
    events = ordinary(0, 14, people=PEOPLE[:8])
    events.append(login("dana", at(11, 3), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False))
    path = tmp_path_factory.mktemp("month") / "month.ndjson"
    return written(path, reversed(numbered(events, "m-")))


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Okta's golden records that state their time; others are stamped by the file's date."""
    path = tmp_path_factory.mktemp("dated") / "okta.jsonl"
    lines = OKTA.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(x for x in lines if b'"published": "2' in x or b"yesterday" in x))
    return path


# normalize


def test_normalize_writes_ocsf_lines_in_input_order_with_their_record_numbers(run) -> None:
    ran = run("normalize", "--source", "okta", OKTA)
    expected = [o for o in outcomes("okta", OKTA) if "event" in o]
    assert ran.code == 0
    assert [line["metadata"]["sequence"] for line in ran.lines] == [o["sequence"] for o in expected]
    assert {line["class_uid"] for line in ran.lines} == {3002}
    assert ran.err.startswith(f"{len(expected)} events, ")
    assert "rejected system-log.jsonl:35 (record 35): okta: published: " in ran.err
    assert not CONTROL.search(ran.out)


def test_normalize_recognises_what_is_given_by_name(run) -> None:
    named, auto = run("normalize", "--source", "okta", OKTA), run("normalize", OKTA)
    assert auto.out == named.out


@pytest.mark.parametrize("arguments", [("-",), ()])
def test_normalize_reads_standard_input(run, dated: Path, arguments: tuple[str, ...]) -> None:
    ran = run("normalize", *arguments, stdin=dated.read_bytes())
    assert ran.out == run("normalize", dated).out
    assert "rejected stdin:" in ran.err


def test_normalize_unpacks_gzip_and_keeps_files_in_the_order_given(
    run, dated: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "okta.jsonl.gz"
    packed.write_bytes(gzip.compress(dated.read_bytes()))
    ran = run("normalize", AUDIT, packed)
    assert ran.out == run("normalize", AUDIT).out + run("normalize", dated).out


def test_strict_fails_on_rejects_only(run, tmp_path: Path) -> None:
    assert run("normalize", "--strict", OKTA).code == 1
    good = tmp_path / "good.jsonl"
    good.write_bytes(OKTA.read_bytes().splitlines()[0] + b"\n")
    assert run("normalize", "--strict", good).code == 0
    assert run("score", "--strict", OKTA).code == 1
    assert run("score", "--strict", good).code == 0


@pytest.mark.parametrize("command", ["normalize", "score"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--source", "nope", OKTA), r"no log source 'nope': one of auto, .*entra.*windows"),
        (("nowhere.log",), "nowhere.log: No such file"),
        ((OKTA, "nowhere.log"), "nowhere.log: No such file"),
        ((DATA,), "data: a folder; name the log files in it"),
        (("--source", "mapped", OKTA), "--map"),
        (("--source", "mapped", "--map", "no.yaml", OKTA), "no.yaml: cannot be read"),
        (("--nonsense",), "No such option"),
    ],
)
def test_usage_errors_exit_with_2_and_say_what(
    run, command: str, arguments: tuple[object, ...], said: str
) -> None:
    ran = run(command, *arguments)
    assert ran.code == 2
    assert ran.out == b""
    assert re.search(said, ran.err)
    assert "Traceback" not in ran.err


def test_a_log_of_which_nothing_was_read_is_named(run, month: Path, tmp_path: Path) -> None:
    strange, empty, mixed = tmp_path / "strange.log", tmp_path / "empty.log", tmp_path / "mixed.log"
    strange.write_text('{"a": 1}\n{"b": 2}\n')
    empty.write_text("\n")
    mixed.write_bytes(b'{"a": 1}\n' + month.read_bytes().splitlines()[0])
    for command in ("normalize", "score"):
        told = run(command, strange, empty, mixed).err
        assert "strange.log: not one record was recognised: name its log with --source" in told
        assert "empty.log: holds no record" in told
        assert "mixed.log: not one" not in told
    scored = tmp_path / "scored.ndjson"
    run("score", "--out", scored, month)
    told = run("normalize", scored).err
    assert "a line that quivive score wrote; give it the log itself" in told


def test_lines_of_lists_that_are_left_out_are_said(run, month: Path, tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "bad.txt").write_text("198.51.100.0/33\n203.0.113.9\nnonsense\n")
    ran = run("score", "--lists", lists, month)
    assert ran.code == 0
    assert "lists: 2 lines left out, the first: " in ran.err
    assert (
        "bad.txt:1: skipped, no address, network, range or AS number: '198.51.100.0/33'" in ran.err
    )


def test_what_a_log_says_reaches_no_terminal_unescaped(run, tmp_path: Path) -> None:
    evil = tmp_path / "e\x07vil\r.jsonl"
    record = json.loads(OKTA.read_bytes().splitlines()[0])
    record["actor"]["alternateId"] = record["actor"]["displayName"] = "\x1b]0;x\x07\x1b[31mmallory"
    evil.write_text(json.dumps(record) + '\n{"published": "\\u001b[2J", "eventType": 1}\n{\n')
    for command in ("normalize", "score"):
        ran = run(command, evil)
        assert not CONTROL.search(ran.out)
        assert not CONTROL.search(ran.err.encode())
        assert "rejected e\\x07vil\\x0d.jsonl:3" in ran.err
    missing = run("normalize", str(evil) + ".none")
    assert missing.code == 2
    assert not CONTROL.search(missing.err.encode())


# score


def test_score_writes_every_fixed_key(run, month: Path) -> None:
    ran = run("score", month)
    assert ran.code == 0
    assert len(ran.lines) == len(month.read_bytes().splitlines())
    for line in ran.lines:
        assert line["event"]["class_uid"] == 3002
        assert isinstance(line["risk_score"], float)
        assert 0 <= line["risk_score"] <= 100
        assert line["risk_level"] in ("low", "medium", "high", "critical")
        assert 0 <= line["confidence"] <= 1
        assert {"action", "mode", "rule"} <= set(line["decision"])
        for reason in line["reasons"]:
            assert {"signal", "text", "weight"} <= set(reason)
    assert any(line["risk_score"] % 1 > 0.001 for line in ran.lines)
    assert not CONTROL.search(ran.out)
    assert not CONTROL.search(ran.err.encode())


def test_score_goes_by_event_time_and_finds_the_takeover(run, month: Path) -> None:
    ran = run("score", month)
    times = [line["event"]["time"] for line in ran.lines]
    assert times == sorted(times)
    best = max(ran.lines, key=lambda line: line["risk_score"])
    assert best["event"]["src_endpoint"]["location"]["country"] == "RO"
    assert best["risk_level"] in ("high", "critical")
    assert f"{len(times)} logins scored" in ran.err
    assert "quivive explain" not in ran.err  # nothing was kept to explain it from


@pytest.mark.parametrize(("keep", "find"), [("--out", "--in"), ("--state", "--state")])
def test_score_says_how_to_explain_what_it_kept(
    run, month: Path, tmp_path: Path, keep: str, find: str
) -> None:
    kept = tmp_path / "kept"
    ran = run("score", keep, kept, month)
    said = re.search(r"quivive explain (\S+) (--\S+) (\S+)", ran.err)
    assert said
    assert said.groups()[1:] == (find, str(kept))
    explained = run("explain", *said.groups())
    assert explained.code == 0
    assert "country RO" in explained.out.decode()


def test_an_undated_record_is_normalised_but_not_scored(run, dated: Path, tmp_path: Path) -> None:
    record = json.loads(OKTA.read_bytes().splitlines()[0])
    del record["published"]
    record["uuid"] = "no-time"
    path = tmp_path / "okta.jsonl"
    path.write_bytes(json.dumps(record).encode() + b"\n" + dated.read_bytes())
    uids = [line["event"]["metadata"].get("uid") for line in run("score", path).lines]
    assert "no-time" not in uids
    assert uids == [line["event"]["metadata"].get("uid") for line in run("score", dated).lines]
    normalised, scored = run("normalize", path), run("score", path)
    assert [x["metadata"].get("uid") for x in normalised.lines].count("no-time") == 1
    told = "rejected okta.jsonl:1 (record 1): no time of its own: cannot be placed"
    assert told in scored.err
    assert told not in normalised.err
    assert run("score", "--strict", path).code == 1


def test_score_merges_several_files(run, month: Path, tmp_path: Path) -> None:
    lines = month.read_bytes().splitlines(keepends=True)
    halves = [tmp_path / "odd.ndjson", tmp_path / "even.ndjson"]
    for half, path in enumerate(halves):
        path.write_bytes(b"".join(lines[half::2]))
    told = [(x["id"], x["risk_score"]) for x in run("score", *halves).lines]
    assert told == [(x["id"], x["risk_score"]) for x in run("score", month).lines]


def test_the_same_files_give_the_same_bytes(run, month: Path) -> None:
    assert run("score", OKTA, month, AUDIT).out == run("score", OKTA, month, AUDIT).out


def test_files_of_one_name_keep_their_logins_apart(run, tmp_path: Path) -> None:
    plain = [line for line in SSHD.read_bytes().splitlines(keepends=True) if b"Accepted" in line]
    paths = [tmp_path / host / "auth.log" for host in ("web", "db")]
    for path, line in zip(paths, plain[:2], strict=True):
        path.parent.mkdir()
        path.write_bytes(line + b"{\n")
    ran = run("score", "--state", tmp_path / "state", *paths)
    assert [line["id"] for line in ran.lines] == [f"{path}:1" for path in paths] or {
        line["id"] for line in ran.lines
    } == {f"{path}:1" for path in paths}
    for path in paths:
        assert f"rejected {path}:2" in ran.err
        assert run("explain", f"{path}:1", "--state", tmp_path / "state").code == 0


def test_out_appears_only_when_whole(run, month: Path, tmp_path: Path, monkeypatch) -> None:
    out = tmp_path / "out.ndjson"
    ran = run("score", "--out", out, month)
    assert ran.out == b""
    assert out.read_bytes() == run("score", month).out
    out.write_bytes(b"before")

    def fails(*_: object) -> bytes:
        raise RuntimeError("in the middle")

    monkeypatch.setattr("quivive.app.output.encode_event", fails)
    monkeypatch.setattr(sys, "argv", ["quivive", "score", "--out", str(out), str(month)])
    with pytest.raises(RuntimeError):
        main()
    assert out.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.ndjson"]


@pytest.mark.parametrize("out", [".", "no/such/folder/x"])
def test_an_out_that_cannot_be_written_is_said_first(run, month: Path, out: str) -> None:
    ran = run("score", "--out", out, month)
    assert ran.code == 2
    assert out in ran.err
    assert "logins scored" not in ran.err


@pytest.mark.parametrize("named", ["log", "link", "other/../log", "log.partial", "aliases.yaml"])
def test_what_is_read_is_never_written_over(
    run, month: Path, tmp_path: Path, monkeypatch, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = {"log": month.read_bytes(), "aliases.yaml": b"ann@example.com: [ann]\n"}
    kept["log.partial"] = kept["log"]
    for name, body in kept.items():
        Path(name).write_bytes(body)
    Path("other").mkdir()
    Path("link").symlink_to("log")
    out = named.removesuffix(".partial")
    read = "log.partial" if named == "log.partial" else "log"
    for more in ((), ("--state", tmp_path / "state")):
        ran = run("score", "--aliases", "aliases.yaml", "--out", out, read, *more)
        assert ran.code == 2
        assert "name another --out" in ran.err
        assert {name: Path(name).read_bytes() for name in kept} == kept
    assert not Path("state").exists()


@pytest.mark.parametrize("own", ["quivive.sqlite", "quivive.sqlite-wal", "lock", "keys/audit.jwk"])
def test_no_output_takes_the_place_of_the_store(
    run, month: Path, tmp_path: Path, monkeypatch, own: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("score", "--state", "state", "--out", "scored.ndjson", month).code == 0
    file = Path("state") / own
    before = file.read_bytes() if file.exists() else None
    for words in (
        ("score", "--state", "state", "--out", file, month),
        ("audit", "export", "--state", "state", "--out", f"other/../{file}"),
        ("report", "--state", "state", "--html", file.resolve()),
    ):
        Path("other").mkdir(exist_ok=True)
        ran = run(*words)
        assert ran.code == 2
        assert "a file of the store itself" in ran.err
        assert (file.read_bytes() if file.exists() else None) == before
    assert run("score", "--state", "state", "--out", "state/scored.ndjson", month).code == 0


@pytest.mark.parametrize("content", [None, b"", b"no database", b"\xab\xcd\xefMaxMind.com" * 3])
def test_a_bad_mmdb_stops_before_any_work(
    run, month: Path, tmp_path: Path, content: bytes | None
) -> None:
    database, out = tmp_path / "places.mmdb", tmp_path / "out"
    if content is not None:
        database.write_bytes(content)
    ran = run("score", "--geoip", database, "--out", out, "--state", tmp_path / "state", month)
    assert ran.code == 2
    assert "places.mmdb: " in ran.err
    assert "Traceback" not in ran.err
    assert not out.exists()
    assert not (tmp_path / "state").exists()


def test_what_was_known_before_is_said_to_be_left_out(run, tmp_path: Path) -> None:
    again = tmp_path / "again.jsonl"
    again.write_bytes(OKTA.read_bytes())
    alone, both = run("score", OKTA), run("score", OKTA, again)
    assert len(both.lines) < 1.5 * len(alone.lines)
    for ran in (alone, both):
        events = int(ran.err.split(" events, ")[0])
        assert f"\n  not scored {events - len(ran.lines)}: known before, or a log-off\n" in ran.err


def test_two_applications_that_count_their_logins_are_both_judged(run, tmp_path: Path) -> None:
    for app, user in (("shop", "ann"), ("portal", "eve")):
        rows = [
            f"{n},2026-03-01T0{n}:00:00Z,login,{user}@example.com,198.51.100.{n},curl,success,{app}"
            for n in range(1, 4)
        ]
        head = "id,timestamp,event,user,ip,user_agent,result,app"
        (tmp_path / f"{app}.csv").write_text("\n".join([head, *rows]))
    ran = run("score", tmp_path / "shop.csv", tmp_path / "portal.csv")
    assert sorted(x["id"] for x in ran.lines) == [
        "portal:1", "portal:2", "portal:3", "shop:1", "shop:2", "shop:3",
    ]  # fmt: skip
    assert "not scored" not in ran.err


def test_label_files_beside_a_log_are_never_read(run, month: Path, tmp_path: Path) -> None:
    copy = tmp_path / "log" / "month.ndjson"
    copy.parent.mkdir()
    copy.write_bytes(month.read_bytes())
    before = run("score", copy).out
    for name in ("labels.jsonl", "month.labels", "labels.csv"):
        label = copy.parent / name
        label.write_text('{"id": "m-0", "attack": true}\n')
        os.utime(label, ns=(1, 1))
    opened: list[str] = []
    watching = [True]  # an audit hook cannot be removed: this one goes quiet after the run

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open":
            opened.append(Path(str(arguments[0])).name)

    sys.addaudithook(watch)
    after = run("score", copy).out
    watching.clear()
    assert after == before
    assert any("month.ndjson" in name for name in opened)
    assert not any("label" in name for name in opened)


def test_state_goes_on_where_the_last_run_stopped(run, month: Path, tmp_path: Path) -> None:
    lines = month.read_bytes().splitlines(keepends=True)[::-1]
    first, second = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    first.write_bytes(b"".join(lines[:200]))
    second.write_bytes(b"".join(lines[200:]))
    state = tmp_path / "state"
    told = (
        run("score", "--state", state, first).lines + run("score", "--state", state, second).lines
    )
    whole = run("score", month).lines
    assert [(x["id"], x["risk_score"]) for x in told] == [(x["id"], x["risk_score"]) for x in whole]
    again = run("score", "--state", state, second)
    assert again.lines == []
    assert "0 logins scored" in again.err


def test_a_run_that_fails_leaves_the_state_as_it_was(run, month, tmp_path, monkeypatch) -> None:
    state = tmp_path / "state"
    run("score", "--state", state, OKTA)
    before = state_of(state)

    def fails(*_: object) -> bytes:
        raise RuntimeError("at the end")

    monkeypatch.setattr("quivive.app.keeping.encode_parts", fails)
    monkeypatch.setattr(sys, "argv", ["quivive", "score", "--state", str(state), str(month)])
    with pytest.raises(RuntimeError):
        main()
    monkeypatch.undo()
    assert state_of(state) == before
    with Store(state) as store:
        assert store.assessment("m-0") is None


def state_of(folder: Path) -> bytes:
    with Store(folder) as store:
        return encode_state(begin_state(store))


def test_of_two_runs_at_once_the_later_says_so_and_keeps_nothing(tmp_path: Path) -> None:
    with Store(tmp_path) as early, Store(tmp_path) as late:
        assert early.load("engine") is late.load("engine") is None
        early.commit(Batch(states={"engine": b"1"}))
        early.commit(Batch(states={"engine": b"2"}))
        with pytest.raises(StoreError, match="another run"):
            late.commit(Batch(states={"engine": b"3"}))
    with Store(tmp_path) as store:
        assert store.load("engine") == b"2"


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b""])
def test_a_damaged_state_is_an_error_in_words(
    run, month: Path, tmp_path: Path, content: bytes
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "quivive.sqlite").write_bytes(content)
    ran = run("score", "--state", state, month)
    assert "Traceback" not in ran.err
    assert ran.code == (2 if content else 0)  # an empty file is an empty store
    assert ran.code == 0 or "quivive.sqlite" in ran.err


# explain and the rest


def test_explain_finds_a_login_in_the_state_and_in_a_file(run, month, tmp_path: Path) -> None:
    state, out = tmp_path / "state", tmp_path / "out"
    best = max(run("score", "--state", state, month).lines, key=lambda x: x["risk_score"])
    run("score", "--out", out, month)
    from_state = run("explain", "--state", state, best["id"])
    from_file = run("explain", "--in", out, best["id"])
    assert from_state.code == from_file.code == 0
    assert from_state.out == from_file.out
    text = from_state.out.decode()
    assert "dana@example.com" in text
    assert "country RO: 0 of its" in text
    assert best["reasons"][0]["text"] in text
    assert not CONTROL.search(from_state.out)


@pytest.mark.parametrize(
    "where", [(), ("--state", "nowhere"), ("--in", "nowhere"), ("--in", str(OKTA))]
)
def test_explain_says_where_it_looked(run, where: tuple[str, ...]) -> None:
    ran = run("explain", "no-such-id", *where)
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert ran.err.startswith("quivive: ")


def test_explain_of_a_file_of_something_else(run, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('["x", "y"]\n{"id": "z"}\n')
    ran = run("explain", "x", "--in", other)
    assert ran.code == 2
    assert f"no scored login with the id 'x' in {other}" in ran.err


def test_explain_shows_no_password_of_a_store(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quivive.cli.explain._find", lambda *_: None)
    ran = run("explain", "x", "--state", "postgresql://quivive:hidden@db/quivive")
    assert ran.code == 2
    assert "hidden" not in ran.err
    assert "postgresql://quivive:***@db/quivive" in ran.err


def test_sources_lists_all_and_tells_of_one(run) -> None:
    listed = run("sources").out.decode()
    for name in ("entra", "m365", "okta", "cloudtrail", "kubernetes", "sshd", "windows", "ecs"):
        assert re.search(rf"^{name} ", listed, re.MULTILINE)
        told = run("sources", name).out.decode()
        assert "Reads" in told
        assert "src_endpoint" in told
    unknown = run("sources", "nope")
    assert unknown.code == 2
    assert "one of" in unknown.err


def test_doctor_says_what_is_missing_and_what_it_costs(run, tmp_path: Path) -> None:
    ran = run("doctor", "--state", tmp_path / "none")
    text = ran.out.decode()
    assert ran.code == 0
    assert "impossible travel" in text
    assert "not evaluable" in text
    assert "quivive geoip install" in text
    assert "no store here" in text
    assert not CONTROL.search(ran.out)
    assert not (tmp_path / "none").exists()


def test_geoip_install_refuses_what_is_no_database(run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mmdb"
    bad.write_bytes(b"nothing")
    for path in (bad, tmp_path / "none.mmdb"):
        ran = run("geoip", "install", path)
        assert ran.code == 2
        assert path.name in ran.err
    assert list((tmp_path / "home" / "geoip").glob("*")) == []
    status = run("geoip", "status")
    assert status.code == 0
    assert b"places" in status.out


# the process as a shell sees it


def shell(command: str, tmp_path: Path) -> subprocess.CompletedProcess[bytes]:
    program = f"{sys.executable} -c 'from quivive.cli.main import main; main()'"
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; quivive() {{ {program} \"$@\"; }}; {command}"],
        capture_output=True, timeout=60, check=False,
        env={**os.environ, "QUIVIVE_HOME": str(tmp_path)},
    )  # fmt: skip


def test_help_is_quick_and_imports_no_more_than_it_must(tmp_path: Path) -> None:
    started = time.perf_counter()
    ran = shell("quivive --help", tmp_path)
    took = time.perf_counter() - started
    assert ran.returncode == 0
    assert all(name.encode() in ran.stdout for name in COMMANDS)
    assert took < 3  # a second on an idle machine
    heavy = "maxminddb sqlalchemy rich yaml ua_parser quivive.engine quivive.sources msgspec"
    code = (
        "import sys, quivive.cli.main; "
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "[]"


def test_a_reader_that_stops_early_is_no_error(month: Path, tmp_path: Path) -> None:
    lines = month.read_bytes()
    big = tmp_path / "big.ndjson"
    big.write_bytes(lines * 3)
    ran = shell(f"quivive normalize {big} | head -n 1", tmp_path)
    assert ran.returncode == 0
    assert ran.stdout.count(b"\n") == 1
    assert b"Traceback" not in ran.stderr
    assert b"BrokenPipe" not in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to write to")
@pytest.mark.parametrize(
    "asked", ["normalize LOG", "score LOG", "score LOG --out /dev/full", "policy show", "--help"]
)
def test_a_full_disk_is_said_in_words(month: Path, tmp_path: Path, asked: str) -> None:
    ran = shell(f"quivive {asked.replace('LOG', str(month))} > /dev/full", tmp_path)
    assert ran.returncode == 2
    assert ran.stderr == (
        b"quivive: the output: No space left on device;"
        b" make room where it goes, then run it again\n"
    )


def test_the_module_is_the_command(tmp_path: Path) -> None:
    ran = shell(f"{sys.executable} -m quivive --version", tmp_path)
    assert ran.stdout == shell("quivive --version", tmp_path).stdout


def test_a_pipe_named_as_a_file_is_read_whole(run, dated: Path, tmp_path: Path) -> None:
    for command in ("normalize", "score"):
        ran = shell(f"quivive {command} <(cat {dated})", tmp_path)
        assert ran.stdout.count(b"\n") == len(run(command, dated).lines) > 20
