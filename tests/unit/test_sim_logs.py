"""What a simulation writes: the same bytes for a seed, sound logs, labels that point right."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from quivive.app import ingest, scoring
from quivive.sim.attacks import attacks
from quivive.sim.build import simulate
from quivive.sim.demo import simulate_demo
from quivive.sim.writing import Summary

SSHD = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 [\w-]+ sshd(-session)?\[\d+\]: \S.*"
)
SSHD_3164 = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w-]+ sshd(-session)?\[\d+\]: \S.*")
UIDS = {"entra.jsonl": "id", "entra_audits.jsonl": "id", "okta.jsonl": "uuid",
        "cloudtrail.jsonl": "eventID", "kubernetes.jsonl": "auditID",
        "github.jsonl": "_document_id"}  # fmt: skip
LOGS = (*UIDS, "sshd.log", "sshd-3164.log")
ALL = ("entra", "okta", "cloudtrail", "kubernetes", "sshd", "sshd-3164", "github")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return simulate(
        tmp_path_factory.mktemp("sim"),
        seed=3,
        people=40,
        days=30,
        incidents=12,
        vendors=ALL,
    )


def records(folder: Path, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def test_same_seed_same_bytes(small: Summary, tmp_path: Path) -> None:
    again = simulate(
        tmp_path,
        seed=3,
        people=40,
        days=30,
        incidents=12,
        vendors=ALL,
    )
    assert again.records == small.records
    written = sorted(path.name for path in small.folder.iterdir())
    assert written == sorted([*LOGS, "labels.jsonl", "incidents.jsonl", "places.csv",
                              "networks.csv"])  # fmt: skip
    for name in written:
        assert (tmp_path / name).read_bytes() == (small.folder / name).read_bytes(), name


def test_another_seed_is_another_organisation(small: Summary, tmp_path: Path) -> None:
    simulate(tmp_path, seed=4, people=10, services=1, days=3, incidents=0, vendors=("entra",))
    one = (tmp_path / "networks.csv").read_bytes()
    assert one != (small.folder / "networks.csv").read_bytes()
    assert (tmp_path / "labels.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("name", "when"),
    [
        ("entra.jsonl", "createdDateTime"),
        ("okta.jsonl", "published"),
        ("cloudtrail.jsonl", "eventTime"),
        ("kubernetes.jsonl", "requestReceivedTimestamp"),
        ("github.jsonl", "@timestamp"),
    ],
)
def test_json_logs_are_in_time_order(small: Summary, name: str, when: str) -> None:
    times = [str(record[when]) for record in records(small.folder, name)]
    assert len(times) == small.records[name] > 100
    assert times == sorted(times)


def test_sshd_lines_have_their_shape_and_order(small: Summary) -> None:
    lines = (small.folder / "sshd.log").read_text().splitlines()
    assert len(lines) == small.records["sshd.log"]
    assert [line for line in lines if not SSHD.fullmatch(line)] == []
    assert lines == sorted(lines, key=lambda line: line[:32])


def test_bsd_dates_are_read_as_what_they_were(small: Summary) -> None:
    """The year of a line is nowhere but in the file's own time."""
    path = small.folder / "sshd-3164.log"
    lines = path.read_text().splitlines()
    assert [line for line in lines if not SSHD_3164.fullmatch(line)] == []
    tally = ingest.Tally()
    dated, undated = (
        [event.time // 1000 for _, event in scoring.merged([str(log)], None, tally, print)]
        for log in (small.folder / "sshd.log", path)
    )
    assert undated == sorted(undated)
    assert undated == dated


def test_audits_are_dated_in_order(small: Summary) -> None:
    times = [r["activityDateTime"] for r in records(small.folder, "entra_audits.jsonl")]
    assert times == sorted(times)  # type: ignore[type-var]
    assert len(times) >= 3


def test_labels_point_at_their_records(small: Summary) -> None:
    labels = records(small.folder, "labels.jsonl")
    lines = {name: (small.folder / name).read_text().splitlines() for name in LOGS}
    assert len(labels) == small.labelled > 12
    for label in labels:
        line = lines[str(label["log"])][int(str(label["sequence"])) - 1]
        if str(label["log"]).startswith("sshd"):
            assert label["uid"] is None
            assert str(label["identity"]).split("@")[0] in line
        else:
            assert json.loads(line)[UIDS[str(label["log"])]] == label["uid"]
    assert len({(label["log"], label["sequence"]) for label in labels}) == len(labels)


def test_incidents_begin_after_learning_on_different_identities(small: Summary) -> None:
    incidents = records(small.folder, "incidents.jsonl")
    assert len(incidents) == 12
    assert len({incident["identity"] for incident in incidents}) == 12
    begin = 1_769_990_400_000  # 2 February 2026
    assert min(int(str(i["first"])) for i in incidents) > begin + 20 * 86_400_000
    counts = Counter(label["incident"] for label in records(small.folder, "labels.jsonl"))
    assert {i["incident"]: i["events"] for i in incidents} == counts


def test_address_plan_places_every_address(small: Summary) -> None:
    starts = [line.split(",")[0] for line in (small.folder / "places.csv").read_text().splitlines()]
    networks = (small.folder / "networks.csv").read_text().splitlines()
    assert starts == [line.split(",")[0] for line in networks]
    for reserved in ("10.", "127.", "192.168.", "169.254.", "172.16.", "100.64."):
        assert not [start for start in starts if start.startswith(reserved)]


@pytest.mark.parametrize("log", ["entra.jsonl", "github.jsonl"])
def test_nothing_tells_an_attack_by_its_shape(tmp_path: Path, log: str) -> None:
    """Attack records have the same keys as others, and no field names them."""
    vendor, folder = log.partition(".")[0], tmp_path
    own = [kind for kind, attack in attacks().items() if attack.logs == (vendor,)]
    simulate(folder, seed=5, people=70, days=32, incidents=16, kinds=own, vendors=(vendor,))
    labels = records(folder, "labels.jsonl")
    marked = {int(str(x["sequence"])) for x in labels if x["log"] == log}
    everyone = records(folder, log)
    shapes = {tuple(r) for n, r in enumerate(everyone, 1) if n not in marked}
    assert {tuple(r) for n, r in enumerate(everyone, 1) if n in marked} <= shapes
    text = (folder / log).read_text()
    assert not [kind for kind in own if kind in text]


def test_demo_tells_the_takeover_of_the_guide(tmp_path: Path) -> None:
    story = simulate_demo(tmp_path, people=30)
    mine = [r for r in records(tmp_path, "entra.jsonl") if r["userPrincipalName"] == story.identity]
    labels = records(tmp_path, "labels.jsonl")
    bad = {x["uid"] for x in labels if x["identity"] == story.identity}
    usual = [r for r in mine if r["id"] not in bad]
    stolen = [r for r in mine if r["id"] in bad]
    assert {r["location"]["countryOrRegion"] for r in usual} == {"CA"}  # type: ignore[index]
    assert {r["deviceDetail"]["operatingSystem"] for r in usual} == {"MacOs"}  # type: ignore[index]
    won = [r for r in stolen if r["status"]["errorCode"] == 0]  # type: ignore[index]
    assert won[0]["location"]["countryOrRegion"] == "RO"  # type: ignore[index]
    assert won[0]["deviceDetail"]["browser"] == ""  # type: ignore[index]
    assert len({r["location"]["countryOrRegion"] for r in won}) > 8  # type: ignore[index]
    assert story.first_failure < story.first_success < story.reset
    after = [r for r in mine if str(r["createdDateTime"]) > "2026-01-15T16"]
    assert after
    assert {r["location"]["countryOrRegion"] for r in after} == {"CA"}  # type: ignore[index]
