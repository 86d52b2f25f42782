"""Killed at any point and started again, a run ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quivive.app import running
from quivive.app.jobs import worker
from quivive.app.jobs.wire import Sent
from quivive.app.keeping import begin_state
from quivive.app.snapshot import encode_state
from quivive.cli.main import main
from quivive.engine import resident, state
from quivive.model.ocsf import encode_event
from quivive.store.database import Store
from tests.scenario.company import PEOPLE, numbered, ordinary

POINTS = (
    "after-output-flush",
    "in-transaction",
    "before-commit",
    "after-commit",
    "before-rename",
    "after-rename",
    "done",
)
KILLED = 137
LOGINS, PER_BATCH = 60, 25


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty logins, newest first, and two records that are none."""
    events = numbered(ordinary(0, 10, people=PEOPLE[:6])[:LOGINS])
    path = tmp_path_factory.mktemp("logs") / "month.ndjson"
    lines = [encode_event(event) for event in reversed(events)]
    path.write_bytes(b"\n".join([*lines[:40], b"{nonsense", *lines[40:], b'{"a": 1}']) + b"\n")
    with pytest.MonkeyPatch.context() as patch:  # imports everything here, not in every child
        any_state = path.with_name("state")
        patch.setattr(sys, "argv", ["q", "score", "--state", str(any_state), str(path)])
        with pytest.raises(SystemExit):
            main()
    return path


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH_LOGINS", PER_BATCH)
    monkeypatch.setattr(state, "PROFILES_IN_MEMORY", 3)  # most of them are read from the store
    monkeypatch.setattr(state, "ADDRESSES_IN_MEMORY", 3)


def score(folder: Path, log: Path, *more: str, at: Callable[[str], None] | None = None) -> int:
    """Runs ``quivive score`` in a child process, which ``at`` may kill; its exit code."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 2)
            if at is not None:
                Store.at = staticmethod(at)
            sys.argv = ["quivive", "score", "--state", str(folder / "state"), *more, str(log)]
            try:
                main()
                code = 0
            except SystemExit as stop:
                code = int(stop.code or 0)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killing(number: int, seen: Path | None = None) -> Callable[[str], None]:
    """Kills the process at the ``number``-th of its points, as -9 would: nothing is tidied up."""
    left = [number]

    def at(point: str) -> None:
        left[0] -= 1
        if seen is not None:
            with seen.open("a") as file:
                file.write(point + "\n")
        if not left[0]:
            os._exit(KILLED)

    return at


def state_of(folder: Path) -> bytes:
    with Store(folder / "state") as store:
        return encode_state(begin_state(store))


def letters(folder: Path) -> int:
    with Store(folder / "state") as store, store.reading() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM dead_letters").scalar_one())


@pytest.fixture(scope="module")
def undisturbed(
    log: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, bytes, list[str]]:
    """Lines and state of a run that nothing happened to, and the points that it came by."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "BATCH_LOGINS", PER_BATCH)
        code = score(folder, log, "--out", str(folder / "out"), at=killing(-1, folder / "points"))
    assert code == 0
    lines = (folder / "out").read_bytes()
    points = (folder / "points").read_text().split()
    assert set(points) == set(POINTS)
    assert lines.count(b"\n") == LOGINS
    assert letters(folder) == 2
    return lines, state_of(folder), points


def ends_as(folder: Path, log: Path, undisturbed: tuple[bytes, bytes, list[str]]) -> None:
    assert score(folder, log, "--out", str(folder / "out")) == 0
    assert (folder / "out").read_bytes() == undisturbed[0]
    assert not (folder / "out.partial").exists()
    assert state_of(folder) == undisturbed[1]
    assert letters(folder) == 2


