"""The operator's own Sigma rules: outside the score, each level with its floor under the risk."""

from collections.abc import Sequence

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.model.assessment import Evidence
from quivive.model.rule import RuleMatch
from quivive.signals.signal import Signal

# Risk at least; none for a rule that is said, and no more. See docs/adr, "Sigma rules".
FLOORS: dict[str, float | None] = {"critical": 80.0, "high": 66.0, "medium": 42.0, "low": None}
PINNED = frozenset({"sigma_critical", "sigma_high"})  # what no context silences
SAID = 3  # rules of one level that are named


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """What the matched rules of each level say, the gravest level first."""
    if not login.sigma:
        return ()
    by_level: dict[str, list[RuleMatch]] = {}
    for match in login.sigma:
        by_level.setdefault(match.level, []).append(match)
    return [
        Evidence(
            signal=f"sigma_{level}",
            weight=0.0,
            text=_said(level, by_level[level]),
            attack=tuple(dict.fromkeys(t for match in by_level[level] for t in match.attack)),
            pinned=floor,
            always=True,
        )
        for level, floor in FLOORS.items()
        if level in by_level
    ]


def _said(level: str, matches: list[RuleMatch]) -> str:
    named = []
    for match in matches[:SAID]:
        expected = f"; expected in error: {', '.join(match.falsepositives)}"
        named.append(f"{match.title} ({match.id}{expected if match.falsepositives else ''})")
    more = f", and {len(matches) - SAID} more" if len(matches) > SAID else ""
    return f"Sigma, level {level}: {', '.join(named)}{more}"


SIGNAL = Signal(
    name="sigma",
    group="around",
    title="What rules of your own say",
    tells={
        "sigma_critical": "A Sigma rule of the level critical matches the record.",
        "sigma_high": "A Sigma rule of the level high matches the record.",
        "sigma_medium": "A Sigma rule of the level medium matches the record.",
        "sigma_low": "A Sigma rule of the level low matches: said, without a floor.",
    },
    attack=("T1078",),  # what such rules are about; each says its own techniques
    evidence=evidence,
)
