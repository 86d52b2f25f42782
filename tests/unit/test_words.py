"""Numbers with their nouns, and filters that cannot be asked, in words."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from quivive.app.asking import Question
from quivive.app.ingest import Tally
from quivive.app.weekly import Weekly
from quivive.cli.report_text import summary
from quivive.cli.shared import summarise
from quivive.cli.verdict_text import questions
from quivive.model.words import counted, shortened
from quivive.notify.channels import folded
from quivive.server.console.asking import in_words
from quivive.server.console.pages.findings import Filter
from quivive.store.database import Store
from quivive.store.verdicts import Login
from tests.contract.test_notifiers import NOTE

NOW = 1_790_000_100_000


def test_one_is_singular_and_nothing_else() -> None:
    said = [counted(n, "finding") for n in (0, 1, 2, 1_204)]
    assert said == ["0 findings", "1 finding", "2 findings", "1,204 findings"]
    assert counted(1, "identity", "identities") == "1 identity"
    assert counted(2, "identity", "identities") == "2 identities"
    assert counted(1, "login was", "logins were") == "1 login was"


def test_a_long_name_is_cut_in_the_middle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert shortened("x" * 64) == "x" * 64
    assert shortened("a" * 100 + "b" * 100) == "a" * 42 + "…" + "b" * 21
    login = Login("id-1", NOW, "a" * 200 + "@example.com", 90.0, "human", "human", "high")
    asked = [Question(login=login, at_random=False, why="the highest risk")]
    monkeypatch.setattr("quivive.cli.verdict_text.next_questions", lambda *_: asked)
    with Store(tmp_path) as store:
        first, _ = questions(store, 1, as_json=False)
        whole, *_ = questions(store, 1, as_json=True)
    assert first.endswith(f"  id-1  {'a' * 42}…{'a' * 9}@example.com")
    assert login.identity in whole


def test_one_event_is_one_event(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    tally.events["okta"] = 1
    summarise(tally)
    assert capsys.readouterr().err == "1 event, 0 skipped, 0 rejected\n"
    tally.events["okta"] = 2
    summarise(tally)
    assert capsys.readouterr().err == "2 events, 0 skipped, 0 rejected\n"


def test_one_alert_is_one_alert() -> None:
    assert folded([NOTE], "chat").title.startswith("1 alert, ")
    assert folded([NOTE, NOTE], "chat").title.startswith("2 alerts, ")


class Asked(Struct):
    days: Annotated[int, Meta(ge=1, le=366)] = 7
    choice: Literal["yes", "no"] = "no"
    open: bool = False
    text: Annotated[str, Meta(max_length=2_000)] = ""
    day: Annotated[str, Meta(pattern="^[0-9-]+$")] = ""


@pytest.mark.parametrize(
    ("kind", "field", "value", "said"),
    [
        (Filter, "min_risk", "high", "min risk: a number is wanted"),
        (Filter, "min_risk", "101", "min risk: a number of at most 100 is wanted"),
        (Filter, "min_risk", "-1", "min risk: a number of at least 0 is wanted"),
        (Filter, "kind", "<b>", "kind: '<b>' is none of the choices"),
        (Asked, "days", "x", "days: a whole number is wanted"),
        (Asked, "days", "0", "days: a whole number of at least 1 is wanted"),
        (Asked, "choice", "maybe", "choice: 'maybe' is none of the choices"),
        (Asked, "open", "maybe", "open: true or false is wanted"),
        (Asked, "text", "x" * 2_001, "text: at most 2,000 characters are read"),
        (Asked, "day", "today", "day: not written as it should be"),
    ],
)
def test_a_filter_that_cannot_be_asked(
    kind: type[Struct], field: str, value: str, said: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as failed:
        msgspec.convert({field: value}, kind, strict=False)
    assert in_words(failed.value) == said


def test_the_weekly_report_in_a_terminal_counts_right() -> None:
    one: dict[str, Any] = dict.fromkeys(Weekly.__struct_fields__)
    one |= {"since": 0, "until": 7 * 86_400_000, "findings": 1, "logins": 1, "verdicts": 1}
    one |= {"incidents": {"P1": 1}, "incidents_before": 0, "metrics": []}
    one |= {"services": []}
    lines = list(summary(Weekly(**one)))
    assert lines[1].startswith("1 finding of 1 login (")
    assert lines[1].endswith(", 1 verdict")
    assert lines[2].startswith("1 incident (1 P1)")
