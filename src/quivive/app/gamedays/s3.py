"""S3: the post-mortem of a compromised administrator, and the same day again with new rules."""

import shutil

from quivive.app.gamedays.day import Day, Events, Expected, Scenario, policy_of
from quivive.app.gamedays.fakes import Directory, Fakes
from quivive.app.gamedays.path import Path, Seen, connection
from quivive.app.gamedays.postmortem import HOUR_MS, missed, timeline, written
from quivive.app.policy_file import checked_text, shipped, shipped_text
from quivive.app.preview import preview
from quivive.app.verdicts import Line, take
from quivive.model.event import AuthEvent
from quivive.model.verdict import TRUE_POSITIVE, Verdict
from quivive.policy.rules import Policy
from quivive.sim.gamedays import Plan


def play(day: Day) -> None:
    """Plays it."""
    rehearsal = day.rehearse(
        Plan(day.seed, 40, 26, ("entra", "cloudtrail"), (("compromised_admin", 24),), ends=25)
    )
    incident = rehearsal.incidents[0]
    admins = [p.email for p in rehearsal.organisation.people if p.admin]
    text = policy_of("S3").replace("privileged: []", f"privileged: {admins}".replace("'", '"'))
    rules = checked_text(text, "s3.yaml").policy()
    before, live = day.split(incident.first - 3 * 3600)
    with day.path() as path:
        day.report.figures["logins of history"] = path.history(before)
    # The night as it was, with the policy that comes with Quivive, in shadow; a copy of the
    # state from before is kept for the same night with the new rules.
    shutil.copytree(day.folder / "organisation", day.folder / "again")
    with day.path() as path:
        fakes = Fakes(path.clock)
        path.connect(fakes, [])
        path.activate(shipped_text())
        attack = [s for log, e in live if (s := _seen(day, path, log, e)) is not None and s.attack]
        path.wait(0)
        _postmortem(day, path, incident.identity, attack)
        _preview(day, path, attack, rules)
    with day.path("again") as path:
        _again(day, path, live, text)


def _seen(day: Day, path: Path, log: str, event: AuthEvent) -> Seen | None:
    attack = day.attack_of(log, event)
    if attack and day.broken == "detection":
        return None
    return path.live(log, event, attack)


def _postmortem(day: Day, path: Path, identity: str, attack: list[Seen]) -> None:
    """One timeline from many logs; what was missed; the analyst's word on it."""
    ids = [s.id for s in attack]
    if attack:
        verdicts = [
            Line("", Verdict(event_id=i, kind=TRUE_POSITIVE, by="game day", when=path.time,
                             why="found in the post-mortem of the administrator's account"))
            for i in ids
        ]  # fmt: skip
        taken = path.judging.changing(lambda store: take(store, verdicts)).taken
        said = f"{taken} of {len(ids)} taken"
        recorded = all("verdict:true_positive" in path.recorded(i) for i in ids)
        day.report.check(
            "verdicts", "each of the attacker's logins is confirmed, on record", said,
            taken == len(ids) and recorded,
        )  # fmt: skip
    last = max((s.time for s in attack), default=path.time)
    first = min((s.time for s in attack), default=path.time)
    chosen = timeline(path.store, identity, first - 24 * HOUR_MS, last + HOUR_MS)
    shown = {s.id for s in chosen} & set(ids)
    logs = sorted({s.product for s in chosen if s.id in shown})
    day.report.check(
        "one timeline",
        "all of the attacker's logins in it, from two logs or more",
        f"{len(shown)} of {len(ids)}, from {', '.join(logs) or 'no log'}",
        bool(ids) and len(shown) == len(ids) and len(logs) > 1,
    )
    gone = missed(chosen, ids)
    day.report.check(
        "what was missed",
        "what nobody was told of is named",
        f"{len(gone)} of {len(ids)} logins: "
        + "; ".join(f"{s.product}, risk {s.risk:.1f}" for s in gone),
        bool(ids) and len(gone) < len(ids),
    )
    acted = sum(s.acts for s in attack)
    facts = [
        f"The attacker's first login: {attack[0].id if attack else 'not in any log'}.",
        f"{len(ids)} logins of the attacker's, {len(ids) - len(gone)} of them told.",
        f"{acted} of them were acted upon: the policy was in shadow.",
    ]
    day.report.documents["postmortem.md"] = written(identity, chosen, ids, facts)


def _preview(day: Day, path: Path, attack: list[Seen], rules: Policy) -> None:
    """Both policies over the stored history: what the new rules would have done."""
    found = preview(path.store, rules, shipped())
    new, old = found.outcomes
    figures = day.report.figures
    for name, outcome in (("the shipped policy", old), ("the new rules", new)):
        figures[f"would be stopped by {name}"] = outcome.stopped.logins
        figures[f"of them attacks, by {name}"] = outcome.stopped.attacks
    day.report.check(
        "replay of history",
        "the new rules stop more of the attack, and nobody's own login",
        f"{old.stopped.attacks} of {len(attack)} by the shipped policy,"
        f" {new.stopped.attacks} by the new rules, {new.stopped.logins - new.stopped.attacks}"
        " other logins",
        new.stopped.attacks > old.stopped.attacks and new.stopped.logins == new.stopped.attacks,
    )


def _again(day: Day, path: Path, live: Events, text: str) -> None:
    """The same night, with the new rules in force."""
    directory = Directory()
    fakes = Fakes(path.clock, directory)
    secret = {"file": str(path.folder / "shared.secret")}
    settings = {"tenant": "northfold.example", "client_id": "game-day", "client_secret": secret,
                "graph": directory.url, "login": directory.url}  # fmt: skip
    products = ("Entra ID", "CloudTrail")
    path.connect(fakes, [connection("entra", settings, products=products)])
    day.begin(path, fakes, text)
    attack = day.play(path, live)
    wanted = _names(day, attack)
    expected = Expected(
        action="revoke",
        rule="gameday-s3/administrator-elsewhere",
        signals=("country", "network", "application"),
        requests=[f"POST /v1.0/users/{name}/revokeSignInSessions" for name in wanted],
    )
    day.demand(path, fakes, attack, expected)
    day.report.check(
        "signed out",
        "the administrator alone, in every log that shows the attacker",
        f"{', '.join(directory.signed_out) or 'nobody'}",
        bool(wanted) and set(directory.signed_out) == set(wanted),
    )


def _names(day: Day, attack: list[Seen]) -> list[str]:
    """What the directory knows the administrator by: the id in its own log, the address elsewhere;
    in the order in which the attacker's logins show them.
    """
    whose = day.rehearsal.incidents[0].identity
    person = next(p for p in day.rehearsal.organisation.people if p.email == whose)
    by_product = {"Entra ID": person.account.uid, "CloudTrail": person.email}
    logins = [s for s in attack if s.identity == whose and s.decision.action == "revoke"]
    return list(dict.fromkeys(by_product[s.product] for s in logins)) or [person.account.uid]


SCENARIO = Scenario(
    name="S3",
    title="The post-mortem of a compromised administrator",
    goal="One timeline out of many logs says what happened and what was missed; new rules are tried"
    " on history, then the same night is played again with them in force.",
    seed=8,
    play=play,
)
