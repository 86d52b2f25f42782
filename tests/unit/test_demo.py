"""The demo: the takeover is found at its first login, and what is printed says so, computed."""

import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from quivive.app import demo
from quivive.app.errors import UsageError
from quivive.cli.demo import _Plain, _span
from quivive.cli.main import cli

ROOT = Path(__file__).parents[2]
PEOPLE = 16
SEED = 7


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a small demo and what was printed."""
    out = tmp_path_factory.mktemp("demo")
    arguments = ["demo", "--out", str(out), "--people", str(PEOPLE), "--seed", str(SEED)]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return out, result.stdout


def test_again_is_the_same_and_the_catch_is_at_the_onset(
    shown: tuple[Path, str], tmp_path: Path
) -> None:
    story = demo.simulate(tmp_path, SEED, PEOPLE)
    run = demo.detect(tmp_path, list(story.summary.records), lambda _: None)
    assert run.scored.read_bytes() == (shown[0] / demo.SCORED).read_bytes()
    assert not run.tally.rejected

    incidents = demo.grade(tmp_path, run)
    catch = demo.takeover(run, incidents, story)
    assert catch is not None
    assert catch.first.seen.identity == story.identity
    assert catch.first.seen.time == int(story.first_success * 1000)
    assert catch.first.seen.country == "RO"
    assert catch.found is catch.first
    assert catch.first.level in ("medium", "high", "critical")
    day = [login for login in run.logins if login.day == catch.first.day]
    assert run.rank(catch.first, day) <= max(1, len(day) // 100)
    assert len(catch.attempts) > 10
    assert catch.before is not None
    assert catch.before.seen.country == "CA"
    assert {login.seen.country for login in catch.own} == {"CA"}
    line = run.line(catch.first)
    assert (line["id"], line["risk_level"]) == (catch.first.id, catch.first.level)
    assert sum(len(incident.logins) for incident in incidents) > 100


def test_prints_what_was_found_and_no_control_codes(shown: tuple[Path, str]) -> None:
    out, text = shown
    lines = (out / demo.SCORED).read_bytes().splitlines()
    findings = [json.loads(line) for line in lines if b'"risk_level":"low"' not in line]
    first = min(
        (f for f in findings if "country RO" in str(f["reasons"]) and "@" in f["identity"]),
        key=lambda f: f["event"]["time"],
    )
    words = " ".join(text.split())
    assert f"{len(lines):,} logins in 45 days" in words
    assert f"of {len(findings)} findings" in words
    assert f"{first['risk_score']:.0f} {first['risk_level']} {first['identity']}" in words
    assert "from the first hostile login to the finding 0 s, the same event" in words
    assert all(" ".join(reason["text"].split()) in words for reason in first["reasons"])
    assert "always Chrome on macOS" in words
    assert "reset by the administrator, 15 Jan 2026" in words
    explain = f"quivive explain {first['id']} --in {out / demo.SCORED}"
    assert explain in words

    assert "\x1b" not in text
    assert "\r" not in text
    assert all(len(line) <= 80 for line in text.splitlines() if explain not in line)
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_an_attack_of_which_nothing_was_read_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_text(
        '{"log":"entra.jsonl","sequence":1,"uid":"u1","incident":"i01"}\n'
    )
    (tmp_path / "incidents.jsonl").write_text(
        '{"incident":"i01","kind":"demo_takeover","identity":"a@b.example"}\n'
    )
    run = demo.Run(tmp_path / demo.SCORED, [], demo.ingest.Tally(), 0, 0, 0)
    incidents = demo.grade(tmp_path, run)
    assert [(i.kind, i.logins) for i in incidents] == [("demo takeover", [])]
    story = demo.Story("a@b.example", 0, 0, 0, None)  # type: ignore[arg-type]
    assert demo.takeover(run, incidents, story) is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file"):
        demo.simulate(tmp_path / "file" / "demo", SEED, PEOPLE)


def test_other_encodings_get_plainer_characters() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    _Plain(stream).write("8 Dec – 21 Jan · ×3 … → ✓  \n")
    stream.flush()
    assert raw.getvalue() == b"8 Dec - 21 Jan - x3 ... > ?\n"


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, "0 s"),
        (61_000, "61 s"),
        (180_000, "3 min"),
        (9_000_000, "2 h"),
        (13 * 86_400_000, "13 days"),
    ],
)
def test_spans_in_words(ms: int, said: str) -> None:
    assert _span(ms) == said


def test_the_readme_shows_what_the_demo_finds(tmp_path: Path) -> None:
    """With the demo's own size and seed; refresh README.md and docs/howto when scores change."""
    result = CliRunner().invoke(cli, ["demo", "--out", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0
    scored = tmp_path / demo.SCORED
    (event_id,) = re.findall(r"quivive explain (\S+) --in", " ".join(result.stdout.split()))
    asked = ["explain", event_id, "--in", str(scored)]
    explained = CliRunner().invoke(cli, asked, catch_exceptions=False).stdout
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert explained.strip() in readme
    assert explained.splitlines()[0] in (ROOT / "docs/howto/analyst.md").read_text(encoding="utf-8")
    lines = scored.read_text(encoding="utf-8").splitlines()
    line = next(json.loads(found) for found in lines if event_id in found)
    output = (ROOT / "docs/howto/developer.md").read_text(encoding="utf-8")
    assert f'"risk_score": {line["risk_score"]}, "risk_level": "{line["risk_level"]}"' in output
