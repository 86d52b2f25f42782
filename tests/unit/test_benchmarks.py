"""The benchmarks: their generators, and tables that say what was measured. No speed is asserted."""

import json
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from benchmarks import __main__ as bench
from benchmarks import dense, groups, growth, kept, pages, peers, report, speed
from benchmarks.clock import Watch
from benchmarks.streaming import Counted, Grouped
from quivive.app.ingest import Tally
from quivive.app.scoring import merged
from quivive.baseline.observation import Observation
from quivive.enrich.enricher import Enricher
from quivive.learn.detectors.detector import NOT_EVALUABLE, Seen
from quivive.sim.build import simulate
from quivive.store.database import Store
from tests.conftest import ROOT

NOBODY = Enricher(None, None)


def login(**given: object) -> Observation:
    usual = {
        "time": 1_767_600_000_000, "identity": "ana", "kind": "human", "log": "Entra ID",
        "outcome": "success", "accepted": True, "hour": 8, "weekday": 0, "ip": "203.0.113.4",
        "country": "DE", "lat": 52.5, "long": 13.4, "os": "Windows", "browser": "Edge",
    }  # fmt: skip
    return Observation(**{**usual, **given})


# --- generators


def test_dense_log_settles_and_then_repeats_itself() -> None:
    made = list(dense.calls(services=3, hours=1, every=60.0))
    again = list(dense.calls(services=3, hours=1, every=60.0))
    assert made == again
    assert [call.time for call in made] == sorted(call.time for call in made)
    begins = dense.START + dense.SETTLING_HOURS * dense.HOUR
    crowded = [call for call in made if call.time >= begins]
    assert len(crowded) == 3 * 60
    assert all(
        len({call.operation for call in crowded if call.identity == name}) <= 4
        for name in {call.identity for call in crowded}
    )


def test_dense_log_is_read_whole_and_takes_the_short_road(tmp_path: Path) -> None:
    path = tmp_path / "cloudtrail.jsonl"
    begins = dense.write(path, services=2, hours=1, every=40.0, denied=0.0)
    tally = Tally()
    events = [event for _, event in merged([str(path)], None, tally, lambda _: None)]
    assert not tally.rejected
    found = dense.by_road(events, begins, NOBODY)
    assert found["short_logins"] + found["long_logins"] == 2 * 90
    assert found["short_logins"] > 8 * found["long_logins"] > 0


def test_series_of_growth_is_the_same_whatever_the_number_known() -> None:
    def series(seed: int) -> list[tuple[int, str | None]]:
        events = growth.Stream(seed).of([3, 1, 3], days=1, count=3)
        return [(event.time, event.user.name) for event in events]

    assert series(2) == series(2)
    assert [name for _, name in series(2)] == [f"user{n}@example.com" for n in (3, 1, 3)]
    assert series(2) != series(3)


def test_growth_knows_everybody_and_begins_again_on_its_store(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        found = growth.grow(30, 20, store)
    assert found["identities"] == 30
    assert 20 < found["known"] <= 30
    with Store(tmp_path) as store:
        again = growth.cold(store, 0.0)
        assert store.newest_line(growth.RUN) == 30 + 4 * 20
    assert again["first_s"] >= again["loaded_s"]


def test_groups_judge_the_same_logins_whatever_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "SIZES", (1, 10))
    monkeypatch.setattr(groups, "IDENTITIES", 10)
    found = groups.measure(20)
    assert [(one["group"], one["logins"]) for one in found] == [(1, 20), (10, 20)]
    assert found[-1]["ratio"] == 1.0


# --- the stages


def test_every_stage_is_still_called_by_the_name_that_is_watched(tmp_path: Path) -> None:
    path = tmp_path / "cloudtrail.jsonl"
    dense.write(path, services=1, hours=1, every=60.0, denied=0.0)
    events = [event for _, event in merged([str(path)], None, Tally(), lambda _: None)]
    with Watch(speed.ENGINE_STAGES) as watch:
        judged = speed.judge(events, NOBODY)
    assert len(judged) == len(events)
    with Watch(kept.KEEPING) as keeping:
        kept.kept_path([str(path)], NOBODY, tmp_path)
    found = {**watch.calls, **keeping.calls}
    silent = {stage for stage, calls in found.items() if not calls}
    # A short log has no finding, of which incidents are made.
    assert silent <= {"store: incidents"}, f"never called where it is watched: {silent}"


def test_every_log_has_each_of_its_stages(tmp_path: Path) -> None:
    found = speed.measure(tmp_path, rounds=1, people=8, services=5, days=4, incidents=0)
    named = {stage for stages in speed.PARTS.values() for stage in stages}
    assert named == set(speed.ENGINE_STAGES)
    rows = {(row.stage, row.log): row for row in found["rows"]}
    assert rows["decode JSON", "entra"].ratio == 1.0
    assert rows[speed.SCORE, "sshd"].ratio is None
    assert {log for stage, log in rows if stage == speed.KEPT} == {*speed.VENDORS, "all"}
    text = report.generated(
        {**found, "machine": pages.machine(), "rows": [row._asdict() for row in found["rows"]]}
    )
    assert "| gather (signals) | all |" in text
    assert "store: commit" in text


