"""S2: a serverless function, invoked with an identity that behaves like nobody it knows."""

from quivive.app.gamedays.day import Day, Expected, Scenario, policy_of
from quivive.app.gamedays.fakes import Fakes, Vault
from quivive.app.gamedays.path import Seen, connection
from quivive.policy.actions import HARD
from quivive.sim.gamedays import Plan

SECRET_OF = "database/rotate-role/invoice-render"  # noqa: S105  a path of Vault's


def denied(seen: Seen) -> bool:
    """What a gateway does that asks in the login's own path: 403 for anything hard in force."""
    return seen.acts and seen.decision.action in HARD


def play(day: Day) -> None:
    """Plays it."""
    rehearsal = day.rehearse(
        Plan(day.seed, 30, 26, ("cloudtrail",), (("function_identity", 12),), ends=14)
    )
    service = next(
        s for s in rehearsal.organisation.services if s.name == rehearsal.incidents[0].identity
    )
    vault = Vault()
    before, live = day.split(rehearsal.incidents[0].first - 12 * 3600)
    with day.path() as path:
        fakes = Fakes(path.clock, vault)
        rotate = dict.fromkeys((service.name, service.role), SECRET_OF)
        secret = {"file": str(path.folder / "shared.secret")}
        settings = {"url": vault.url, "token": secret, "rotate": rotate}
        path.connect(fakes, [connection("vault", settings)])
        day.report.figures["logins of history"] = path.history(before)
        day.begin(path, fakes, policy_of("S2"))
        attack = day.play(path, live)
        first = day.demand(
            path,
            fakes,
            attack,
            Expected(
                action="rotate",
                rule="gameday-s2/machine-identity-stolen",
                signals=("country", "client", "network"),
                requests=[f"POST /v1/{SECRET_OF}"],
            ),
        )
        refused = [seen for seen in attack if denied(seen)]
        day.report.check(
            "invocation denied",
            "the first call of the stranger is refused in its own path",
            f"{len(refused)} of {len(attack)} calls refused"
            + (", the first among them" if refused[:1] == attack[:1] and attack else ""),
            bool(attack) and refused[:1] == attack[:1],
        )
        own = [s for s in path.seen if not s.attack and s.identity in rotate]
        day.report.check(
            "the function goes on",
            "every call of its own is let through",
            f"{sum(not denied(s) for s in own)} of {len(own)} let through",
            bool(own) and not any(denied(s) for s in own),
        )
        day.report.check(
            "key rotated",
            "another version of the function's secret",
            f"version {vault.version(SECRET_OF)}",
            first is not None and vault.version(SECRET_OF) > 1,
        )


SCENARIO = Scenario(
    name="S2",
    title="A serverless function is invoked with an anomalous identity",
    goal="The invocation is denied where it is asked about, the key is rotated, and the function's"
    " own calls go on.",
    seed=8,
    play=play,
)
