"""An evaluation end to end: from a simulated folder to figures, JSON and report."""

import json
import re
import shutil
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from quivive.app.errors import UsageError
from quivive.app.evaluate import Organisation, Scores, compare, score_all, simulated
from quivive.app.evaluation import (
    Outcome,
    Settings,
    Task,
    carry_out,
    chosen,
    leave_one_out,
)
from quivive.app.evaluation_page import page
from quivive.app.protocol_page import protocol_page
from quivive.cli.evaluate import command
from quivive.learn.detectors import detectors
from quivive.learn.evaluation.labels import LabelError
from quivive.learn.evaluation.result import combined
from quivive.learn.evidence import Example
from quivive.learn.protocols.result import Curve, Table
from quivive.learn.protocols.result import Result as ProtocolResult
from quivive.learn.reweigh import Reweighed
from quivive.scoring.model import Model
from quivive.sim.build import simulate

SPLIT_DAY = "21"
FOLDING = Settings(only=("quivive",), leave_one_out="organisations", resamples=0)
CHEAP = ("new-country", "impossible-travel", "freeman")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("companies") / "a<b>"
    simulate(folder, seed=6, people=10, services=2, days=25, incidents=5)
    return folder


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("companies") / "second"
    simulate(folder, seed=7, people=10, services=2, days=25, incidents=5)
    return folder


@pytest.fixture(scope="module")
def scored(company: Path, second: Path) -> list[Outcome]:
    return [carry_out(Task(simulated(folder), FOLDING)) for folder in (company, second)]


@pytest.fixture(scope="module")
def scores(company: Path) -> Scores:
    return score_all(simulated(company), chosen(Settings(only=CHEAP)))


def labels_of(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]


def relabelled(folder: Path, target: Path) -> Path:
    """A copy of the folder in which every label of the test window is another one's."""
    shutil.copytree(folder, target)
    changed = []
    for label in labels_of(folder):
        moved = int(str(label["sequence"])) - 1 or 2
        changed.append({**label, "sequence": moved, "uid": None, "incident": "other"})
    kinds = {"other": "unknown"}
    (target / "labels.jsonl").write_text(
        "".join(json.dumps({**c, "kind": kinds["other"]}) + "\n" for c in changed)
    )
    return target


def quivive(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=True)


def test_labels_of_the_test_window_change_no_score(
    company: Path, scores: Scores, tmp_path: Path
) -> None:
    other = relabelled(company, tmp_path / "other")
    again = score_all(simulated(other), chosen(Settings(only=CHEAP)))
    assert set(scores.rows.scores) == {"quivive", *CHEAP}
    for name, column in scores.rows.scores.items():
        assert column.tobytes() == again.rows.scores[name].tobytes(), name
    assert scores.rows.story.tobytes() == again.rows.story.tobytes()
    one = compare(simulated(company), scores, [], test_from=SPLIT_DAY)
    two = compare(simulated(other), again, [], test_from=SPLIT_DAY)
    assert one.context.incidents != two.context.incidents  # so that there was something to leak


def test_weights_are_learned_from_nothing_that_is_judged(
    company: Path, second: Path, scored: list[Outcome], tmp_path: Path
) -> None:
    other = relabelled(company, tmp_path / "other")
    taught: list[tuple[Example, ...]] = []

    def learn(examples: Sequence[Example], prior: Model) -> Reweighed:
        taught.append(tuple(examples))
        return Reweighed(model=prior, learned=len(taught) == 1, why="few", attacks=1, benign=1)

    folds = leave_one_out([simulated(company), simulated(second)], scored, FOLDING, learn=learn)
    assert [fold.held_out for fold in folds] == [[company.name], ["second"]]
    flipped = [carry_out(Task(simulated(other), FOLDING)), scored[1]]
    with pytest.raises(UsageError, match="few"):
        leave_one_out([simulated(other), simulated(second)], flipped, FOLDING, learn=learn)
    for_first, for_second, for_other, for_second_again = taught
    assert for_first == for_other
    assert for_first
    assert for_second != for_second_again  # where the first may teach, its labels count


def test_kinds_held_out_teach_nothing(company: Path, second: Path, scored: list[Outcome]) -> None:
    settings = Settings(only=("quivive",), leave_one_out="kinds", resamples=0)
    kinds = {f"{part.compared.name} {i.name}": i.kind
             for part in scored for i in part.compared.context.incidents}  # fmt: skip
    seen: list[set[str]] = []

    def learn(examples: Sequence[Example], prior: Model) -> Reweighed:
        seen.append({kinds[e.incident] for e in examples if e.attack})
        return Reweighed(model=prior, learned=len(seen) == 1, why="few", attacks=1, benign=1)

    folds = leave_one_out([simulated(company), simulated(second)], scored, settings, learn=learn)
    assert len(folds) == len(seen) > 2
    for fold, taught in zip(folds, seen, strict=True):
        assert not taught & set(fold.held_out)
    held_out = sum(fold.at[0].shipped.of for fold in folds)
    assert held_out == sum(len(part.compared.context.incidents) for part in scored)


def test_detectors_are_chosen_by_name() -> None:
    assert {d.name for d in chosen(Settings(only=("freeman", "ecod")))} == {"freeman", "ecod"}
    assert chosen(Settings(only=("quivive",))) == []
    assert "freeman" not in {d.name for d in chosen(Settings(without=("freeman",)))}
    with pytest.raises(UsageError, match=r"no detector 'frieman': one of .*freeman"):
        chosen(Settings(without=("frieman",)))