def test_stage_that_moved_is_noticed() -> None:
    with pytest.raises(AttributeError):
        Watch({"gone": (speed, "no_such_function")})


def test_path_with_a_store_writes_what_the_one_without_does(tmp_path: Path) -> None:
    path = tmp_path / "cloudtrail.jsonl"
    dense.write(path, services=1, hours=0, every=60.0)
    count = kept.kept_path([str(path)], NOBODY, tmp_path)
    assert count == speed.whole_path([str(path)], NOBODY)
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == count


# --- the pages


def figures() -> dict:
    """What a run finds, in numbers that are easy to follow."""

    def row(stage: str, log: str, spent: float, ratio: float | None) -> dict:
        return {"stage": stage, "log": log, "microseconds": spent, "ratio": ratio}

    rows = [
        row("decode JSON", "entra", 5.0, 1.0),
        row("frame (and decode)", "entra", 10.0, 2.0),
        row("recognise, parse", "entra", 20.0, 4.0),
        *(row(part, "all", 10.0, 2.0) for part in (*speed.PARTS, *kept.KEEPING)),
        *(row(s, "all", 5.0, 1.0) for s in
          ("order by time", "rest of the engine", "encode output")),
        *(row(speed.SCORE, log, 150.0, 30.0) for log in ("entra", "all")),
        *(row(speed.KEPT, log, 200.0, 40.0) for log in ("entra", "all")),
    ]  # fmt: skip
    road = {
        f"{road}_{what}": 9.0 for road in ("short", "long") for what in ("judge_us", "write_us")
    }
    each = {"decode": 2.0, "score": 80.0, "long alone": 100.0, "kept": 160.0}
    grown = {"all_us": 90.0, "all_ratio": 1.5, "memory_mib": 1000.0, "most_mib": 3000.0,
             "store_mib": 5.0, "loaded_s": 0.5, "first_s": 0.6}  # fmt: skip
    return {
        "machine": pages.machine(),
        "logins": {"entra": 1000, "all": 1000},
        "opening_ms": 30.0,
        "rows": rows,
        "dense": {
            "logins": 900, "services": 8, "calls_an_hour": 300.0, "share_short": 0.97,
            "share_short_undenied": 0.99, "denied": 0.001,
            "short_logins": 97, "long_logins": 3, **road, "microseconds": each,
            "ratio": {name: value / 2 for name, value in each.items()},
            "logins_a_second": 12_500.0, "logins_a_second_kept": 6_250.0,
        },
        "groups": [{"group": 1, "logins": 9, "cpu_us": 900.0, "elapsed_us": 1.0, "ratio": 4.5}],
        "growth": [
            {"identities": 1_000, "same_us": 100.0, "same_ratio": 1.0, **grown},
            {"identities": 1_000_000, "same_us": 120.0, "same_ratio": 1.2, **grown},
        ],
        "inline": [{"store": "kept", "rate": 500.0, "p50_ms": 2.0, "p99_ms": 12.0,
                    "most_ms": 20.0, "fallbacks": 0, "failed": 0}],
    }  # fmt: skip


def test_targets_stand_beside_what_was_measured() -> None:
    found = {line[0]: line[1:] for line in report.goals(figures())}
    assert found["`score` of an Entra log, to decoding its JSON"] == [
        "≤ 6 ×", "30 ×", "5.0 times the goal, 2.5 times the floor of 12",
    ]  # fmt: skip
    assert found["logins a second on one core, store on"][1:] == ["5,000", "2.3 times too slow"]
    assert found["the same of a dense machine log"][1:] == ["6,250", "1.9 times too slow"]
    assert found["a login with 1,000,000 identities known, to 1,000"][1:] == ["1.20 ×", "met"]
    assert found["memory with a million identities"][1:] == ["3,000 MiB", "missed"]
    assert found["99 of 100 answers at 500 a second, store on"][1:] == ["12 ms", "missed"]


def test_costs_are_sorted_and_add_up() -> None:
    lines = report.costs(figures()).splitlines()[2:]
    spent = [float(line.split("|")[2]) for line in lines]
    assert spent == sorted(spent, reverse=True)
    assert sum(spent) == pytest.approx(200.0)
    assert lines[0].startswith("| recognise, parse | 20.0 | 10 % |")


def test_page_has_a_table_for_each_part_and_is_left_out_where_nothing_was_measured() -> None:
    whole = report.generated(figures())
    few = report.generated({k: v for k, v in figures().items() if k != "growth"} | {"inline": []})
    heads = {line for line in whole.splitlines() if line.startswith("### ")}
    assert heads - set(few.splitlines()) == {"### More identities", "### In the login's own path"}
    for text in (whole, few):
        widths = [
            line.count("|") == ruler.count("|")
            for line, ruler in zip(text.splitlines(), text.splitlines()[1:], strict=False)
            if ruler.startswith("| ---")
        ]
        assert widths
        assert all(widths)


