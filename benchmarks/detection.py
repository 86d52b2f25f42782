"""Detection on a simulated organisation: recall at alert budgets, by attack kind.

``python -m benchmarks.detection FOLDER`` scores the logs that ``quivive simulate --out FOLDER``
wrote and compares the ranking with the labels kept apart from them.
"""

import json
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

BUDGETS = (0.001, 0.003, 0.005, 0.01)


def load_labels(folder: Path) -> dict[tuple[str, int], dict]:
    labels = {}
    with (folder / "labels.jsonl").open() as lines:
        for line in lines:
            label = json.loads(line)
            labels[label["log"], label["sequence"]] = label
    return labels


def score(folder: Path, geoip: bool = True):
    from quivive.app import ingest
    from quivive.app.geoip import open_places
    from quivive.app.scoring import merged
    from quivive.app.scoring import score as score_events
    from quivive.engine.state import State
    from quivive.enrich.enricher import Enricher

    logs = sorted(
        str(p)
        for p in folder.iterdir()
        if p.name.startswith(("entra", "okta", "cloudtrail", "kubernetes", "sshd"))
    )
    places = [folder / "places.csv", folder / "networks.csv"] if geoip else []
    enricher = Enricher(open_places(places) if places else None, None)
    tally = ingest.Tally()
    yield from score_events(merged(logs, None, tally, lambda _: None), State(), enricher)
    print(dict(tally.events), len(tally.skips), sum(tally.rejected.values()), tally.rejects[:3])


def report(folder: Path, geoip: bool = True) -> None:
    labels = load_labels(folder)
    incidents = {label["incident"]: label["kind"] for label in labels.values()}
    ranked = []
    started = time.perf_counter()
    for log, scored in score(folder, geoip):
        sequence = scored.event.metadata.sequence
        label = labels.get((log, sequence))
        a = scored.assessment
        ranked.append(
            (
                a.risk_score,
                label,
                scored.login.kind,
                log,
                scored.login.identity,
                [(r.signal, r.weight) for r in a.reasons],
                a.score,
                scored.event.time,
                a.low_history,
            )
        )
    spent = time.perf_counter() - started
    ranked.sort(key=lambda r: -r[0])
    total = len(ranked)
    attacks = sum(r[1] is not None for r in ranked)
    print(
        f"{total} logins, {attacks} attack logins, {len(incidents)} incidents,"
        f" {spent:.1f} s, {spent / total * 1e6:.0f} us a login"
    )
    for budget in BUDGETS:
        top = ranked[: int(total * budget)]
        hit = {r[1]["incident"] for r in top if r[1]}
        events = sum(r[1] is not None for r in top)
        classes = Counter(r[2] for r in top)
        cold = sum(r[8] for r in top) / len(top)
        print(
            f"budget {budget:.1%}: incidents {len(hit)}/{len(incidents)}"
            f" {len(hit) / len(incidents):.0%},"
            f" events {events / max(attacks, 1):.0%}, precision {events / len(top):.0%},"
            f" threshold {top[-1][0]:.1f}, {dict(classes)}, low history {cold:.0%}"
        )
    kinds = defaultdict(lambda: [0, 0, 0])
    ranks: dict[str, int] = {}
    best: dict[str, tuple] = {}
    for rank, row in enumerate(ranked):
        if row[1] is not None and row[1]["incident"] not in ranks:
            ranks[row[1]["incident"]] = rank
            best[row[1]["incident"]] = row
    for incident, kind in incidents.items():
        place = ranks.get(incident, total) / total
        kinds[kind][0] += 1
        kinds[kind][1] += place < 0.003
        kinds[kind][2] += place < 0.005
    print("\nkind: incidents, at 0.3 %, at 0.5 %")
    for kind, (n, three, five) in sorted(kinds.items()):
        print(f"  {kind:40} {n:3} {three:3} {five:3}")
    print("\nmissed at 0.5 %:")
    for incident, kind in sorted(incidents.items()):
        place = ranks.get(incident, total) / total
        if place >= 0.005:
            row = best.get(incident)
            print(
                f"  {incident} {kind} best rank {place:.2%}",
                row and (row[0], row[4], row[5], round(row[6], 1)),
            )
    print("\nfalse alerts at 0.5 % by strongest reason, log, kind:")
    strongest = Counter()
    for row in ranked[: int(total * 0.005)]:
        if row[1] is None:
            strongest[row[3], row[2], tuple(s for s, _ in row[5][:3])] += 1
    for key, n in strongest.most_common(25):
        print(f"  {n:4} {key}")
    who = Counter(row[4] for row in ranked[: int(total * 0.005)] if row[1] is None)
    print("by identity:", who.most_common(12))


if __name__ == "__main__":
    report(Path(sys.argv[1]), geoip="--no-geoip" not in sys.argv)
