"""A month in force locks nobody out: no revocation, rotation, block or suspension of a login that
was its owner's, in a simulated organisation with travel, new phones, VPNs, holidays, machines that
move and keys that change.

Three weeks are learned first, as an organisation in shadow would. Each policy decides on the same
assessments. What attackers do is counted apart.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from quivive.app.geoip import open_places
from quivive.app.ingest import Tally
from quivive.app.policy_file import read, shipped
from quivive.app.scoring import engine, merged
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.policy.actions import HARD, STEP_UP
from quivive.policy.decider import Decider
from quivive.sim.build import simulate
from tests.conftest import DATA

LEARNING_DAYS, MONTH_DAYS = 21, 31
DAY_MS = 86_400_000
STEP_UPS = 0.001  # of benign logins of a month, at the most
POLICIES = ("shipped", "uncorroborated")


@dataclass
class Month:
    """What one policy did. ordinary and hostile: decisions by action; cases: who was locked out."""

    ordinary: Counter[str] = field(default_factory=Counter)
    hostile: Counter[str] = field(default_factory=Counter)
    cases: list[str] = field(default_factory=list)
    contained: set[str] = field(default_factory=set)  # incidents
    incidents: int = 0


def policy(name: str) -> Decider:
    found = shipped() if name == "shipped" else read(DATA / f"policies/{name}.yaml").policy()
    return Decider(found.enforced())


@cache
def months(seed: int, people: int = 60, incidents: int = 0) -> dict[str, Month]:
    """Both policies' month in one organisation."""
    with TemporaryDirectory() as folder:
        return _months(Path(folder), seed, people, incidents)


def _months(out: Path, seed: int, people: int, incidents: int) -> dict[str, Month]:
    days = LEARNING_DAYS + MONTH_DAYS
    made = simulate(out, seed=seed, people=people, days=days, incidents=incidents)
    hostile = {}
    for line in (out / "labels.jsonl").read_bytes().splitlines():
        label = msgspec.json.decode(line)
        hostile[label["uid"] or f"{label['log']}:{label['sequence']}"] = label["incident"]
    deciders = {name: policy(name) for name in POLICIES}
    found = {name: Month(incidents=len(made.incidents)) for name in POLICIES}
    judge = engine(State(), Enricher(open_places([out / "places.csv", out / "networks.csv"])))
    begin = 0
    for log, event in merged([str(out / n) for n in made.records], None, Tally(), lambda _: None):
        scored = judge.step(event)
        if scored is None:
            continue
        begin = begin or event.time
        incident = hostile.get(event.metadata.uid or f"{log}:{event.metadata.sequence}")
        for name, decider in deciders.items():
            action = decider.decide(scored.event, scored.login, scored.assessment).action
            month = found[name]
            if incident is not None:
                month.hostile[action] += 1
                month.contained |= {incident} if action in HARD else set()
            elif event.time >= begin + LEARNING_DAYS * DAY_MS:
                month.ordinary[action] += 1
                if action in HARD:
                    said = scored.assessment
                    reasons = ", ".join(reason.signal for reason in said.reasons)
                    month.cases.append(
                        f"{action} {scored.login.identity} at {event.metadata.product.name}:"
                        f" {said.undamped:.1f} ({reasons})"
                    )
    return found


# Of organisations on which nothing of the policies was chosen. In the first risk alone locks
# two identities out, as it does in about one of five.
ORDINARY = (66, 77)


@pytest.mark.parametrize("seed", ORDINARY)
def test_the_shipped_policy_locks_nobody_out(seed: int) -> None:
    month = months(seed)["shipped"]
    print(f"\nseed {seed}: {dict(month.ordinary)}")  # noqa: T201
    assert sum(month.ordinary.values()) > 6_000
    assert month.cases == []
    assert month.ordinary[STEP_UP] <= STEP_UPS * sum(month.ordinary.values())


def test_risk_and_confidence_alone_would() -> None:
    """A traveller who opens something new, a machine that moved: why more is asked for."""
    assert months(ORDINARY[0])["uncorroborated"].cases


def test_what_corroboration_costs() -> None:
    """Among attacks it contains fewer by itself; what it does not contain is asked or told."""
    found = months(142, people=60, incidents=16)
    plain, month = found["uncorroborated"], found["shipped"]
    for name, each in found.items():
        told = f"contained {len(each.contained)} of {each.incidents} incidents"
        print(f"\n{name}: {told}, {dict(each.hostile)}; {dict(each.ordinary)}")  # noqa: T201
    assert month.cases == []
    assert month.contained <= plain.contained
    assert len(month.contained) >= 1
    # Nothing that the other acts upon is let through in silence.
    assert month.hostile["allow"] == plain.hostile["allow"]