def test_a_label_of_a_record_that_is_not_there_ends_it(
    company: Path, scores: Scores, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"log": "sshd.log", "sequence": 999999}\n')
    folder = simulated(company)
    wrong = Organisation(folder.name, folder.logs, str(labels), folder.geoip)
    with pytest.raises(LabelError, match=r"labels\.jsonl:1: record 999999 of sshd\.log"):
        compare(wrong, scores, [])


def test_the_command_writes_json_and_a_report(company: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out.json", tmp_path / "out.html"
    done = quivive(
        company, "--only", "freeman", "--json", out, "--html", report, "--bootstrap", 50,
        "--test-from", SPLIT_DAY, "--budgets", "0.5,2",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "Incidents found at alert budgets" in done.stderr
    assert done.stdout == ""
    found = json.loads(out.read_text())
    assert found["budgets"] == [0.005, 0.02]
    assert [d["name"] for d in found["detectors"]] == ["quivive", "freeman"]
    (one,) = found["organisations"]
    assert one["incidents"] == len({str(label["incident"]) for label in labels_of(company)})
    assert {m["id"] for m in one["metrics"]} == {f"M{n}" for n in range(1, 11)}
    check_page(report.read_text())


def test_logs_with_labels_of_their_own_give_the_same(company: Path, tmp_path: Path) -> None:
    first = quivive(company, "--only", "quivive", "--bootstrap", 0, "--json", "-")
    folder = simulated(company)
    named = [part for file in folder.geoip for part in ("--geoip", file)]
    second = quivive("--labels", folder.labels, *named, "--only", "quivive", "--bootstrap", 0,
                     "--json", "-", *folder.logs)  # fmt: skip
    one, two = json.loads(first.stdout), json.loads(second.stdout)
    assert one["detectors"] == two["detectors"]
    assert two["organisations"][0]["name"] == "labels"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "nothing to evaluate"),
        (["--labels", "l.jsonl"], "--labels goes with the logs"),
        (["--labels", "l.jsonl", "none.log"], "none.log: No such file"),
        (["--geoip", "x.csv", "folder"], "--geoip goes with --labels"),
        (["nowhere"], "nowhere: no folder"),
        (["--budgets", "high", "."], "percents separated by commas"),
        (["--budgets", "0", "."], "between 0 and 20"),
        (["--simulate", "x"], "seeds separated by commas"),
        (["--json", "no/such/out.json", "."], "not a file in a folder that exists"),
        (["--limit", "5", "."], "go with --protocol"),
        (["--protocol", "lanl", "auth.txt"], "name auth.txt and redteam.txt"),
        (["--protocol", "rba", "--labels", "x", "y"], "brings its own labels"),
    ],
)
def test_what_cannot_be_is_said(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = quivive(*arguments)
    assert done.exit_code != 0
    assert says in str(done.exception) + done.output


def test_a_folder_without_labels_is_refused(company: Path, tmp_path: Path) -> None:
    shutil.copy(company / "sshd.log", tmp_path)
    with pytest.raises(UsageError, match=r"lacks labels\.jsonl"):
        simulated(tmp_path)


def test_labels_among_the_logs_are_refused(company: Path) -> None:
    labels = company / "labels.jsonl"
    done = quivive("--labels", labels, company / "sshd.log", labels)
    assert "would leak into scoring" in str(done.exception)


class Seen(HTMLParser):
    """Which elements and attributes a page has, and whether all that opens is closed."""

    VOID = frozenset({"meta", "link", "img", "br", "hr", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_page(text: str) -> Seen:
    """A report is whole, runs no script and asks nobody for anything."""
    seen = Seen()
    seen.feed(text)
    assert seen.open == []
    assert not seen.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not {a for a in seen.attributes if a.startswith("on")} | seen.attributes & {
        "src", "href", "srcset", "action"}  # fmt: skip
    assert not re.search(r"https?://|url\(|@import", text)
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    return seen


def test_a_report_escapes_what_logs_say(company: Path, scores: Scores) -> None:
    titles = [(name, f"<{name}>") for name in CHEAP]
    compared = compare(simulated(company), scores, titles, test_from=SPLIT_DAY)
    text = page(combined([compared, compared], "1.0", ["x<y"], 0))
    seen = check_page(text)
    assert {"svg", "polyline", "table"} <= seen.tags
    assert "a&lt;b&gt;" in text
    assert "x&lt;y" in text
    assert "&lt;freeman&gt;" in text
    for heading in ("What was missed", "What was told for nothing", "M10", "Method and limits"):
        assert heading in text


def test_a_protocol_is_shown_as_tables_and_figures() -> None:
    result = ProtocolResult(
        "RBA <x>",
        (Table("Asked again", ("attacker", "TPR 0.9", "alerts a day"),
               (("naive", 0.051, 12.25), ("targeted", None, 3.0))),),
        (Curve("Stopped", "Quivive", "re-authentication rate", "TPR", ((0.0, 0.2), (0.5, 0.9))),
         Curve("Stopped", "Freeman", "re-authentication rate", "TPR", ((0.01, 0.1), (0.4, 0.8))),
         Curve("Found", "Quivive", "alerts a day", "share found", ((0.1, 0.2), (100.0, 1.0))),
         Curve("Nothing", "Quivive", "x", "y", ())),
        ("33 rows.",),
    )  # fmt: skip
    text = protocol_page(result)
    check_page(text)
    for part in ("RBA &lt;x&gt;", "5.1 %", "12.2", "–", "33 rows.", "10 %", "share found"):
        assert part in text, part
    assert text.count("<svg") == 2


def test_every_detector_has_a_name_of_its_own() -> None:
    names = [detector.name for detector in detectors()]
    assert len(set(names)) == len(names)
    assert "quivive" not in names
