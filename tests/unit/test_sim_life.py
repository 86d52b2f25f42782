"""What people and machines of the simulated organisation do, by kind of habit."""

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord
from quivive.sim import code, leave, organisation
from quivive.sim.action import Action, CodeAction, DirectoryChange, Outcome, SignIn
from quivive.sim.attacks import attacks
from quivive.sim.build import ordinary, simulate
from quivive.sim.holidays import holiday
from quivive.sim.organisation import Organisation
from quivive.sim.staging import stage
from quivive.sim.writing import VENDORS
from quivive.sources.entra import SOURCE


@pytest.fixture(scope="module")
def org() -> Organisation:
    return organisation.build(11, 160, 16, 40)


@pytest.fixture(scope="module")
def usual(org: Organisation) -> list[Action]:
    return ordinary(org)


@pytest.mark.parametrize(
    ("country", "day"),
    [
        ("US", "2026-01-19"),
        ("US", "2026-11-26"),
        ("CA", "2026-02-16"),
        ("GB", "2026-05-25"),
        ("DE", "2026-04-03"),
        ("DE", "2026-05-14"),
        ("FR", "2027-03-29"),
        ("GR", "2026-02-23"),
        ("GR", "2026-04-13"),
        ("BR", "2026-02-17"),
        ("CN", "2026-02-18"),
        ("JP", "2026-02-11"),
        ("IN", "2026-03-04"),
    ],
)
def test_public_holidays_are_where_they_are_kept(country: str, day: str) -> None:
    assert holiday(country, date.fromisoformat(day))


def test_an_ordinary_day_is_a_holiday_nowhere() -> None:
    countries = {person.home.country for person in organisation.build(2, 300, 0, 30).people}
    assert not [c for c in countries if holiday(c, date(2026, 3, 12))]


def test_more_are_away_in_summer(org: Organisation) -> None:
    def away(first: date) -> int:
        total = 0
        for person in org.people[:150]:
            person.absences = []
            leave.plan(org.rng("test", person.short), person, first, 28)
            days = [first + timedelta(days=n) for n in range(28)]
            total += sum(person.absent(day) for day in days)
        return total

    kept = [person.absences for person in org.people]
    winter, summer = away(date(2026, 2, 2)), away(date(2026, 7, 6))
    for person, absences in zip(org.people, kept, strict=True):
        person.absences = absences
    assert summer > 2.5 * winter > 0


def test_those_on_leave_do_not_work(org: Organisation, usual: list[Action]) -> None:
    away = {p.email: p for p in org.people if p.absences and not p.trips}
    seen = [
        action
        for action in usual
        if isinstance(action, SignIn)
        and action.outcome is Outcome.SUCCESS
        and action.interactive
        and action.identity in away
        and away[action.identity].absent(away[action.identity].home.day(action.time))
    ]
    assert len(away) > 20
    # Who works at night is on leave from the evening on.
    assert len({action.identity for action in seen}) <= 0.1 * len(away)


def test_some_at_home_come_out_of_the_office(org: Organisation, usual: list[Action]) -> None:
    tunnelled = {p.email for p in org.people if p.tunnel}
    exits = {spot.ip for p in org.people for spot in p.tunnels}
    used = {a.identity for a in usual if a.spot.ip in exits}
    assert len(exits) == 2
    assert used
    assert used <= tunnelled


def test_phones_of_leavers_knock_in_vain(org: Organisation, usual: list[Action]) -> None:
    left = [a for a in usual if a.outcome is Outcome.DISABLED]
    by = {p.email: p for p in org.people}
    assert left
    assert all(by[a.identity].home.midnight(by[a.identity].leaves) <= a.time for a in left)


