"""An evaluation: organisations scored once, by Quivive and every other detector, then compared.

Scoring comes first and is given no labels; only ``compare`` opens them, once every score is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from quivive.app import ingest
from quivive.app.errors import UsageError
from quivive.app.geoip import open_places
from quivive.app.scoring import merged, score
from quivive.baseline.tables import DAY_MS
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.learn.detectors.detector import Detector, Seen
from quivive.learn.evaluation.counting import BUDGETS, count, operated
from quivive.learn.evaluation.labels import Labels, check_named, load_labels
from quivive.learn.evaluation.metrics import Context
from quivive.learn.evaluation.result import REVIEWED_AT, Compared
from quivive.learn.evaluation.review import for_nothing, missed
from quivive.learn.evaluation.rows import QUIVIVE, Rows, event_hash
from quivive.learn.evaluation.split import Trial, parse_split, trial
from quivive.learn.evidence import raw_of
from quivive.scoring.gathered import Gathered
from quivive.scoring.model import SHIPPED, Model
from quivive.sim.writing import EMITTERS

LABELS, PLACES = "labels.jsonl", ("places.csv", "networks.csv")


class Organisation(Struct, frozen=True):
    """What is evaluated: the logs of one organisation, and apart from them its labels."""

    name: str
    logs: list[str]
    labels: str
    geoip: list[str]


class Scores(Struct, frozen=True):
    """Every login of an organisation scored, and how many records each log has."""

    rows: Rows
    records: dict[str, int]
    rejected: int


def simulated(folder: Path) -> Organisation:
    """The organisation of a folder that ``quivive simulate`` wrote. Raises UsageError otherwise."""
    if not folder.is_dir():
        raise UsageError(
            f"{folder}: no folder; give one that `quivive simulate --out` wrote,"
            " or --labels with logs"
        )
    names = sorted({emitter.file for emitter in EMITTERS.values()})
    logs = [str(folder / name) for name in names if (folder / name).exists()]
    labels = folder / LABELS
    if not logs or not labels.exists():
        lacking = LABELS if logs else "any of " + ", ".join(names)
        raise UsageError(
            f"{folder}: lacks {lacking}; `quivive simulate --out` writes such folders, for other"
            " logs use --labels"
        )
    geoip = [str(folder / name) for name in PLACES if (folder / name).exists()]
    return Organisation(folder.resolve().name, logs, str(labels), geoip)


def score_all(
    organisation: Organisation,
    detectors: Sequence[Detector] = (),
    model: Model = SHIPPED,
    *,
    keep_evidence: bool = False,
    advance: ingest.Advance = lambda _: None,
) -> Scores:
    """Scores every login in one pass, with Quivive and day by day with the other detectors.

    There are no labels here: nothing that learns on the way can know them. ``keep_evidence`` keeps
    what was said of every login, for the learning of weights.
    """
    # Without databases named, no installed one joins in: others shall come to the same figures.
    places = (
        open_places([Path(path) for path in organisation.geoip]) if organisation.geoip else None
    )
    enricher = Enricher(places)
    rows = Rows([detector.name for detector in detectors])
    tally = ingest.Tally()
    events = merged(organisation.logs, None, tally, advance)
    # The others, and whoever learns weights, want to see the evidence of every login.
    logins = score(events, State(), enricher, model, shortens=False)
    for _, day in groupby(logins, key=lambda login: login[1].event.time // DAY_MS):
        seen = []
        for log, scored in day:
            metadata, assessment = scored.event.metadata, scored.assessment
            rows.add(log, metadata.sequence or 0, metadata.uid, scored.login, assessment)
            if keep_evidence:
                rows.keep_evidence(raw_of(scored.gathered, model.weights))
            if detectors:
                nats = _nats(scored.gathered, model.weights)
                seen.append(Seen(scored.login, nats, assessment.risk_score))
        for detector in detectors:
            rows.judged(detector.name, detector.judge(seen))
    records = tally.events + tally.rejected
    for (log, _), times in tally.skips.items():
        records[log] += times
    return Scores(rows, dict(records), sum(tally.rejected.values()))


def compare(
    organisation: Organisation,
    scores: Scores,
    titles: Iterable[tuple[str, str]],
    budgets: Sequence[float] = BUDGETS,
    test_from: str | None = None,
) -> Compared:
    """What the scores say, now that they are there, of the labels.

    titles: name and title of each detector. Raises LabelError and SplitError.
    """
    rows = scores.rows
    found = checked_labels(organisation, scores)
    tried = tested(rows, found, test_from)
    return Compared(
        organisation.name,
        sorted(scores.records),
        len(rows),
        sum(time < tried.split for time in rows.time),
        len(rows.identity_names.names),
        len({rows.identity[row] for row in range(len(rows)) if rows.service[row]}),
        scores.rejected,
        rows.time[0],
        tried.split,
        tried.end,
        Context(tried.incidents, len(tried.rows), len(tried.incident), tried.days),
        [
            count(rows, tried, name, title, budgets)
            for name, title in ((QUIVIVE, "Quivive"), *titles)
        ],
        operated(rows, tried),
        missed(rows, tried, organisation.name, REVIEWED_AT),
        for_nothing(rows, tried, organisation.name, REVIEWED_AT),
    )


def checked_labels(organisation: Organisation, scores: Scores) -> Labels:
    """The labels of an organisation, each of a record that its logs have."""
    found = load_labels(Path(organisation.labels), [Path(path) for path in organisation.logs])
    events = set(scores.rows.event)
    met = {uid: 1 for uid in found.by_uid if event_hash(uid) in events}
    check_named(found, scores.records, met)
    return found


def tested(rows: Rows, labels: Labels, test_from: str | None) -> Trial:
    """The test window, from a day or date on, or from where the first third ends."""
    split = parse_split(test_from, rows.time[0]) if test_from and len(rows) else None
    return trial(rows, labels, split)


def _nats(gathered: Gathered, factors: Mapping[str, float]) -> dict[str, float]:
    """The evidence of one login by signal, as if every weight were 1."""
    found: dict[str, float] = {}
    for weighed in gathered.weighed:
        signal = weighed.feature.signal
        found[signal] = found.get(signal, 0.0) + weighed.weight / factors.get(signal, 1.0)
    for evidence in gathered.evidence:
        signal = evidence.signal
        found[signal] = found.get(signal, 0.0) + evidence.weight / factors.get(signal, 1.0)
    return found
