"""The weekly report: its figures, as HTML that asks nobody, as PDF where something can print."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from quivive.app.bars import Column, columns
from quivive.app.errors import UsageError
from quivive.app.verdicts import Line, take
from quivive.app.weekly import WEEK, weekly
from quivive.app.weekly_metrics import DAY
from quivive.app.weekly_page import page, print_pdf
from quivive.cli.main import cli
from quivive.model.verdict import Verdict
from quivive.store import views
from quivive.store.database import Store
from tests.unit.company_state import company, run
from tests.unit.console import Page, line, put
from tests.unit.serving import NOW

MADE = 1_800_000_000_000
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return company(tmp_path_factory.mktemp("weekly"))


def test_the_figures_are_those_of_the_logins(state: Path) -> None:
    with Store(state, lasting=False) as store:
        found = weekly(store, MADE)
        lines = [json.loads(x.body) for x in views.page(store, views.Wanted(limit=9_999))]
    mine = [x for x in lines if found.since <= x["event"]["time"] < found.until]
    told = [x for x in mine if x["finding"]]
    assert found.until - found.since == WEEK
    assert (found.logins, found.findings) == (len(mine), len(told))
    metrics = {m.metric.id: m for m in found.metrics}
    assert [*metrics] == [f"M{n}" for n in range(1, 11)]
    assert metrics["M1"].metric.value == pytest.approx(len(told) / len(mine))
    assert sum(p.logins for p in found.daily) == len(lines)
    assert len({p.begin for p in found.daily}) == len(found.daily)
    machines = [x for x in mine if x["identity_kind"] == "service"]
    assert metrics["M6"].metric.value == pytest.approx(
        sum(x["finding"] for x in machines) / len(machines)
    )


def test_what_cannot_be_computed_says_why(state: Path) -> None:
    with Store(state, lasting=False) as store:
        found = {m.metric.id: m for m in weekly(store, MADE).metrics}
    for name in ("M2", "M3", "M4", "M9", "M10"):
        assert found[name].metric.value is None
        assert found[name].met is None
        assert len(found[name].metric.note) > 20
    text = run("report", "--state", str(state))
    assert found["M10"].metric.note in text


def test_verdicts_make_the_false_positive_trend(tmp_path: Path) -> None:
    put(tmp_path / "s", [line(n, f"u{n}@example.com", time=NOW - n * DAY) for n in range(14)])
    with Store(tmp_path / "s", lasting=False) as store:
        kinds = ["false_positive"] * 3 + ["true_positive"] * 11
        take(store, [Line("", Verdict(event_id=f"login-{n}", kind=kind, by="a", why="b", when=NOW))  # type: ignore[arg-type]
                     for n, kind in enumerate(kinds)])  # fmt: skip
        found = weekly(store, MADE)
    assert sum(j.verdicts for j in found.judged) == 14
    assert found.judged[-1].false_positives == 3
    metrics = {m.metric.id: m for m in found.metrics}
    assert metrics["M2"].metric.value == pytest.approx(3 / 14)
    assert metrics["M2"].met is False
    assert metrics["M9"].metric.value == pytest.approx(11 / 14)


def test_the_page_asks_nobody_and_names_nobody(tmp_path: Path) -> None:
    put(tmp_path / "s", [line(n, "ann@example.com", service=EVIL, product=EVIL) for n in range(3)])
    with Store(tmp_path / "s", lasting=False) as store:
        text = page(weekly(store, MADE))
    shown = Page(text)
    assert "<script" not in text
    assert EVIL in shown.text
    assert "default-src 'none'" in text
    assert shown.loads == []
    for secret in ("ann@example.com", "203.0.113.77", "ANNS-LAPTOP", "Ann Orange"):
        assert secret not in text


def test_an_empty_store_makes_a_report_all_the_same(tmp_path: Path) -> None:
    with Store(tmp_path / "s", lasting=False) as store:
        found = weekly(store, MADE)
    assert (found.logins, found.findings, found.daily) == (0, 0, [])
    assert "No incident" in page(found)


def test_the_command_writes_what_it_is_told(state: Path, tmp_path: Path) -> None:
    target = tmp_path / "r.html"
    run("report", "--state", str(state), "--since", "14d", "--html", str(target))
    assert "14 days" in target.read_text()
    found = json.loads(run("report", "--state", str(state), "--since", "3d", "--json"))
    assert found["until"] - found["since"] == 3 * DAY
    for wrong in ("soon", "2099-01-01", "9999d"):
        with pytest.raises(UsageError):
            run("report", "--state", str(state), "--since", wrong)


def test_without_a_browser_it_says_what_to_do(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("QUIVIVE_CHROMIUM", raising=False)
    args = ["report", "--state", str(state), "--pdf", str(tmp_path / "r.pdf")]
    said = CliRunner().invoke(cli, args).exception
    assert isinstance(said, UsageError)
    assert "apt-get install chromium" in str(said)
    assert "--html" in str(said)


def test_a_browser_prints_the_same_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = tmp_path / "chromium"
    browser.write_text(
        '#!/bin/sh\nfor a in "$@"; do case $a in --print-to-pdf=*) out=${a#*=};; file:*)'
        ' in=${a#file://};; esac; done\n(printf "%%PDF-"; cat "$in") > "$out"\n'
    )
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("QUIVIVE_CHROMIUM", str(browser))
    print_pdf("<p>hello</p>", tmp_path / "r.pdf")
    assert (tmp_path / "r.pdf").read_bytes() == b"%PDF-<p>hello</p>"
    browser.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(UsageError, match="did not print"):
        print_pdf("<p>hello</p>", tmp_path / "s.pdf")
    assert not (tmp_path / "s.pdf").exists()


def test_a_chart_escapes_and_leaves_out_what_is_not_known() -> None:
    svg = str(columns([Column("<a>", 0.2, "<t>"), Column("b", None, "x")], "<d>", goal=(0, 0.1)))
    assert svg.count('class="bar"') == 1
    assert "<a>" not in svg
    assert "&lt;t&gt;" in svg
    assert str(columns([Column("a", None, "")], "")) == ""
