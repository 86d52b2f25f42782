"""What a user is told who mistypes: one sentence, exit code 2, before any work is done."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from quivive.app.protocol_page import cell_words, heading
from quivive.cli import main as entry

PROTOCOLS = Path(__file__).parents[1] / "data" / "protocols"
RBA = str(PROTOCOLS / "rba-dataset.csv")


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Runs the command as a shell would; returns what it says on refusing."""

    def ran(*arguments: object) -> str:
        monkeypatch.setattr("sys.argv", ["quivive", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            entry.main()
        told = capsys.readouterr()
        assert left.value.code == 2
        assert told.out == ""
        return told.err

    return ran


def test_what_is_measured_cannot_be_left_out(refused, tmp_path) -> None:
    log, labels = tmp_path / "a.log", tmp_path / "labels.jsonl"
    log.touch()
    labels.touch()
    said = refused("evaluate", "--labels", labels, "--without", "quivive", log)
    assert said == ("quivive: --without quivive: it is what is measured; name another detector\n")


def test_a_protocol_takes_no_options_that_it_would_ignore(refused) -> None:
    said = refused("evaluate", "--protocol", "rba", RBA, "--test-from", "3")
    assert said == "quivive: --test-from says nothing to --protocol rba; leave it out\n"
    assert "reads files" in refused("evaluate", "--protocol", "rba", "-")


def test_a_report_that_cannot_be_written_is_refused_before_the_work(refused, tmp_path) -> None:
    target = tmp_path / "no" / "report.html"
    assert f"quivive: {target}: " in refused("evaluate", "--protocol", "rba", RBA, "--html", target)
    # a folder in which nothing can be made, whoever asks
    unmakeable = "/proc/report.html"
    if Path("/proc").is_dir():
        said = refused("evaluate", "--protocol", "rba", RBA, "--html", unmakeable)
        assert said.startswith(f"quivive: {unmakeable}: cannot be written (")


def test_trying_whether_a_report_can_be_written_leaves_nothing(refused, tmp_path) -> None:
    target = tmp_path / "report.html"
    refused("evaluate", "--html", target, tmp_path / "nowhere")
    assert not target.exists()


@pytest.mark.parametrize("arguments", [("score",), ("normalize",), ("evaluate", "--labels", "x")])
def test_a_folder_in_place_of_a_log_is_told_as_one(refused, tmp_path, arguments) -> None:
    said = refused(*arguments, tmp_path)
    assert said == f"quivive: {tmp_path}: a folder; name the log files in it\n"


def test_an_error_of_the_system_is_no_traceback(refused, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "/data/org")

    monkeypatch.setattr("quivive.cli.simulate.simulate", full)
    assert refused("simulate", "--out", "/data/org") == (
        "quivive: /data/org: No space left on device; make room where it goes, then run it again\n"
    )


def test_a_published_table_fits_into_eighty_columns() -> None:
    done = CliRunner().invoke(
        entry.cli,
        ["evaluate", "--protocol", "rba", RBA, "--users", "100", "--limit", "150"],
        env={"COLUMNS": "80"},
    )
    assert done.exit_code == 0
    assert "interpolated" in done.output
    assert "…" not in done.output


def test_headings_and_cells_are_for_people() -> None:
    assert heading("alerts a day (number)") == "alerts a day"
    assert cell_words("AUC", 0.98983) == "0.990"
    assert cell_words("precision", 0.5) == "50.0 %"