def test_only_what_lies_between_the_markers_is_replaced() -> None:
    page = f"before\n{bench.BEGIN}\nold\n{pages.END}\nprose\n{peers.BEGIN}\nkept\n{pages.END}\n"
    assert pages.between(page, bench.BEGIN, "new\n", "x.md") == page.replace("old", "new")
    assert pages.between(page, peers.BEGIN, "new\n", "x.md") == page.replace("kept", "new")
    with pytest.raises(SystemExit, match="lacks"):
        pages.between("no markers", bench.BEGIN, "new", "x.md")


@pytest.mark.parametrize("begin", [bench.BEGIN, peers.BEGIN])
def test_page_has_the_markers_of_each_command(begin: str) -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert "new figures" in pages.between(page, begin, "new figures", "performance.md")


def test_figures_are_written_as_json_with_few_digits() -> None:
    found = json.loads(bench.written({"a": [1.23456789, None], "b": {"c": 123456.789, "d": 7}}))
    assert found == {"a": [1.235, None], "b": {"c": 123500.0, "d": 7}}


def test_bound_names_what_is_over_it() -> None:
    rows = [{"stage": speed.SCORE, "log": "entra", "microseconds": 1.0, "ratio": 99.0}]
    assert bench.exceeded(rows) == [f"{speed.SCORE} of entra: 99.0 times decoding, over 90.0"]
    assert not bench.exceeded([{**rows[0], "ratio": 80.0}])


# --- beside other detectors


def test_counted_features_say_what_is_odd() -> None:
    counted = Counted()
    for day in range(10):
        counted.learn(login(time=1_767_600_000_000 + day * 86_400_000))
    then = 1_767_600_000_000 + 10 * 86_400_000
    usual = counted.vector(login(time=then))
    assert usual["country"] == usual["hour"] == usual["failures"] == 0.0
    counted.learn(login(time=then - 60_000, outcome="failure", accepted=False))
    odd = counted.vector(login(time=then, hour=20, country="BR", lat=-23.5, long=-46.6))
    assert odd["country"] == odd["country, anybody"] == odd["hour"] == 1.0
    assert odd["failures"] > 0
    assert odd.keys() == usual.keys()
    assert counted.vector(login(time=then, country=None))["country"] == 0.0
    assert all(0.0 <= value <= 1.0 for value in (usual | odd).values())


def test_evidence_as_features_has_the_same_names_each_time() -> None:
    grouped = Grouped()
    quiet, loud = grouped.vector({}), grouped.vector({"country": 50.0, "hour": -50.0, "x": 1.0})
    assert quiet.keys() == loud.keys()
    assert {0.0, 1.0} <= set(loud.values())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("peers")
    simulate(folder, seed=8, people=6, services=1, days=24, incidents=3, vendors=("entra",))
    return folder


def test_peers_judge_the_same_logins_and_stand_in_one_table(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {"freeman": peers.PEERS["freeman"], "gone": msgspec.structs.replace(
        peers.PEERS["trees"], name="gone", needs=("no_such_package",))}  # fmt: skip
    monkeypatch.setattr(peers, "PEERS", chosen)
    monkeypatch.setattr(peers, "simulate", lambda *_, **__: None)

    def here(name: str, path: Path) -> peers.Cost:
        return peers.run_quivive(path) if name == "quivive" else peers.run(chosen[name], path)

    found = peers.measure(small, {**peers.TINY, "seed": 8}, here)
    assert [one["name"] for one in found["detectors"]] == ["quivive", "freeman"]
    assert found["detectors"][0]["ratio"] == 1.0
    assert found["left_out"] == ["gone"]
    assert all(0.0 <= one["recall"]["0.005"] <= 1.0 for one in found["detectors"])
    text = peers.generated(found)
    assert "| **Quivive** | its own |" in text
    assert "left out: gone" in text


def test_peer_that_judges_too_few_is_noticed(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "PEERS", {})
    monkeypatch.setattr(peers, "simulate", lambda *_, **__: None)
    with pytest.raises(SystemExit, match="quivive judged 1 of"):
        peers.measure(small, peers.TINY, lambda *_: peers.Cost(1.0, 1.0, 1.0, [0.5]))


def test_half_space_trees_score_before_they_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Trees:
        def __init__(self, **_: object) -> None: ...

        def score_one(self, values: dict[str, float]) -> float:
            asked.append("score")
            return max(values.values())

        def learn_one(self, values: dict[str, float]) -> None:
            asked.append("learn")

    monkeypatch.setattr(
        "benchmarks.streaming.importlib.import_module",
        lambda _: SimpleNamespace(HalfSpaceTrees=Trees),
    )
    trees = peers.PEERS["trees"].make()
    failed = login(outcome="failure", accepted=False)
    day = [Seen(one, {}, 0.0) for one in (login(), failed, login(country="BR"))]
    scores = trees.judge(day)
    assert asked == ["score", "learn", "score", "learn"]
    assert scores[1] == NOT_EVALUABLE
    assert scores[2] == 1.0


def test_recorded_bodies_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "bodies"
    with path.open("wb") as out:
        for body in (b"one", b"", b"three"):
            peers.write(out, body)
    assert list(islice(peers.bodies(path), 9)) == [b"one", b"", b"three"]
