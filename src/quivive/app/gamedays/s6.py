"""S6: a pipeline's token on a runner outside, and deployments that must go on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from quivive.app.gamedays.day import Day, Expected, Scenario, policy_of
from quivive.app.gamedays.fakes import Fakes, Receiver, Vault
from quivive.app.gamedays.path import Path, connection
from quivive.app.gamedays.rotation import names_of_victim, vault_connection
from quivive.policy.actions import HARD
from quivive.sim.action import Action, CloudCall
from quivive.sim.gamedays import Plan

SECRET_OF = "aws/config/rotate-root"  # noqa: S105  a path of Vault's
NEW_KEY = "AKIAGAMEDAYROTATED00"
FETCHED = 300.0  # seconds after which the pipeline's own runner has fetched the new key


def with_new_key(actions: list[Action]) -> Iterator[Action]:
    """What happens, with the pipeline's own runs on the new key soon after the theft showed."""
    stolen = [a for a in actions if a.incident and isinstance(a, CloudCall)]
    since = stolen[0].time + FETCHED
    whose = stolen[0].identity
    for action in actions:
        own = action.identity == whose and not action.incident and action.time > since
        if own and isinstance(action, CloudCall) and action.principal.key.startswith("AKIA"):
            action = replace(action, principal=replace(action.principal, key=NEW_KEY))
        yield action


def play(day: Day) -> None:
    """Plays it."""
    rehearsal = day.rehearse(
        Plan(day.seed, 30, 34, ("cloudtrail",), (("ci_token_outside", 28),), ends=32), with_new_key
    )
    incident = rehearsal.incidents[0]
    vault, gate = Vault(), Receiver()
    before, live = day.split(incident.first - 12 * 3600)
    with day.path() as path:
        fakes = Fakes(path.clock, vault, gate)
        secret = {"file": str(path.folder / "shared.secret")}
        names = names_of_victim(rehearsal)
        path.connect(
            fakes,
            [
                vault_connection(path, vault, names, SECRET_OF, serves={"rotate": "rotate"}),
                # What is rotated is suspended, too: the build system takes the old key out of use.
                connection(
                    "webhook",
                    {"url": f"{gate.url}/suspend", "secret": secret},
                    name="ci-gate",
                    serves={"rotate": "disable"},
                    also=True,
                ),
            ],
        )
        day.report.figures["logins of history"] = path.history(before)
        day.begin(path, fakes, policy_of("S6"))
        attack = day.play(path, live)
        first = day.demand(
            path,
            fakes,
            attack,
            Expected(
                action="rotate",
                rule="gameday-s6/pipeline-token-outside",
                signals=("country", "network"),
                requests=[f"POST /v1/{SECRET_OF}", "POST /suspend"],
            ),
        )
        stolen = {s.credential for s in attack}
        day.report.check(
            "suspended",
            "the stolen key alone, by a signed request",
            f"{', '.join(gate.suspended) or 'none'}; {gate.forged} with a wrong signature",
            first is not None and set(gate.suspended) == stolen and not gate.forged,
        )
        _alive(day, path, gate, names, None if first is None else first.time)


def _alive(day: Day, path: Path, gate: Receiver, names: Sequence[str], since: int | None) -> None:
    """The pipeline's own runs after the rotation: with a key that is good, and let through."""
    own = [s for s in path.seen if not s.attack and s.identity in names and s.time > (since or 0)]
    dead = [s for s in own if s.credential in gate.suspended]
    stopped = [s for s in own if s.acts and s.decision.action in HARD]
    day.report.check(
        "deployments kept alive",
        "every later call of the pipeline's own runner has a good key and is let through",
        f"{len(own)} calls, {len(dead)} with the suspended key, {len(stopped)} stopped",
        since is not None and bool(own) and not dead and not stopped,
    )
    day.report.figures["calls of the pipeline's own runner afterwards"] = len(own)


SCENARIO = Scenario(
    name="S6",
    title="A pipeline's token is used on an external runner",
    goal="The token is suspended and rotated, and the pipeline's own runner goes on deploying with"
    " the new one.",
    seed=3,
    play=play,
)
