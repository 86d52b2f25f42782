"""The demo: a simulated company's logs through the path of ``quivive score``, then graded.

The labels of the simulation are opened only by ``grade``, once every login is scored.
"""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from quivive.app import ingest
from quivive.app.errors import UsageError
from quivive.app.geoip import open_places
from quivive.app.output import encode_scored
from quivive.app.scoring import merged, score
from quivive.baseline.observation import Observation
from quivive.baseline.tables import DAY_MS
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.sim.demo import Story, simulate_demo, unfolding

SCORED = "scored.jsonl"
USUAL_SHARE = 0.95  # of an account's logins lie within its usual hours


class Login(Struct, frozen=True):
    """One scored login: what was seen, the verdict, and where its line stands in scored.jsonl."""

    id: str
    seen: Observation
    risk: float
    level: str
    repeated: int
    product: str
    device: str | None
    offset: int
    size: int

    @property
    def finding(self) -> bool:
        """Whether it is worth telling."""
        return self.level != "low"

    @property
    def day(self) -> int:
        """Days since 1970, UTC."""
        return self.seen.time // DAY_MS


class Run(Struct, frozen=True):
    """What was scored and what was learnt from it: of how many people (and guests) and machines."""

    scored: Path
    logins: list[Login]
    tally: ingest.Tally
    people: int
    guests: int
    machines: int

    @property
    def findings(self) -> list[Login]:
        """The findings, best first."""
        return sorted(
            (login for login in self.logins if login.finding), key=lambda f: (-f.risk, f.seen.time)
        )

    def line(self, login: Login) -> dict[str, Any]:
        """The whole line that was written for a login."""
        with self.scored.open("rb") as lines:
            lines.seek(login.offset)
            found: dict[str, Any] = msgspec.json.decode(lines.read(login.size))
        return found

    def rank(self, login: Login, among: Iterable[Login]) -> int:
        """The place of a login by risk among others, 1 being the riskiest."""
        return 1 + sum(other.risk > login.risk for other in among)


class Incident(Struct, frozen=True):
    """One simulated attack: its kind in words, whose account, and its scored logins by time."""

    name: str
    kind: str
    identity: str
    logins: list[Login]

    @property
    def findings(self) -> list[Login]:
        """Those of its logins that were told."""
        return [login for login in self.logins if login.finding]


class Takeover(Struct, frozen=True):
    """The takeover that the demo shows, as its labels tell it.

    attempts: what failed before the attacker first got in; first: that login; found: the first
    finding of the attack; before: the owner's last login before the one shown; own: all of the
    account's successful logins before ``first``.
    """

    incident: Incident
    attempts: list[Login]
    first: Login
    found: Login | None
    before: Login | None
    own: list[Login]

    @property
    def shown(self) -> Login:
        """The login to show: the finding, or what should have been one."""
        return self.found or self.first


def simulate(out: Path, seed: int, people: int, now: float | None = None) -> Story:
    """Writes the company's logs into ``out``; with ``now`` (Unix time) those of a company whose
    takeover goes on. Raises UsageError where that cannot be done.
    """
    plan = None if now is None else unfolding(now)
    try:
        return simulate_demo(out, seed=seed, people=people, plan=plan)
    except OSError as error:
        raise UsageError(f"{error.filename or out}: {error.strerror}") from None


def detect(
    out: Path, logs: Sequence[str], advance: ingest.Advance, until: float | None = None
) -> Run:
    """Scores the logs (names of files in ``out``) by event time and writes scored.jsonl; nothing
    after ``until`` (Unix time).

    Places and networks come from the demo's own address plan, and nothing that is installed
    joins in: the addresses are invented, and everyone sees the same demo.
    """
    paths = [str(out / name) for name in logs]
    enricher = Enricher(open_places([out / "places.csv", out / "networks.csv"]))
    state, tally = State(), ingest.Tally()
    target, partial = out / SCORED, out / f"{SCORED}.partial"
    logins: list[Login] = []
    offset = 0
    with partial.open("wb") as stream:
        events = merged(paths, None, tally, advance)
        if until is not None:
            end = int(until * 1000)
            events = takewhile(lambda found: found[1].time <= end, events)
        for log, scored in score(events, state, enricher):
            line = encode_scored(scored, log) + b"\n"
            stream.write(line)
            metadata, assessment = scored.event.metadata, scored.assessment
            device = scored.event.device
            logins.append(
                Login(
                    metadata.uid or f"{log}:{metadata.sequence}",
                    scored.login,
                    assessment.risk_score,
                    assessment.risk_level,
                    assessment.repeated,
                    metadata.product.name,
                    (device and (device.name or device.hostname)) or scored.login.device,
                    offset,
                    len(line),
                )
            )
            offset += len(line)
    partial.replace(target)
    kinds = [profile.kind for profile in state.profiles.values() if profile.successes]
    guests = {login.seen.identity for login in logins if login.seen.guest and login.seen.learnable}
    return Run(target, logins, tally, kinds.count("human"), len(guests), kinds.count("service"))


def grade(out: Path, run: Run) -> list[Incident]:
    """The attacks of the simulation with what was made of them, from its labels."""
    by_id = {login.id: login for login in run.logins}
    parts: dict[str, list[Login]] = {}
    for label in _lines(out / "labels.jsonl"):
        login = by_id.get(label["uid"] or f"{label['log']}:{label['sequence']}")
        if login is not None:
            parts.setdefault(label["incident"], []).append(login)
    return [
        Incident(
            incident["incident"],
            incident["kind"].replace("_", " "),
            incident["identity"],
            sorted(parts.get(incident["incident"], []), key=lambda login: login.seen.time),
        )
        for incident in _lines(out / "incidents.jsonl")
    ]


def takeover(run: Run, incidents: Iterable[Incident], story: Story) -> Takeover | None:
    """The story's takeover among the incidents; None if no login of the attacker was scored."""
    incident = next(i for i in incidents if i.identity == story.identity)
    hostile = {login.id for login in incident.logins}
    first = next((login for login in incident.logins if login.seen.outcome == "success"), None)
    if first is None:
        return None
    found = next((login for login in incident.logins if login.finding), None)
    start = first.seen.time
    own = [
        login
        for login in run.logins
        if login.seen.identity == first.seen.identity
        and login.seen.learnable
        and login.seen.time < start
        and login.id not in hostile
    ]
    return Takeover(
        incident,
        [login for login in incident.logins if login.seen.time < start],
        first,
        found,
        own[-1] if own else None,
        own,
    )


def usual_hours(logins: Iterable[Login]) -> tuple[int, int] | None:
    """The shortest stretch of the day (first and last hour, UTC) with most of the logins in it."""
    counts = [0] * 24
    for login in logins:
        counts[login.seen.hour] += 1
    needed = USUAL_SHARE * sum(counts)
    if not needed:
        return None
    for length in range(1, 25):
        for start in range(24):
            if sum(counts[(start + hour) % 24] for hour in range(length)) >= needed:
                return start, (start + length - 1) % 24
    return None


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    return map(msgspec.json.decode, path.read_bytes().splitlines())
