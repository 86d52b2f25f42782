"""S4: a flood of events. What a million of them cost, what is done in short, and what is lost."""

from collections.abc import Iterator
from dataclasses import replace
from time import process_time

from quivive.app.gamedays.day import Day, Events, Expected, Scenario, policy_of
from quivive.app.gamedays.fakes import Fakes, Vault
from quivive.app.gamedays.rotation import (
    FUNCTION_SECRET,
    names_of_victim,
    stolen_function,
    vault_connection,
)
from quivive.sim.action import Action, CloudCall

TIMES = 150  # how often every call of a machine is made in the flood
APART = 8.0  # seconds between them
BEFORE = 20 * 3600.0  # seconds for which it goes on until the attacker comes
SHORT_SHARE = 0.1  # of the flood that must take the short road, at the least
CORE_HOUR = 0.04  # what an hour of one core is taken to cost, in a currency of your own
BUDGET = 100.0  # CPU seconds a million events may take before the guardrail is named
AGAIN = 500  # records that are handed over twice


def flood(actions: list[Action]) -> Iterator[Action]:
    """What happens, with every machine's calls multiplied in the hours around the attack."""
    first = min(a.time for a in actions if a.incident)
    for action in actions:
        yield action
        near = first - BEFORE < action.time < first + 3600
        if near and isinstance(action, CloudCall) and not action.incident:
            for number in range(1, TIMES):
                yield replace(action, time=action.time + number * APART)


def play(day: Day) -> None:
    """Plays it."""
    rehearsal = day.rehearse(stolen_function(day.seed), flood)
    names, vault = names_of_victim(rehearsal), Vault()
    before, live = day.split(rehearsal.incidents[0].first - BEFORE)
    with day.path() as path:
        fakes = Fakes(path.clock, vault)
        path.connect(fakes, [vault_connection(path, vault, names, FUNCTION_SECRET)])
        day.report.figures["logins of history"] = path.history(before)
        day.begin(path, fakes, policy_of("S4"))
        begun = process_time()
        attack = day.play(path, live)
        spent = process_time() - begun
        day.demand(
            path,
            fakes,
            attack,
            Expected(
                action="rotate",
                rule="gameday-s4/machine-identity-stolen",
                signals=("country", "client", "network"),
                requests=[f"POST /v1/{FUNCTION_SECRET}"],
            ),
        )
        handed = len(live) - (_stolen(day, live) if day.broken == "detection" else 0)
        judged = len(path.seen)
        day.report.check(
            "nothing lost",
            "every record of the flood is judged, whatever it costs",
            f"{judged:,} of {handed:,}",
            judged == handed,
        )
        short = sum(s.short_road for s in path.seen)
        day.report.check(
            "tiers",
            f"{SHORT_SHARE:.0%} or more take the short road; no login of the attacker's does",
            f"{short / max(1, judged):.1%}, {sum(s.short_road for s in attack)} of the attacker's",
            short >= SHORT_SHARE * judged and not any(s.short_road for s in attack),
        )
        again = [path.judging.judge(log, event).what for log, event in live[:AGAIN]]
        asked = len(fakes.asked)
        path.wait(0)
        day.report.check(
            "duplicates",
            "records that come twice are known, and nobody is asked again",
            f"{again.count('known')} of {len(again)} known, {len(fakes.asked) - asked} requests",
            again.count("known") == len(again) and len(fakes.asked) == asked,
        )
    _cost(day, judged, spent)


def _stolen(day: Day, live: Events) -> int:
    return sum(bool(day.attack_of(log, event)) for log, event in live)


def _cost(day: Day, judged: int, spent: float) -> None:
    """What this machine took, and whether the guardrail would be named."""
    million = spent / max(1, judged) * 1e6
    day.report.figures["records of the flood"] = judged
    day.report.measured |= {
        "CPU seconds a million events": million,
        f"cost of a million events at {CORE_HOUR} a core hour": million / 3600 * CORE_HOUR,
        "events a second on one core": judged / spent if spent else 0.0,
        f"share of a budget of {BUDGET:g} CPU seconds a million": million / BUDGET,
    }
    day.report.notes.append(
        "Nothing was degraded to get there: each record was judged in full, or, where the same"
        " login had been judged within the hour with nothing changed around it, by the short road."
        " A server with a budget of its own (cost_seconds) leaves out what is done beside judging,"
        " a step at a time, and says so."
        " Over HTTP a full queue answers 429 or the caller's own fallback, and says so."
    )


SCENARIO = Scenario(
    name="S4",
    title="A flood of events",
    goal="Machines call a hundred times as often for hours: the cost of a million events is shown,"
    " most take the short road, nothing is lost, and the attacker in the flood is found.",
    seed=8,
    play=play,
)
