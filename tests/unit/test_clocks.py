"""How far the logs' clocks are off: measured, kept, and told."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from quivive.app.clocks import as_state, clock_status, load
from quivive.app.ingest import Tally
from quivive.app.live import Live
from quivive.app.scoring import merged
from quivive.baseline.clocks import (
    BOUNDS_MS,
    DAY_MS,
    SOURCES_KEPT,
    Clocks,
    Delays,
    Order,
    large,
    words,
)
from quivive.cli.shared import summarise
from quivive.enrich.enricher import Enricher
from quivive.model.ocsf import encode_event
from quivive.store.database import Batch, Store
from tests.scenario.company import DANA, TORONTO, at, login, usual

HOUR_MS = 3_600_000


@given(st.lists(st.integers(-DAY_MS, 3 * DAY_MS), min_size=1), st.integers(0, 10))
def test_delays_in_two_parts_are_those_of_the_whole(delays: list[int], cut: int) -> None:
    parts = Delays(), Delays()
    whole = Delays()
    for number, delay in enumerate(delays):
        parts[number > cut].add(delay)
        whole.add(delay)
    assert parts[0].plus(parts[1]) == whole
    assert (whole.least, whole.most, whole.count) == (min(delays), max(delays), len(delays))
    exact = sorted(delays)[(len(delays) - 1) // 2]
    assert whole.quantile(0.5) >= min(exact, whole.most)
    for bound in BOUNDS_MS:
        above = sum(delay > bound for delay in delays) / len(delays)
        assert whole.share_above(bound) == pytest.approx(above)


@given(st.lists(st.integers(1, 1000), min_size=2, unique=True))
def test_an_export_that_runs_backwards_is_in_order(times: list[int]) -> None:
    for direction in (False, True):
        order = Order()
        for time in sorted(times, reverse=direction):
            order.note(time)
        assert order.disorder.most == 0


def test_disorder_is_how_far_a_record_is_behind_the_newest() -> None:
    order = Order()
    for time in (0, HOUR_MS, 2 * HOUR_MS, HOUR_MS // 2, 3 * HOUR_MS, 4 * HOUR_MS):
        order.note(time)
    assert order.disorder.most == 1.5 * HOUR_MS
    clocks = Clocks()
    clocks.ordered("Okta", order)
    ((source, text),) = large(clocks)
    assert (source, text) == (
        "Okta",
        "16.7% of its records come over an hour out of order, at most 1.5 h",
    )


def test_a_clock_ahead_is_told_by_what_arrives_before_it_happens() -> None:
    clocks = Clocks()
    for delay in (-250_000, -240_000, 3_000):
        clocks.note("VPN", DAY_MS, DAY_MS + delay)
    clocks.note("Okta", DAY_MS, DAY_MS + 2_000)
    assert clocks.sources["VPN"].ahead == 250_000
    assert clocks.sources["Okta"].ahead == 0
    assert large(clocks) == [("VPN", "its clock is ahead by 4.17 min at least")]
    assert "Okta" not in str(large(clocks))


def test_what_always_comes_late_is_told_and_history_is_not() -> None:
    clocks = Clocks()
    clocks.note("SIEM", DAY_MS, DAY_MS + 600_000)
    clocks.note("SIEM", DAY_MS, DAY_MS + 900_000)
    clocks.note("SIEM", DAY_MS, 30 * DAY_MS)  # read in later
    assert clocks.sources["SIEM"].history == 1
    ((_, text),) = large(clocks)
    assert text.startswith("comes 10 min after the event at the earliest")


def test_a_clock_that_was_set_right_is_forgotten_after_two_days() -> None:
    clocks = Clocks()
    clocks.note("VPN", 10 * DAY_MS, 10 * DAY_MS - 250_000)
    clocks.note("VPN", 11 * DAY_MS, 11 * DAY_MS + 1)
    assert clocks.sources["VPN"].ahead == 250_000
    clocks.note("VPN", 12 * DAY_MS, 12 * DAY_MS + 1)
    assert clocks.sources["VPN"].ahead == 0


def test_no_more_sources_are_kept_than_the_bound() -> None:
    clocks = Clocks()
    for number in range(SOURCES_KEPT + 10):
        clocks.note(f"s{number}", DAY_MS, DAY_MS)
    assert len(clocks.sources) == SOURCES_KEPT


@pytest.mark.parametrize(
    ("span", "said"), [(900, "0.9 s"), (150_000, "2.5 min"), (7_200_000, "2 h"), (DAY_MS, "1 day")]
)
def test_spans_for_people(span: int, said: str) -> None:
    assert words(span) == said


def log(path: Path, times: list[int], collected: int | None = None) -> str:
    lines = []
    for number, time in enumerate(times):
        event = usual(DANA, time, TORONTO)
        made = replace(
            event.metadata,
            uid=f"{path.name}-{number}",
            original_time=str(time),
            logged_time=None if collected is None else time + collected,
        )
        lines.append(encode_event(replace(event, metadata=made)))
    path.write_bytes(b"\n".join(lines) + b"\n")
    return str(path)


def test_a_run_measures_its_inputs_and_says_what_is_large(tmp_path: Path, capsys) -> None:
    paths = [
        log(tmp_path / "a.ndjson", [at(1, h) for h in (1, 2, 5, 3, 6, 7)]),
        log(tmp_path / "b.ndjson", [at(1, h) for h in (9, 8, 7)], collected=-300_000),
    ]
    tally = Tally()
    times = [event.time for _, event in merged(paths, None, tally, lambda _: None)]
    assert times == sorted(times)
    clock = tally.clocks.sources["Entra ID"]
    assert clock.disorder.count == 9
    assert clock.disorder.most == 2 * HOUR_MS
    assert clock.ahead == 300_000
    summarise(tally)
    said = capsys.readouterr().err
    assert "clock: Entra ID: its clock is ahead by 5 min at least" in said
    assert "11.1% of its records come over an hour out of order, at most 2 h" in said


def test_what_was_measured_is_kept_and_doctor_tells_it(tmp_path: Path, monkeypatch, capsys) -> None:
    from quivive.cli.main import cli

    path = log(tmp_path / "a.ndjson", [at(1, h) for h in (1, 2, 5, 3, 6)], collected=-300_000)
    state = str(tmp_path / "state")
    monkeypatch.setenv("QUIVIVE_HOME", str(tmp_path / "home"))
    cli(["score", "--state", state, "--out", str(tmp_path / "out"), path], standalone_mode=False)
    capsys.readouterr()
    cli(["doctor", "--state", state], standalone_mode=False)
    said = capsys.readouterr().out
    assert "Entra ID: its clock is ahead by 5 min at least" in said
    assert "20.0% of its records come over an hour out of order" in said
    with Store(state) as store:
        assert load(store).sources["Entra ID"].arrival.count == 5
        store.commit(Batch(states={"clocks": b"\xff damaged"}))
        assert load(store) == Clocks()
        assert clock_status(store) == []


def test_a_server_measures_arrivals_and_keeps_them_at_a_checkpoint(tmp_path: Path) -> None:
    now = [0]
    with Store(tmp_path) as store:
        live = Live(store, Enricher(None, None), clock=lambda: now[0])
        for number, delay in enumerate((2_000, -90_000, 4_000)):
            time = at(1, number)
            now[0] = time + delay
            live.judge("api", login("dana", time, TORONTO, uid=f"u{number}"))
        live.commit()
        live.checkpoint()
        assert large(live.clocks) == [("Entra ID", "its clock is ahead by 1.5 min at least")]
    with Store(tmp_path) as store:
        (found,) = clock_status(store)
        assert (found.level, found.name) == ("warn", "clock")
        assert found.remedy is not None
        assert load(store) == msgspec.msgpack.decode(as_state(live.clocks)["clocks"], type=Clocks)


def test_the_metrics_show_every_source() -> None:
    from quivive.server.figures import Figures
    from quivive.server.metrics import _clocks

    figures = Figures()
    for delay in (1_000, 2_000, -5_000):
        figures.clocks.note("Okta", DAY_MS, DAY_MS + delay)
    samples = {
        (s.name, s.labels.get("quantile")): s.value for m in _clocks(figures) for s in m.samples
    }
    assert samples["quivive_source_clock_ahead_seconds", None] == 5.0
    assert samples["quivive_source_delay_seconds", "0"] == -5.0
    assert samples["quivive_source_delay_seconds", "0.99"] == 2.0
