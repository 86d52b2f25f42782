"""Two models on the same logins: what the second would change for the people who read findings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

DAY_MS = 86_400_000
INCIDENT_GAP = 7 * DAY_MS
EXAMPLES = 5
CLOSEST = 10  # the first so many findings of each, to tell how much the top of the list moves

TRUE, BENIGN, FALSE = "true_positive", "benign_true_positive", "false_positive"


class Compared(Struct, frozen=True, gc=False):
    """One login as two models see it.

    kind: "human" or "service"; source: the log's product; before and after: the risk (0-100) each
    gives, with whether that is a finding; reason: the strongest signal.
    """

    id: str
    time: int
    identity: str
    kind: str
    source: str
    before: float
    after: float
    found_before: bool
    found_after: bool
    low_history: bool = False
    reason: str = ""


class Label(Struct, frozen=True):
    """An analyst's verdict on a login, and the incident a confirmed attack belongs to."""

    verdict: str
    incident: str = ""


class Rate(Struct, frozen=True):
    """Findings of a kind of identity: what the budget allows (a share of logins), and what each
    model tells. Logins of confirmed incidents are no load and count in neither.
    """

    kind: str
    logins: int
    budget: float
    before: int
    after: int


class Example(Struct, frozen=True):
    """A finding that one model tells and the other does not."""

    id: str
    time: int
    identity: str
    before: float
    after: float
    reason: str


class Changed(Struct, frozen=True):
    """Findings on one side only: how many of each kind of identity and source, and some of them."""

    findings: int
    by_kind: dict[str, int]
    by_source: dict[str, int]
    examples: tuple[Example, ...]


class Incidents(Struct, frozen=True):
    """Confirmed incidents, an incident being found when one of its logins is.

    p: two-sided exact sign test of the incidents found by one model alone.
    """

    confirmed: int
    before: int
    after: int
    lost: tuple[str, ...]
    gained: tuple[str, ...]
    p: float


class Precision(Struct, frozen=True):
    """Findings with a verdict: how many, and how many of them were attacks.

    fixed: false positives that only the first tells; broken: those only the second tells; p: their
    two-sided exact sign test.
    """

    judged_before: int
    right_before: int
    judged_after: int
    right_after: int
    fixed: int
    broken: int
    p: float


class Comparison(Struct, frozen=True):
    """What changes from one model to another on the same logins.

    first and last: event time, ms UTC. incidents: as told; at_budget: if each model told as many
    logins of each kind of identity as the budget allows, whatever its threshold. kept: of the
    first ten findings of the one, how many are among the first ten of the other. cold_before and
    cold_after: the share of findings on identities with little history.
    """

    logins: int
    first: int
    last: int
    rates: tuple[Rate, ...]
    appeared: Changed
    disappeared: Changed
    incidents: Incidents
    at_budget: Incidents
    precision: Precision
    kept: int
    cold_before: float
    cold_after: float

    @property
    def days(self) -> float:
        """How long the compared logins last."""
        return (self.last - self.first) / DAY_MS


def labels_of(
    logins: Iterable[tuple[str, int, str]], verdicts: Mapping[str, str]
) -> dict[str, Label]:
    """The labels of logins (id, time, identity) that have a verdict.

    Confirmed logins of one identity that follow each other within a week are one incident.
    """
    found: dict[str, Label] = {}
    latest: dict[str, tuple[int, str]] = {}
    for event_id, time, identity in sorted(logins, key=lambda login: (login[1], login[0])):
        verdict = verdicts.get(event_id)
        if verdict is None:
            continue
        incident = ""
        if verdict == TRUE:
            last, incident = latest.get(identity, (-INCIDENT_GAP - 1, ""))
            if time - last > INCIDENT_GAP:
                incident = f"{identity} {_day(time)}"
            latest[identity] = (time, incident)
        found[event_id] = Label(verdict, incident)
    return found


def _day(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).date().isoformat()


