"""S5: the days of a launch. Many new guests come at once, and an attacker among them."""

import shutil

from quivive.app.gamedays.day import Day, Events, Expected, Scenario, policy_of
from quivive.app.gamedays.fakes import Directory, Fakes
from quivive.app.gamedays.path import Path, Seen, connection
from quivive.app.policies import record
from quivive.model.context import Context
from quivive.policy.actions import ALLOW
from quivive.sim.gamedays import Plan
from quivive.sim.places import DAY
from quivive.store.policies import Policies

LAUNCH, LASTS = 28, 8  # the day of it, and for how many thresholds are raised
MARGIN = 12.0
CAMPAIGN = "launch-week"


def play(day: Day) -> None:
    """Plays it: once with the campaign's context and once without, from the same state."""
    rehearsal = day.rehearse(
        Plan(
            day.seed,
            80,
            42,
            ("entra",),
            (("guest_misuse", LAUNCH + 2), ("guest_misuse", LAUNCH + LASTS + 2)),
            services=4,
            ends=LAUNCH + LASTS + 4,
        )
    )
    begin = rehearsal.organisation.begin
    opened, closed = begin + LAUNCH * DAY, begin + (LAUNCH + LASTS) * DAY
    domains = sorted(
        {
            "@" + p.email.partition("#EXT#")[0].rpartition("_")[2]
            for p in rehearsal.organisation.people
            if p.account.guest
        }
    )
    campaign = Context(
        id=CAMPAIGN, kind="campaign", reason="the launch brings many new guests",
        owner="marketing", begins=round(opened * 1000), ends=round(closed * 1000),
        identities=tuple(domains), margin=MARGIN,
    )  # fmt: skip
    before, live = day.split(opened)
    with day.path() as path:
        day.report.figures["logins of history"] = path.history(before)
    shutil.copytree(day.folder / "organisation", day.folder / "without")
    with day.path("without") as path:
        _played(day, path, live, None)
        without = path.seen
    with day.path() as path:
        fakes = _played(day, path, live, campaign)
        first = [s for s in path.seen if s.attack == "i01"]
        expected = Expected(
            action="step_up",
            rule="gameday-s5/guest-in-other-hands",
            signals=("country", "network", "application", "travel"),
            requests=["POST /v1.0/identityProtection/riskyUsers/confirmCompromised"],
        )
        day.demand(path, fakes, first, expected)
        _surge(day, path, before, without, domains, closed)
        recorded = path.recorded(CAMPAIGN)
        day.report.check(
            "context on record", "who raised the thresholds, until when", ", ".join(recorded),
            recorded == ["context:add"],
        )  # fmt: skip


def _played(day: Day, path: Path, live: Events, campaign: Context | None) -> Fakes:
    directory = Directory()
    fakes = Fakes(path.clock, directory)
    secret = {"file": str(path.folder / "shared.secret")}
    settings = {"tenant": "northfold.example", "client_id": "game-day", "client_secret": secret,
                "graph": directory.url, "login": directory.url}  # fmt: skip
    path.connect(fakes, [connection("entra", settings)])
    if campaign is not None:
        path.time = campaign.begins
        Policies(path.store).add([campaign], path.author("the launch"), record)
    day.begin(path, fakes, policy_of("S5"))
    day.play(path, live)
    return fakes


def _surge(
    day: Day,
    path: Path,
    before: Events,
    without: list[Seen],
    domains: list[str],
    closed: float,
) -> None:
    """The cohort's own logins with and without the context, and what became of the attackers."""
    ends = round(closed * 1000)

    def cohort(seen: list[Seen], *, after: bool) -> list[Seen]:
        return [
            s
            for s in seen
            if "@" + s.identity.rpartition("@")[2] in domains and (s.time >= ends) == after
        ]

    def acted(seen: list[Seen]) -> int:
        return sum(s.acts and s.decision.action != ALLOW for s in seen if not s.attack)

    during, bare = cohort(path.seen, after=False), cohort(without, after=False)
    figures = day.report.figures
    past = sum("#EXT#" in (e.user.name or "") or _of(e.user.email_addr, domains)
               for _, e in before)  # fmt: skip
    figures["the cohort's logins a day before the launch"] = round(past / LAUNCH, 1)
    figures["the cohort's logins a day in its week"] = round(len(during) / LASTS, 1)
    figures["of its own logins asked or told about, with the context"] = acted(during)
    figures["the same without it"] = acted(bare)
    day.report.check(
        "the surge is not told one by one",
        "fewer of the cohort's own logins are asked or told about than without the context",
        f"{acted(during)} with it, {acted(bare)} without, of {len(during)}",
        acted(during) < acted(bare),
    )
    inside = [s for s in during if s.attack and s.acts and s.decision.action != ALLOW]
    day.report.check(
        "an attacker inside the surge",
        "is still found while thresholds are raised",
        f"{len(inside)} logins acted upon, under {CAMPAIGN}"
        if inside and CAMPAIGN in inside[0].decision.contexts
        else f"{len(inside)} logins acted upon",
        bool(inside) and CAMPAIGN in inside[0].decision.contexts,
    )
    later, same = cohort(path.seen, after=True), cohort(without, after=True)
    under = sum(bool(s.decision.contexts) for s in later)
    differ = sum(a.decision.action != b.decision.action for a, b in zip(later, same, strict=False))
    day.report.check(
        "thresholds are back",
        "after its end no decision knows the context, and all are as if it had never been",
        f"{under} of {len(later)} decisions under it, {differ} different",
        bool(later) and len(later) == len(same) and not under and not differ,
    )
    second = [s for s in later if s.attack and s.acts and s.decision.action != ALLOW]
    day.report.check(
        "no permanent blind spot",
        "another attacker in the cohort, after the end, is found",
        f"{len(second)} logins acted upon",
        bool(second),
    )
    day.report.notes.append(
        "A takeover of an account that was opened hours before cannot be told from its owner: there"
        " is no history to differ from. Such accounts are covered by listed addresses and pinned"
        " rules alone until they have some."
    )


def _of(address: str | None, domains: list[str]) -> bool:
    return address is not None and "@" + address.rpartition("@")[2] in domains


SCENARIO = Scenario(
    name="S5",
    title="A surge on launch day",
    goal="A campaign raises the thresholds of a cohort for a week; its surge is not told singly,"
    " attackers in it still are, and afterwards all is as before.",
    seed=4,
    play=play,
)