def test_killed_once_at_every_point(log, tmp_path, undisturbed) -> None:
    for number in range(1, len(undisturbed[2]) + 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        killed = score(folder, log, "--out", str(folder / "out"), at=killing(number))
        assert killed == KILLED
        ends_as(folder, log, undisturbed)


@settings(
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(1, 14), st.sampled_from(["", "torn", "gone"])), max_size=4))
def test_killed_again_and_again(log, tmp_path_factory, undisturbed, kills) -> None:
    """Between two kills the unfinished file may lose its end, or be gone."""
    folder = tmp_path_factory.mktemp("killed")
    for number, then in kills:
        assert score(folder, log, "--out", str(folder / "out"), at=killing(number)) in (0, KILLED)
        partial = folder / "out.partial"
        if partial.exists() and then == "torn":
            os.truncate(partial, partial.stat().st_size // 2)
        elif then == "gone":
            partial.unlink(missing_ok=True)
    ends_as(folder, log, undisturbed)


def test_sigkill_of_a_process_of_its_own(log, tmp_path, undisturbed) -> None:
    driver = f"""
import os, signal, sys
from quivive.app import running
from quivive.app.jobs import worker
from quivive.cli.main import main
from quivive.store.database import Store

running.BATCH_LOGINS = {PER_BATCH}
left = [6]

def at(point):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

Store.at = staticmethod(at)
main()
"""
    args = ["score", "--state", tmp_path / "state", "--out", tmp_path / "out", log]
    ran = subprocess.run([sys.executable, "-c", driver, *map(str, args)], capture_output=True)
    assert ran.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    ends_as(tmp_path, log, undisturbed)


def test_the_same_again_after_the_end_changes_nothing(log, tmp_path, undisturbed) -> None:
    ends_as(tmp_path, log, undisturbed)
    before = (tmp_path / "out").stat().st_mtime_ns
    ends_as(tmp_path, log, undisturbed)
    assert (tmp_path / "out").stat().st_mtime_ns == before
    (tmp_path / "out").unlink()
    ends_as(tmp_path, log, undisturbed)
    (tmp_path / "out").write_bytes(b"something else")
    ends_as(tmp_path, log, undisturbed)


def test_on_standard_output_all_lines_come_again(log, tmp_path, undisturbed, capfdbinary) -> None:
    assert score(tmp_path, log, at=killing(8)) == KILLED
    capfdbinary.readouterr()
    assert score(tmp_path, log) == 0
    assert capfdbinary.readouterr().out == undisturbed[0]
    assert state_of(tmp_path) == undisturbed[1]


def test_another_run_over_one_that_was_cut_short(log, tmp_path, capfd, undisturbed) -> None:
    out = ("--out", str(tmp_path / "out"))
    assert score(tmp_path, log, *out, at=killing(8)) == KILLED
    other = tmp_path / "other.ndjson"
    other.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:10]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["q", "score", "--state", str(tmp_path / "state"), str(other)])
        with pytest.raises(SystemExit) as stop:
            main()
    assert stop.value.code == 2
    said = capfd.readouterr().err
    assert "a run was cut short after 50 logins" in said
    assert str(log) in said
    assert "--abandon" in said
    before = state_of(tmp_path)
    assert score(tmp_path, other, "--abandon") == 0
    assert state_of(tmp_path) != before
    assert score(tmp_path, log, *out) == 0  # what was judged comes as a duplicate: no line
    assert (tmp_path / "out").read_bytes().count(b"\n") == LOGINS - 50 - 10


def test_logs_that_changed_meanwhile_are_no_continuation(log, tmp_path, capfd) -> None:
    changed = tmp_path / "month.ndjson"
    changed.write_bytes(log.read_bytes())
    assert score(tmp_path, changed, at=killing(8)) == KILLED
    changed.write_bytes(log.read_bytes() + b"\n")
    assert score(tmp_path, changed) == 2


def test_bounds_are_those_of_the_test() -> None:
    """Or the tests above would not read from the store."""
    assert state.State().profiles.bound == 3
    assert isinstance(state.State().profiles, resident.Resident)


def test_doctor_names_a_run_that_was_cut_short(log, tmp_path, capfd) -> None:
    assert score(tmp_path, log, at=killing(8)) == KILLED
    capfd.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["q", "doctor", "--state", str(tmp_path / "state")])
        with pytest.raises(SystemExit):
            main()
    said = capfd.readouterr().out
    assert f"cut short, or going on, after 50 logins: {log}" in said
    assert "start it again with the same arguments" in said


# several processes


def test_in_several_processes_it_ends_the_same(log, tmp_path, undisturbed) -> None:
    assert score(tmp_path, log, "--out", str(tmp_path / "out"), "--jobs", "3") == 0
    assert (tmp_path / "out").read_bytes() == undisturbed[0]
    assert state_of(tmp_path) == undisturbed[1]
    assert letters(tmp_path) == 2


@pytest.mark.parametrize(("number", "first", "then"), [(3, "2", "1"), (6, "1", "2"), (9, "3", "2")])
def test_a_run_that_was_killed_goes_on_in_more_or_fewer(
    log, tmp_path, undisturbed, number: int, first: str, then: str
) -> None:
    out = ("--out", str(tmp_path / "out"))
    assert score(tmp_path, log, *out, "--jobs", first, at=killing(number)) == KILLED
    assert score(tmp_path, log, *out, "--jobs", then) == 0
    assert (tmp_path / "out").read_bytes() == undisturbed[0]
    assert state_of(tmp_path) == undisturbed[1]


def test_a_process_that_dies_is_said_and_nothing_is_lost(
    log, tmp_path, undisturbed, capfd, monkeypatch
) -> None:
    """As the kernel does when memory runs out."""
    judged: list[Sent] = []
    judges = worker.Worker._judge

    def dies(self: worker.Worker, sent: Sequence[Sent]) -> None:
        judged.extend(sent)
        if len(judged) >= 20:
            os.kill(os.getpid(), signal.SIGKILL)
        judges(self, sent)

    out = ("--out", str(tmp_path / "out"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker.Worker, "_judge", dies)
        patch.setattr(sys, "argv", ["q", "score", "--jobs", "2", *out, "--state",
                                    str(tmp_path / "state"), str(log)])  # fmt: skip
        with pytest.raises(SystemExit) as stop:
            main()
    assert stop.value.code == 2
    assert "a process of --jobs has ended" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
    ends_as(tmp_path, log, undisturbed)
