"""The figures of docs/evaluation.md, from fixed seeds: ``python -m benchmarks.detection``.

Simulates organisations that nothing was tuned on, evaluates them beside the other detectors, and
writes the tables between the markers of the page, and docs/evaluation.json next to it. Text outside
the markers stays.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.poisoning import poisoning
from quivive.app.evaluate import simulated
from quivive.app.evaluation import Settings, evaluate
from quivive.app.evaluation_page import page
from quivive.app.report import hours, interval, percent, value
from quivive.learn.evaluation.bootstrap import Estimate
from quivive.learn.evaluation.metrics import AtBudget
from quivive.learn.evaluation.result import Evaluation
from quivive.sim.build import simulate

DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- generated: make bench-detection -->", "<!-- end of generated -->"
# Never tuned on: who changes the scoring tries it on other seeds.
SHAPES = {
    "seed 21": {"seed": 21},
    "seed 22": {"seed": 22},
    "seed 31, Okta": {"seed": 31, "people": 200, "services": 10, "days": 50, "incidents": 36,
                      "vendors": ("okta", "cloudtrail", "kubernetes", "sshd")},
    "seed 32, small": {"seed": 32, "people": 60, "services": 4, "days": 40, "incidents": 16},
    "seed 33, Entra alone": {"seed": 33, "people": 250, "services": 0, "days": 45, "incidents": 30,
                             "vendors": ("entra",)},
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--html", type=Path, help="write the whole report, too")
    parser.add_argument("--leave-one-out", default="organisations")
    given = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        organisations = []
        for name, shape in SHAPES.items():
            simulate(Path(folder) / name, **shape)
            organisations.append(simulated(Path(folder) / name))
        settings = Settings(jobs=given.jobs, leave_one_out=given.leave_one_out)
        found = evaluate(organisations, settings)
    patient = poisoning()
    spent = time.perf_counter() - started
    machine = (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()},"
        f" {platform.python_implementation()} {platform.python_version()}"
    )
    text = generated(found, machine) + patiently(patient)
    target = DOCS / "evaluation.md"
    target.write_text(between(target.read_text(encoding="utf-8"), text), encoding="utf-8")
    (DOCS / "evaluation.json").write_text(figures(found, machine, patient), encoding="utf-8")
    if given.html:
        given.html.write_text(page(found), encoding="utf-8")
    print(text)
    print(f"{spent:.0f} s with {given.jobs} processes; written: {target}, docs/evaluation.json")


def between(old: str, new: str) -> str:
    """The page with what lies between its markers replaced."""
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"docs/evaluation.md lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n{new}{END}{after}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; every column but the first is of numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def generated(found: Evaluation, machine: str) -> str:
    """Everything between the markers."""
    heads = [f"{100 * budget:g} %" for budget in found.budgets]
    half = found.budgets.index(0.005)
    ours = found.detectors[0]
    parts = [
        (f"`make bench-detection`, on {machine}. In brackets: 95 % of {found.resamples:,} resamples"
        " of incidents (recall) or identities (precision).\n"),
        "### The organisations\n",
        table(
            ["organisation", "logins", "judged", "incidents", "attackers' logins", *heads],
            [
                [one.name, f"{one.logins:,}", f"{one.judged:,}", str(one.incidents),
                 f"{one.attack_logins:,}",
                 *(percent(at.incident_recall.value) for at in one.detectors[0].at)]
                for one in found.organisations
            ],
        ),
        "### Incidents found, beside other detectors\n",
        table(["detector", *heads], [
            [detector.title, *(bracketed(at.incident_recall) for at in detector.at)]
            for detector in found.detectors
        ]),
        "### Quivive at each budget\n",
        table(["", *heads], [
            ["attackers' logins told", *(percent(at.event_recall) for at in ours.at)],
            ["precision", *(bracketed(at.precision) for at in ours.at)],
            ["alerts a day and organisation", *(f"{at.alerts_a_day:.1f}" for at in ours.at)],
            ["alerts on little history", *(percent(at.low_history) for at in ours.at)],
            ["median time to the first login told", *(hours(at.median_hours) for at in ours.at)],
            ["found ones told by their first login", *(percent(at.at_first_login)
             for at in ours.at)],
            ["rate realised by the controller", *(percent(at.realised_rate, 2) for at in ours.at)],
            ["incidents found so", *(percent(at.realised_recall) for at in ours.at)],
        ]),
        "### By kind of attack, at 0.5 %\n",
        table(["kind", *(detector.title for detector in found.detectors)],
              by([d.at[half] for d in found.detectors], "by_kind")),
        "### By kind of identity, at 0.5 %\n",
        table(["identity", *(detector.title for detector in found.detectors)],
              by([d.at[half] for d in found.detectors], "by_identity_kind")),
        "### By its own threshold\n",
        "".join(f"| {' | '.join(line)} |\n" for line in [
            ["", "metric", "value", "goal"], ["---", "---", "---:", "---"],
            *([m.id, m.title, value(m) if m.value is not None else m.note, m.goal or "–"]
              for m in found.metrics)]),
    ]  # fmt: skip
    if found.folds:
        parts += [
            "### Weights learned from the other organisations' verdicts\n",
            ("Incidents found with the shipped weights → with weights learned without the"
            " organisation.\n"),
            table(["organisation", "taught by", *heads], [
                [", ".join(fold.held_out), f"{fold.taught} incidents",
                 *(f"{at.shipped.found} → {at.learned.found} of {at.shipped.of}" for at in fold.at)]
                for fold in found.folds
            ]),
        ]  # fmt: skip
    return "\n".join(parts)


def patiently(found: dict[str, list[int]]) -> str:
    """What small steps before a takeover gain."""
    rows = [
        [what, f"{spared} of {of}", f"{prepared} of {of}"]
        for what, (of, prepared, spared) in found.items()
    ]
    return (
        "\n### A patient attacker\n\n"
        "Takeovers of three organisations of 160 people, judged with the nine small steps that an"
        " attacker takes before them to become usual, and without. What they gain is the"
        " difference.\n\n" + table(["found", "without the steps", "with them"], rows)
    )


def bracketed(estimate: Estimate) -> str:
    return f"{percent(estimate.value)} [{interval(estimate)}]"


def by(budgets: list[AtBudget], what: str) -> list[list[str]]:
    """A row for each kind: found of all, by each detector."""
    return [
        [
            kind.replace("_", " "),
            *(f"{getattr(at, what)[kind].found}/{getattr(at, what)[kind].of}" for at in budgets),
        ]
        for kind in getattr(budgets[0], what)
    ]


def figures(found: Evaluation, machine: str, patient: dict[str, list[int]]) -> str:
    """The result as JSON, without single logins, and without kinds organisation by organisation."""
    plain = msgspec.to_builtins(found)
    whole = {
        "command": "make bench-detection",
        "machine": machine,
        "shapes": SHAPES,
        **pruned(plain),
        "poisoning": patient,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def pruned(plain: dict) -> dict:
    for key in ("missed", "for_nothing"):
        plain.pop(key, None)
    for one in plain["organisations"]:
        one.pop("metrics", None)
        for detector in one["detectors"]:
            detector.pop("curve", None)
            for at in detector["at"]:
                for key in ("by_kind", "by_identity_kind"):
                    at.pop(key, None)
    for metric in plain["metrics"]:
        metric.pop("note", None)
    return rounded(plain)


def rounded(value: object) -> object:
    """Four decimals are more than the figures bear."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