def compare(
    rows: Sequence[Compared],
    labels: Mapping[str, Label],
    budgets: Mapping[str, float],
    since: int = 0,
) -> Comparison:
    """Compares two models. ``budgets`` has the share (0-1) of logins that may be told, by kind.

    Rates count from ``since`` (ms UTC) on: before, too little was known for them to mean much.
    """
    times = [row.time for row in rows]
    return Comparison(
        logins=len(rows),
        first=min(times, default=0),
        last=max(times, default=0),
        rates=tuple(
            _rate(kind, (r for r in rows if r.time >= since), labels, budgets[kind])
            for kind in sorted(budgets)
        ),
        appeared=_changed([r for r in rows if r.found_after and not r.found_before]),
        disappeared=_changed([r for r in rows if r.found_before and not r.found_after]),
        incidents=incidents(rows, labels),
        at_budget=incidents(_at_budget(rows, budgets), labels),
        precision=precision(rows, labels),
        kept=_kept(rows),
        cold_before=_share([r.low_history for r in rows if r.found_before]),
        cold_after=_share([r.low_history for r in rows if r.found_after]),
    )


def _at_budget(rows: Sequence[Compared], budgets: Mapping[str, float]) -> Iterator[Compared]:
    """The logins with as many findings by risk as the budget of their kind of identity allows."""
    for kind, share in budgets.items():
        mine = [row for row in rows if row.kind == kind]
        allowed = int(share * len(mine))
        top = [
            {row.id for row in sorted(mine, key=by)[:allowed]}
            for by in (lambda r: (-r.before, r.id), lambda r: (-r.after, r.id))
        ]
        for row in mine:
            yield replace(row, found_before=row.id in top[0], found_after=row.id in top[1])


def incidents(rows: Iterable[Compared], labels: Mapping[str, Label]) -> Incidents:
    """Which confirmed incidents each model finds."""
    confirmed: dict[str, tuple[bool, bool]] = {}
    for row in rows:
        label = labels.get(row.id)
        if label is not None and label.verdict == TRUE:
            before, after = confirmed.get(label.incident, (False, False))
            confirmed[label.incident] = (before or row.found_before, after or row.found_after)
    lost = tuple(name for name, (before, after) in confirmed.items() if before and not after)
    gained = tuple(name for name, (before, after) in confirmed.items() if after and not before)
    return Incidents(
        confirmed=len(confirmed),
        before=sum(before for before, _ in confirmed.values()),
        after=sum(after for _, after in confirmed.values()),
        lost=lost,
        gained=gained,
        p=sign_test(len(gained), len(lost)),
    )


def precision(rows: Iterable[Compared], labels: Mapping[str, Label]) -> Precision:
    """How often a finding with a verdict is an attack."""
    count: Counter[str] = Counter()
    for row in rows:
        label = labels.get(row.id)
        if label is None:
            continue
        right = label.verdict == TRUE
        count["judged_before"] += row.found_before
        count["right_before"] += row.found_before and right
        count["judged_after"] += row.found_after
        count["right_after"] += row.found_after and right
        if not right:
            count["fixed"] += row.found_before and not row.found_after
            count["broken"] += row.found_after and not row.found_before
    names = ("judged_before", "right_before", "judged_after", "right_after", "fixed", "broken")
    found = {name: count[name] for name in names}
    return Precision(**found, p=sign_test(found["fixed"], found["broken"]))


def sign_test(wins: int, losses: int) -> float:
    """The two-sided exact sign test (binomial, one half): 1 where nothing differs."""
    trials = wins + losses
    ways = tail = 1
    for k in range(min(wins, losses)):
        ways = ways * (trials - k) // (k + 1)
        tail += ways
    return min(1.0, 2 * tail / (1 << trials))


def _rate(kind: str, rows: Iterable[Compared], labels: Mapping[str, Label], budget: float) -> Rate:
    logins = before = after = 0
    for row in rows:
        if row.kind != kind:
            continue
        logins += 1
        if row.found_before or row.found_after:
            label = labels.get(row.id)
            if label is None or label.verdict != TRUE:
                before += row.found_before
                after += row.found_after
    return Rate(kind, logins, budget, before, after)


def _changed(rows: Sequence[Compared]) -> Changed:
    largest = sorted(rows, key=lambda row: (-abs(row.after - row.before), row.id))
    return Changed(
        findings=len(rows),
        by_kind=dict(sorted(Counter(row.kind for row in rows).items())),
        by_source=dict(sorted(Counter(row.source for row in rows).items())),
        examples=tuple(
            Example(r.id, r.time, r.identity, round(r.before, 1), round(r.after, 1), r.reason)
            for r in largest[:EXAMPLES]
        ),
    )


def _kept(rows: Sequence[Compared]) -> int:
    before = sorted(rows, key=lambda row: (-row.before, row.id))[:CLOSEST]
    after = sorted(rows, key=lambda row: (-row.after, row.id))[:CLOSEST]
    return len({row.id for row in before} & {row.id for row in after})


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0
