"""What a patient attacker gains: takeovers with small steps before them, and the same without."""

import tempfile
from pathlib import Path

from quivive.app.evaluate import score_all, simulated
from quivive.learn.evaluation.counting import allowance
from quivive.learn.evaluation.labels import load_labels
from quivive.learn.evaluation.split import joined
from quivive.model.assessment import FINDING
from quivive.sim import organisation
from quivive.sim.build import ordinary
from quivive.sim.staging import stage
from quivive.sim.writing import write

SEEDS, PEOPLE, DAYS, INCIDENTS = (31, 32, 33), 160, 44, 8
BUDGETS = (0.003, 0.005, 0.01)
LEARNING_MS = 15 * 86_400_000


def poisoning(seeds: tuple[int, ...] = SEEDS) -> dict[str, list[int]]:
    """Takeovers found, by what is counted: of how many, with the steps before them, without.

    The takeover is the last thing the attacker does. It is ranked by the risk before repeats rank
    it lower, so that steps that were told do not hide it.
    """
    found: dict[str, list[int]] = {}
    for seed in seeds:
        org = organisation.build(seed, PEOPLE, 0, DAYS)
        usual = ordinary(org)
        staged, incidents = stage(org, usual, INCIDENTS, ["poisoning"], ("entra",))
        last = {action.incident: action for action in staged}
        before = [a for a in staged if a.time <= last[a.incident].time]
        for column, actions in ((1, before), (2, list(last.values()))):
            with tempfile.TemporaryDirectory() as folder:
                write(Path(folder), org, [*usual, *actions], incidents, ("entra",))
                for what, number, of in _found(Path(folder)):
                    counts = found.setdefault(what, [0, 0, 0])
                    counts[0] += of if column == 1 else 0
                    counts[column] += number
    return found


def _found(folder: Path) -> list[tuple[str, int, int]]:
    company = simulated(folder)
    rows = score_all(company).rows
    labels = joined(rows, load_labels(Path(company.labels)))
    takeovers = {label.incident: row for row, label in labels.items()}
    judged = [row for row in range(len(rows)) if rows.time[row] >= rows.time[0] + LEARNING_MS]
    risks = sorted((rows.undamped[row] for row in judged), reverse=True)
    ranked = sorted((rows.scores["quivive"][row] for row in judged), reverse=True)
    found = []
    for budget in BUDGETS:
        least = risks[allowance(len(judged), budget) - 1]
        told = sum(rows.undamped[row] >= least for row in takeovers.values())
        found.append((f"the takeover, at {100 * budget:g} %", told, len(takeovers)))
    told = sum(rows.undamped[row] >= FINDING for row in takeovers.values())
    found.append(("the takeover, as a finding", told, len(takeovers)))
    least = ranked[allowance(len(judged), 0.005) - 1]
    incidents = {label.incident for row, label in labels.items()
                 if rows.scores["quivive"][row] >= least}  # fmt: skip
    found.append(("any login of the attacker, at 0.5 %", len(incidents), len(takeovers)))
    return found


if __name__ == "__main__":
    for what, (of, prepared, spared) in poisoning().items():
        print(f"{what}: {prepared} of {of} with steps before it, {spared} without")
