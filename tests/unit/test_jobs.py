"""Several processes give what one gives: the same lines, and the same store behind them."""

import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from selectors import DefaultSelector

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from quivive.app.errors import UsageError
from quivive.app.jobs.hall import Hall
from quivive.app.jobs.judges import Judges
from quivive.app.jobs.opening import check_jobs
from quivive.app.jobs.wire import Broken, Channel, Frames, Take, framed
from quivive.app.jobs.worker import Bench
from quivive.app.keeping import load_state
from quivive.app.models import InUse
from quivive.app.output import NOT_TOLD, encode, told_later
from quivive.app.policy_file import shipped
from quivive.app.registry import signals
from quivive.app.snapshot import encode_state
from quivive.cli.main import cli
from quivive.engine.engine import Engine
from quivive.engine.publish import publish, publish_all
from quivive.engine.shared import (
    AT_ONCE,
    FEWEST,
    LAG_MS,
    LONGEST_MS,
    PENDING_KEPT,
    Delta,
    Measured,
    Pace,
    Pending,
)
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent
from quivive.policy.budget import Budgets, Telling
from quivive.policy.decider import Decider
from quivive.scoring.model import SHIPPED, Model
from quivive.signals.signal import Feature, spoken
from quivive.store.database import Store
from quivive.store.errors import StoreUnavailable
from tests.scenario.company import DANA, PEOPLE, at, in_order, numbered, ordinary, usual

T0 = 1_700_000_000_000
OWN = {"meta", "runs", "audit_checkpoints"}  # tables which name paths, keys, the clock


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small organisation with attacks, in seven vendors' formats."""
    folder = tmp_path_factory.mktemp("simulated")
    asked = ["simulate", "--out", str(folder), "--seed", "704", "--people", "10", "--services",
             "3", "--days", "24", "--incidents", "5"]  # fmt: skip
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    return folder


def score(logs: Path, out: Path, jobs: int, *more: str) -> bytes:
    found = sorted(p for p in logs.iterdir() if p.suffix in (".jsonl", ".log"))
    named = [str(p) for p in found if p.stem not in ("labels", "incidents")]
    places = ("--geoip", str(logs / "places.csv"), "--geoip", str(logs / "networks.csv"))
    asked = ["score", "--jobs", str(jobs), "--out", str(out), *places, *more, *named]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    return out.read_bytes()