def test_hosted_jobs_come_from_anywhere_and_own_runners_from_one_place(
    org: Organisation, usual: list[Action]
) -> None:
    fetched = [a for a in usual if isinstance(a, CodeAction) and a.identity.startswith("repo:")]
    for repo in org.code.repos:
        runs = [a for a in fetched if a.identity == repo.workflow and a.token]
        places = {a.spot.ip for a in runs}
        if len(repo.runners) == 1 and not repo.runners[0][1].name:
            assert len(places) > len(runs) * 0.8
        else:
            own = [runner.spot.ip for _, runner in repo.runners if runner.spot]
            assert set(own) & places


def test_logins_to_the_code_host_are_answered_there(usual: list[Action]) -> None:
    answers = Counter(
        a.identity for a in usual if isinstance(a, CodeAction) and a.operation == "org.sso_response"
    )
    logins = Counter(
        a.identity
        for a in usual
        if isinstance(a, SignIn)
        and a.app.name == "GitHub Enterprise Cloud"
        and a.outcome is Outcome.SUCCESS
        and a.interactive
    )
    assert answers
    assert all(logins[identity] == count for identity, count in answers.items())


def test_tokens_are_renewed(org: Organisation) -> None:
    coders = org.code.coders.values()
    renewed = [coder for coder in coders if len(coder.tokens) > 1]
    assert len(renewed) > len(coders) * 0.15
    for coder in renewed:
        (_, old), (since, new) = coder.tokens[:2]
        assert coder.token(since - 1) == old
        assert coder.token(since + 1) == new
    assert {t.kind for coder in coders for _, t in coder.tokens} == {
        code.SSH_KEY, code.OAUTH, code.PERSONAL
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "activity"),
    [("helpdesk_reset", {"Password Reset", "Factor Reset", "Factor Enroll"}),
     ("self_service_reset", {"Password Reset"})],
)  # fmt: skip
def test_resets_show_in_the_directory(kind: str, activity: set[str], tmp_path: Path) -> None:
    simulate(tmp_path, seed=2, people=60, days=26, incidents=1, kinds=[kind], vendors=("entra",))
    labels = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    lines = (tmp_path / "entra_audits.jsonl").read_text().splitlines()
    found = set()
    for label in labels:
        if label["log"] == "entra_audits.jsonl":
            fields = json.loads(lines[label["sequence"] - 1])
            event = SOURCE.parse(RawRecord(log="x", sequence=1, line=1, body=b"", fields=fields))
            assert isinstance(event, AuthEvent)
            assert event.user.name == label["identity"]
            found.add(event.activity_name)
    assert found == activity


def test_ordinary_life_changes_passwords_and_factors(usual: list[Action]) -> None:
    changes = [a for a in usual if isinstance(a, DirectoryChange)]
    kinds = Counter(change.operation for change in changes)
    assert len(kinds) >= 4
    assert any(change.by for change in changes)


def test_a_small_organisation_is_small_and_varied(tmp_path: Path) -> None:
    """The size that regression bars are measured at."""
    summary = simulate(tmp_path, seed=4, people=80, services=8, days=40, incidents=14)
    assert 9_000 < sum(summary.records.values()) < 13_500
    assert len(summary.incidents) == 14
    assert len({incident.kind for incident in summary.incidents}) >= 11
    assert all(summary.records.values())


def test_every_code_attack_is_of_another_identity(org: Organisation, usual: list[Action]) -> None:
    kinds = [name for name, attack in attacks().items() if attack.logs == ("github",)]
    assert len(kinds) >= 5
    _, incidents = stage(org, usual, 8, kinds, VENDORS)
    assert {i.kind for i in incidents} == set(kinds)
    assert len({i.identity for i in incidents}) == len(incidents)


def test_another_first_day(tmp_path: Path) -> None:
    day = date(2026, 7, 6)
    simulate(tmp_path, seed=1, people=10, services=1, days=3, incidents=0, first=day,
             vendors=("entra",))  # fmt: skip
    head = json.loads((tmp_path / "entra.jsonl").read_text().splitlines()[0])
    assert head["createdDateTime"].startswith(("2026-07-06", "2026-07-07"))
