"""Which of a red team's logins stand out among a laboratory's, at so many alerts a day?

On the data of Kent (``lanl_data.py``): everything before the end of the eighth day is only
learned, everything after it is judged in order of time, each login by what came before. The
labels, the red team's logins, are matched on time, user, source and destination computer, and
nothing that is learned ever sees them. What is not labelled counts as ordinary, which it need not
be: precision is a lower bound.

What differs from papers on these data: users are a hashed sample (those of the red team all in it),
which makes the red team commoner among them than it was; logins, not days or users, are ranked; and
reading stops with the day of the red team's last login.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from quivive.learn.protocols.lanl_data import (
    NO_LOGINS,
    SECONDS_A_DAY,
    AuthLines,
    Line,
    RedTeam,
    event_of,
    red_team,
)
from quivive.learn.protocols.ranking import Ranking, area_under_curve
from quivive.learn.protocols.reading import Advance, check_share, sampled, silent
from quivive.learn.protocols.result import Cell, Curve, Judgement, ProtocolError, Result, Table
from quivive.model.event import AuthEvent

LEARNING_DAYS = 8
BUDGETS = (0.0001, 0.0005, 0.001, 0.005, 0.01)

Judge = Callable[[Iterable[AuthEvent]], Iterator[Judgement | None]]
Pair = tuple[str, str | None]


class _Found:
    """What the judged part of the log came to."""

    def __init__(self) -> None:
        self.risks = Ranking()
        self.scores = Ranking()
        self.labelled: dict[RedTeam, Judgement] = {}
        self.labelled_scores: list[float] = []
        self.pairs: dict[Pair, float] = {}
        self.red_pairs: set[Pair] = set()
        self.last_time = 0

    def add(self, line: Line, judgement: Judgement, label: RedTeam | None) -> None:
        self.last_time = max(self.last_time, line.time)
        self.risks.add(judgement.risk)
        self.scores.add(judgement.score)
        pair = (line.user, line.target)
        self.pairs[pair] = max(judgement.risk, self.pairs.get(pair, 0.0))
        if label is not None:
            self.red_pairs.add(pair)
            self.labelled_scores.append(judgement.score)
            former = self.labelled.get(label)
            if former is None or judgement.risk > former.risk:
                self.labelled[label] = judgement


def run(
    auth: Path,
    redteam: Path,
    judge: Judge,
    users: float = 0.05,
    limit: int | None = None,
    advance: Advance = silent,
) -> Result:
    """Runs the protocol on ``auth.txt`` and ``redteam.txt``, plain or gzip.

    judge: scores events one by one in order, learning each after; None for one it leaves out.
    users: the share of users judged, by a hash of their name. limit: lines to read; None for all.
    Raises ProtocolError for files that are not the data, or end before the judged part begins.
    """
    check_share(users)
    labels = red_team(redteam)
    red_users = {label.user for label in labels}
    last = max(label.time for label in labels)
    until = (max(last, LEARNING_DAYS * SECONDS_A_DAY) // SECONDS_A_DAY + 1) * SECONDS_A_DAY
    counted: Counter[str] = Counter()
    source = AuthLines(auth, advance)
    waiting: deque[tuple[Line, RedTeam | None]] = deque()

    def events() -> Iterator[AuthEvent]:
        for values in source:
            if limit is not None and source.read > limit:
                return
            user = values[1]
            if values[7] in NO_LOGINS:
                counted["log-offs and screen locks left out"] += 1
                continue
            if user not in red_users and not sampled(user, users):
                continue
            line = source.parse(values)
            if line is None:
                continue
            if line.time >= until:
                return
            waiting.append((line, _label(line, labels)))
            yield event_of(line, source.read)

    found = _Found()
    for judgement in judge(events()):
        line, label = waiting.popleft()
        learning = line.time < LEARNING_DAYS * SECONDS_A_DAY
        counted["learned only" if learning else "judged"] += 1
        if label is not None and learning:
            counted["red-team logins in the learning part, learned like any other"] += 1
        if judgement is not None and not learning:
            found.add(line, judgement, label)
    if not found.risks.total:
        raise ProtocolError(
            f"{auth}:{source.read}: nothing after the first {LEARNING_DAYS} days, which are only"
            " learned; give more of the file"
        )
    counted["lines"] = min(source.read, limit) if limit is not None else source.read
    return _result(found, labels, counted, source, users)


def _label(line: Line, labels: frozenset[RedTeam]) -> RedTeam | None:
    label = RedTeam(line.time, line.user, line.source or "?", line.target or "?")
    return label if label in labels else None


def _result(
    found: _Found,
    labels: frozenset[RedTeam],
    counted: Counter[str],
    source: AuthLines,
    users: float,
) -> Result:
    found.risks.close()
    found.scores.close()
    total = found.risks.total
    days = max(1.0, found.last_time / SECONDS_A_DAY - LEARNING_DAYS)
    ranks = {label: found.risks.rank(judged.risk) for label, judged in found.labelled.items()}
    pair_ranks = [found.risks.rank(found.pairs[pair]) for pair in sorted(found.red_pairs, key=str)]
    rows: list[tuple[Cell, ...]] = []
    for budget in BUDGETS:
        alerts = int(total * budget)
        threshold = found.risks.threshold(alerts)
        hits = sum(rank <= alerts for rank in ranks.values())
        pairs = sum(rank <= alerts for rank in pair_ranks)
        rows.append(
            (
                f"{100 * budget:g} %",
                round(alerts / days, 2),
                round(threshold, 3) if threshold is not None else None,
                hits / len(ranks) if ranks else None,
                pairs / len(pair_ranks) if pair_ranks else None,
                hits / alerts if alerts else None,
            )
        )
    pair_risks = Ranking()
    for risk in found.pairs.values():
        pair_risks.add(risk)
    pair_risks.close()
    red_risks = [found.pairs[pair] for pair in sorted(found.red_pairs, key=str)]
    labelled = len(found.labelled_scores)
    areas: tuple[tuple[Cell, ...], ...] = (
        (
            "login",
            labelled,
            total,
            area_under_curve(found.scores, found.labelled_scores, total - labelled),
        ),
        (
            "user and destination computer",
            len(red_risks),
            len(found.pairs),
            area_under_curve(pair_risks, red_risks, len(found.pairs) - len(red_risks)),
        ),
    )
    ordered = sorted(ranks.values())
    points = tuple((rank / days, (n + 1) / len(ordered)) for n, rank in enumerate(ordered))
    tables = (
        Table(
            "Red-team logins found, by alert budget",
            (
                "budget",
                "alerts a day (number)",
                "risk from (number)",
                "logins found",
                "user-computer pairs found",
                "precision",
            ),
            tuple(rows),
            "A budget is a share of the judged logins. A pair is found with its first login.",
        ),
        Table(
            "How well the red team ranks (AUC)",
            ("of a", "red team (number)", "all (number)", "AUC"),
            areas,
            "At so low a base rate an AUC near 1 still means many false alerts for every true one:"
            " read it beside the budgets. Logins rank by score, pairs by their highest risk.",
        ),
    )
    curve = Curve("Red-team logins found", "Quivive", "alerts a day", "share found", points)
    lines_read, learned, judged = (
        counted.pop(what) for what in ("lines", "learned only", "judged")
    )
    notes = [
        f"{source.path.name}: {lines_read} lines; {100 * users:g} % of the users, all red ones.",
        f"Days 1 to {LEARNING_DAYS}, {learned} logins, were learned only; {judged} judged after.",
        f"{len(labels)} red-team logins are labelled, {len(found.labelled)} of them were judged.",
        "What is not labelled counts as ordinary: precision is a lower bound.",
    ]
    notes.extend(f"{number} {what}." for what, number in sorted(counted.items()))
    if source.broken:
        notes.append(f"{source.broken} lines could not be read: {'; '.join(source.first_broken)}.")
    return Result("Lateral movement (LANL, red team)", tables, (curve,), tuple(notes))