@pytest.mark.parametrize("more", [(), ("--budget", "human=3/day", "--budget", "service=0.5%")])
def test_the_same_lines(logs: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    alone = score(logs, tmp_path / "1", 1, *more)
    assert alone.count(b"\n") > 1_000
    assert alone.count(b'"action":"notify"') + alone.count(b'"action":"step_up"') > 3
    assert score(logs, tmp_path / "2", 2, *more) == alone
    assert score(logs, tmp_path / "5", 5, *more) == alone


def tables(folder: Path) -> dict[str, list[str]]:
    with sqlite3.connect(folder / "quivive.sqlite") as connection:
        names = [
            n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        found = {n: sorted(map(repr, connection.execute(f"SELECT * FROM {n}"))) for n in names}
    connection.close()
    return found


def test_the_same_store(logs: Path, tmp_path: Path) -> None:
    """Assessments, lessons, incidents, decisions, what is known of everybody: byte for byte."""
    states, kept = [], []
    for jobs in (1, 3):
        folder = tmp_path / f"state{jobs}"
        score(logs, tmp_path / f"out{jobs}", jobs, "--state", str(folder), "--budget", "0.5%")
        kept.append(tables(folder))
        with Store(folder, create=False) as store:
            state = load_state(store, judging=True)
            assert state is not None
            states.append(encode_state(state))
    assert states[0] == states[1]
    assert kept[0]["incidents"]
    for name, rows in kept[0].items():
        assert name in OWN or kept[1][name] == rows, name


def test_either_database(logs: Path, tmp_path: Path, where: str) -> None:
    """Each process has a connection of its own; none takes over that of another."""
    alone = score(logs, tmp_path / "1", 1)
    assert score(logs, tmp_path / "2", 2, "--state", where) == alone
    with Store(where, create=False) as store:
        state = load_state(store, judging=True)
        assert state is not None
        kept = encode_state(state)
    other = str(tmp_path / "other")
    score(logs, tmp_path / "3", 1, "--state", other)
    with Store(other, create=False) as store:
        state = load_state(store, judging=True)
        assert state is not None
        assert encode_state(state) == kept


# what cannot be


class Anything:
    """A model in shadow, as far as it is asked for here."""

    model = SHIPPED


def test_a_model_that_has_to_see_all_logins_is_not_cut_in_pieces() -> None:
    shadowed = InUse(SHIPPED, Anything())  # type: ignore[arg-type]
    check_jobs(1, shadowed)
    check_jobs(2, InUse(SHIPPED))
    with pytest.raises(UsageError, match=r"looks on in shadow.*models retire"):
        check_jobs(2, shadowed)
    with pytest.raises(UsageError, match="ranks findings by trees"):
        check_jobs(2, InUse(Model(version="t", trees="tree")))


def test_how_many_is_bounded() -> None:
    done = CliRunner().invoke(cli, ["score", "--jobs", "0", "x.jsonl"])
    assert done.exit_code == 2
    assert "--jobs" in done.output


def made(fails: Exception | None = None) -> Bench:
    engine = Engine(State(), Enricher(None, None), signals())
    if fails is not None:
        engine.judge_all = lambda _: (_ for _ in ()).throw(fails)  # type: ignore[method-assign]
    return Bench(engine, decides(), keeps=False)


def decides() -> Decider:
    return Decider(shipped())


@pytest.fixture
def hall() -> Iterator[Hall]:
    found = Hall(2, made)
    yield found
    found.close()


def put(hall: Hall, events: list[AuthEvent]) -> list[bytes | None]:
    judges = Judges(hall, State(), Enricher(None, None), decides(), Budgets())
    found = judges.judge(("log", event) for event in events)
    return [None if result is None else result.row.body for _, _, result in found]


def test_what_is_no_login_comes_back_in_its_place(hall: Hall) -> None:
    events = numbered(in_order(ordinary(0, 3, people=PEOPLE[:4])))
    again = [*events[:5], events[2], *events[5:]]
    lines = put(hall, again)
    assert lines[5] is None
    assert all(line is not None for n, line in enumerate(lines) if n != 5)


@pytest.mark.parametrize(
    ("fails", "raised", "said"),
    [
        (StoreUnavailable("the database is gone"), StoreUnavailable, "the database is gone"),
        (ValueError("seven"), RuntimeError, "ValueError: seven"),
    ],
)
def test_what_a_process_cannot_do_is_said_here(
    fails: Exception, raised: type[Exception], said: str
) -> None:
    hall = Hall(2, lambda: made(fails))
    try:
        with pytest.raises(raised, match=said):
            put(hall, ordinary(0, 1, people=PEOPLE[:2]))
    finally:
        hall.close()


def test_a_hall_that_is_closed_leaves_nobody_behind() -> None:
    hall = Hall(2, made)
    hall.close()
    assert not any(process.is_alive() for process in hall._processes)


# the parts


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 9))
def test_frames_come_whole_however_they_are_cut(bodies: list[bytes], size: int) -> None:
    stream = b"".join(len(b).to_bytes(4, "big") + b for b in bodies)
    frames = Frames()
    found = [f for n in range(0, len(stream), size) for f in frames.feed(stream[n : n + size])]
    assert found == bodies


def test_a_channel_never_waits_for_the_other_side() -> None:
    mine, theirs = socket.socketpair()
    with DefaultSelector() as selector:
        channel = Channel(mine, selector)
        for _ in range(5_000):  # far more than a socket holds
            channel.send(Broken(False, "x" * 500))
        channel.send(Take(7))
        frames, found = Frames(), 0
        last = b""
        while last != framed(Take(7))[4:]:
            for frame in frames.feed(theirs.recv(1 << 20)):
                last, found = frame, found + 1
            channel.write()
        assert found == 5_001
        channel.close()
    theirs.close()


