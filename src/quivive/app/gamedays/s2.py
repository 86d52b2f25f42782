"""S2: a serverless function, invoked with an identity that behaves like nobody it knows."""

from quivive.app.gamedays.day import Day, Expected, Scenario, policy_of
from quivive.app.gamedays.fakes import Fakes, Vault
from quivive.app.gamedays.path import Seen
from quivive.app.gamedays.rotation import (
    FUNCTION_SECRET,
    names_of_victim,
    stolen_function,
    vault_connection,
)
from quivive.policy.actions import HARD


def denied(seen: Seen) -> bool:
    """What a gateway does that asks in the login's own path: 403 for anything hard in force."""
    return seen.acts and seen.decision.action in HARD


def play(day: Day) -> None:
    """Plays it."""
    rehearsal = day.rehearse(stolen_function(day.seed))
    names, vault = names_of_victim(rehearsal), Vault()
    before, live = day.split(rehearsal.incidents[0].first - 12 * 3600)
    with day.path() as path:
        fakes = Fakes(path.clock, vault)
        path.connect(fakes, [vault_connection(path, vault, names, FUNCTION_SECRET)])
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
                requests=[f"POST /v1/{FUNCTION_SECRET}"],
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
        own = [s for s in path.seen if not s.attack and s.identity in names]
        day.report.check(
            "the function goes on",
            "every call of its own is let through",
            f"{sum(not denied(s) for s in own)} of {len(own)} let through",
            bool(own) and not any(denied(s) for s in own),
        )
        day.report.check(
            "key rotated",
            "another version of the function's secret",
            f"version {vault.version(FUNCTION_SECRET)}",
            first is not None and vault.version(FUNCTION_SECRET) > 1,
        )


SCENARIO = Scenario(
    name="S2",
    title="A serverless function is invoked with an anomalous identity",
    goal="The invocation is denied where it is asked about, the key is rotated, and the function's"
    " own calls go on.",
    seed=8,
    play=play,
)
