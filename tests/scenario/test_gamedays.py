"""The six game days of the field guide, and that a broken link makes each of them fail."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from quivive.app.errors import UsageError
from quivive.app.gamedays.day import LINKS
from quivive.app.gamedays.run import SCENARIOS, find, run
from quivive.cli.gameday import LINKS as OFFERED
from quivive.cli.gameday import command
from quivive.server.rehearsal import judging

# Which demand each broken link has to fail, in any scenario.
NOTICED = {
    "detection": "detection",
    "policy": "decision",
    "vendor": "action at the vendor",
    "people": "people",
    "audit": "audit trail",
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_demand_of_the_guide_is_met(name: str, tmp_path: Path) -> None:
    report = run(SCENARIOS[name], judging, keep=tmp_path)
    assert [c for c in report.checks if not c.passed] == []
    links = {c.what for c in report.checks}
    assert links >= {"detection", "decision", "action at the vendor", "people", "audit trail"}
    assert [m.what for m in report.moments] == ["event", "decided", "acted", "told"]
    times = [m.time for m in report.moments[:3]]
    assert times == sorted(times)


# Each link in the quick S2, and others with one or two; what S4 to S6 demand beyond these links
# fails in test_gamedays_must_fail.py.
BROKEN = [
    *(("S2", link) for link in LINKS),
    ("S1", "vendor"),
    ("S3", "policy"),
    ("S6", "detection"),
    ("S6", "people"),
]


@pytest.mark.parametrize(("name", "link"), BROKEN)
def test_a_broken_link_fails_the_day(name: str, link: str) -> None:
    report = run(SCENARIOS[name], judging, broken=link)
    assert not report.passed
    failed = {c.what for c in report.checks if not c.passed}
    assert NOTICED[link] in failed
    if link in ("audit", "people"):
        assert failed == {NOTICED[link]}


def test_the_same_seed_gives_the_same_report() -> None:
    first, again = (run(SCENARIOS["S2"], judging).repeatable() for _ in range(2))
    assert first == again


def test_nothing_is_asked_but_fakes(tmp_path: Path) -> None:
    """No socket is opened: tests/conftest.py refuses any; and no host has a name in the world."""
    report = run(SCENARIOS["S6"], judging)
    acted = next(m for m in report.moments if m.what == "acted")
    assert acted.text.split(":")[0].endswith(".invalid")


def test_the_post_mortem_is_a_document(tmp_path: Path) -> None:
    report = run(SCENARIOS["S3"], judging, keep=tmp_path)
    written = (tmp_path / "s3" / "postmortem.md").read_text()
    assert written == report.documents["postmortem.md"]
    rows = [line for line in written.splitlines() if line.startswith("| 20")]
    assert sum("| attacker |" in row for row in rows) == 9
    assert {"Entra ID", "CloudTrail"} <= {row.split(" | ")[1] for row in rows}
    assert all(row.count(" | ") == 8 for row in rows)


def test_the_command(tmp_path: Path) -> None:
    runner, page = CliRunner(), tmp_path / "day.html"
    done = runner.invoke(command, ["S2", "--report", str(page)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "S2  A serverless function" in done.output
    assert "NOT MET" not in done.output
    assert "Game day: passed" in page.read_text()
    body = tmp_path / "day.json"
    done = runner.invoke(command, ["S2", "--break", "vendor", "--report", str(body)])
    assert done.exit_code == 1
    found = json.loads(body.read_text())
    assert (found["passed"], found["broken"]) == (False, "vendor")
    assert "S6" in runner.invoke(command, ["list"]).output


def test_what_is_asked_wrongly_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no game day 'S9'; one of S1"):
        find("S9")
    with pytest.raises(UsageError, match="no link 'wire'"):
        run(SCENARIOS["S2"], judging, broken="wire")
    (tmp_path / "s2").mkdir()
    (tmp_path / "s2" / "mine").touch()
    with pytest.raises(UsageError, match="not empty"):
        run(SCENARIOS["S2"], judging, keep=tmp_path)
    with pytest.raises(UsageError, match=r"seed 2: nobody .* fits"):
        run(SCENARIOS["S5"], judging, seed=2)
    assert CliRunner().invoke(command, ["S2", "--report", "x.pdf"]).exit_code == 2
    assert tuple(LINKS) == OFFERED