@given(st.lists(st.sampled_from([0, 1, LAG_MS // 9, LAG_MS, LONGEST_MS // 3]), min_size=1))
def test_a_delta_is_due_when_the_logs_have_come_so_far(steps: list[int]) -> None:
    """Some events and minutes later, or an hour; events that come late change nothing."""
    pace, newest, stamps, former = Pace(), 0, list[int](), 0
    for n, step in enumerate(steps * 3):
        newest = max(newest, T0 + sum((steps * 3)[: n + 1]))
        due = pace.advance(newest - (step if n % 5 == 4 else 0) if n else newest)
        if n % 5 == 4 and n:
            newest = pace.newest
        expected = former
        while n - expected >= FEWEST and stamps[expected + AT_ONCE - 1] <= newest - LAG_MS:
            expected += AT_ONCE
        while expected < n and stamps[expected] <= newest - LONGEST_MS:
            expected += 1
        assert due == expected
        former = due
        stamps.append(newest)
    assert pace.number == len(stamps)


def test_no_more_is_pending_than_the_bound() -> None:
    pace = Pace()
    dues = [pace.advance(T0) for _ in range(PENDING_KEPT + 50)]
    assert dues[:PENDING_KEPT] == [0] * PENDING_KEPT
    assert dues[PENDING_KEPT:] == [AT_ONCE * (1 + n // AT_ONCE) for n in range(50)]
    assert len(pace.waiting) <= PENDING_KEPT


@given(st.permutations(range(1, 13)), st.integers(0, 12), st.integers(1, 12))
def test_deltas_take_effect_in_their_order_however_they_came(
    order: list[int], due: int, cut: int
) -> None:
    def delta(number: int) -> Delta:
        said = [spoken(Feature(signal="f", factor="f", key=f"{number % 4}")).packed]
        measured = Measured("human", "log", False, number / 7)
        return Delta(number, T0 + number, "dana", ip=f"10.0.0.{number % 3}", met=True, welcome=True,
                     group="human:X", trust=0.7, measured=measured,
                     said=said)  # fmt: skip

    plain, shuffled = State(), State()
    for number in range(1, 13):
        plain.pending.add(delta(number))
    for some in (order[:cut], order[cut:]):
        shuffled.pending.merge([delta(n) for n in some])
    for state in (plain, shuffled):
        publish(state, due)
        assert [d.number for d in state.pending.deltas] == list(range(due + 1, 13))
        publish_all(state)
    shuffled.pending = plain.pending
    assert encode_state(plain) == encode_state(shuffled)


def test_a_state_is_kept_with_what_is_pending() -> None:
    body = msgspec.msgpack.encode(
        Pending(Pace(3, T0, [T0]), [Delta(3, T0, "dana")], {"x dana": T0})
    )
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(body, type=Pending)) == body


HOSTILE = st.text(
    alphabet=st.sampled_from('"\\,:{}finfalsethreshold46.0 \n'), max_size=60
) | st.just('"finding":false,"threshold":46.0,')


@given(HOSTILE, st.booleans(), st.floats(0, 99))
def test_whether_it_is_told_can_be_said_later(said: str, finding: bool, threshold: float) -> None:
    event = msgspec.structs.replace(usual(DANA, at(1, 15)), status_detail=said)
    judged = Engine(State(), Enricher(None, None), signals()).step(event)
    assert judged is not None
    login = msgspec.structs.replace(judged.login, identity=said)
    assessment = msgspec.structs.replace(judged.assessment, risk_level="high", looks_like=said)
    telling = Telling(finding, threshold, False)
    decision = judged.decision
    later = told_later(encode(event, login, assessment, decision, NOT_TOLD, "log"), telling)
    assert later == encode(event, login, assessment, decision, telling, "log")
