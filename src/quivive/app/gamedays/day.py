"""One game day being played: its logs, its path, and the demands that every scenario makes."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path as Folder

import msgspec
from msgspec import Struct

from quivive.app.errors import UsageError
from quivive.app.gamedays.fakes import Asked, Fakes
from quivive.app.gamedays.path import Make, Path, Seen
from quivive.app.gamedays.report import Moment, Report
from quivive.app.geoip import open_places
from quivive.app.ingest import Tally
from quivive.app.scoring import merged
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent
from quivive.model.response import CONTAINMENT
from quivive.model.words import counted
from quivive.policy.actions import HARD
from quivive.sim.action import Action
from quivive.sim.gamedays import Plan, Rehearsal, rehearse
from quivive.store.connect import FILE

# What may be broken on purpose, to see that the report notices.
LINKS = {
    "detection": "The records of the attack never arrive.",
    "policy": "The policy stays in shadow.",
    "vendor": "Every vendor answers 500.",
    "people": "Whoever is to be told cannot be reached.",
    "audit": "A record of the audit trail is changed afterwards.",
}
DETECTED_MS = 30_000
CONTAINED_MS = 300_000

Events = list[tuple[str, AuthEvent]]


class Expected(Struct, frozen=True, kw_only=True):
    """What a scenario expects of the login that is acted upon first.

    signals: at least one of them among its reasons. requests: what the vendors are asked, in order;
    those that ask again for what was done are left out. route: page or ticket.
    """

    action: str
    rule: str
    signals: Sequence[str]
    requests: Sequence[str]
    route: str = "page"


class Scenario(Struct, frozen=True, kw_only=True):
    """A scenario of the field guide. seed: of the organisation where nobody asks for another."""

    name: str
    title: str
    goal: str
    seed: int
    play: "Callable[[Day], None]"


class Day:
    """What a scenario plays with."""

    def __init__(
        self, scenario: Scenario, folder: Folder, make: Make, seed: int, broken: str
    ) -> None:
        """``folder`` is empty; ``broken``: a link of LINKS, "" for none."""
        self.folder = folder
        self.make = make
        self.broken = broken
        self.report = Report(
            name=scenario.name,
            title=scenario.title,
            goal=scenario.goal,
            seed=seed,
            broken=broken or None,
        )
        self.seed = seed
        self.attacks: dict[str, str] = {}
        self.rehearsal: Rehearsal
        self.enricher: Enricher

    # --- before

    def rehearse(
        self, plan: Plan, change: Callable[[list[Action]], Iterable[Action]] | None = None
    ) -> Rehearsal:
        """Writes the logs. Raises UsageError where this seed has nobody to attack."""
        try:
            self.rehearsal = rehearse(self.folder / "logs", plan, change)
        except ValueError as error:
            raise UsageError(f"{self.report.name}: {error}") from None
        logs = self.folder / "logs"
        for line in (logs / "labels.jsonl").read_bytes().splitlines():
            label = msgspec.json.decode(line)
            known = label["uid"] or f"{label['log']}:{label['sequence']}"
            self.attacks[known] = label["incident"]
        self.enricher = Enricher(open_places([logs / "places.csv", logs / "networks.csv"]))
        return self.rehearsal

    def split(self, at: float) -> tuple[Events, Events]:
        """The events before and from a moment (Unix seconds), parsed from the raw logs."""
        tally = Tally()
        found = list(merged(self.rehearsal.logs, None, tally, lambda _: None))
        self.report.figures["records that could not be read"] = sum(tally.rejected.values())
        before = [(log, event) for log, event in found if event.time < at * 1000]
        return before, found[len(before) :]

    @contextlib.contextmanager
    def path(self, name: str = "organisation") -> Iterator[Path]:
        """A path whose store lies in a folder of the day's."""
        place = self.folder / name
        place.mkdir(parents=True, exist_ok=True)
        with Path(place, self.make, self.enricher) as path:
            yield path

    # --- while it is played

    def begin(self, path: Path, fakes: Fakes, policy: str) -> None:
        """History is learned: now the policy comes into force, and links break that are to."""
        fakes.asked.clear()
        fakes.pager.messages.clear()
        path.activate(policy, enforce=self.broken != "policy")
        if self.broken == "vendor":
            fakes.unwell |= {host for host in fakes.hosts if host != fakes.pager.host}
        if self.broken == "people":
            fakes.unwell.add(fakes.pager.host)

    def play(self, path: Path, events: Events) -> list[Seen]:
        """Hands records over one by one; gives the attackers' logins."""
        found = []
        for log, event in events:
            attack = self.attack_of(log, event)
            if attack and self.broken == "detection":
                continue
            seen = path.live(log, event, attack)
            if seen is not None and attack:
                found.append(seen)
        path.wait(60_000)
        return found

    def attack_of(self, log: str, event: AuthEvent) -> str:
        """The incident that an event belongs to; "" for ordinary life. The judge never asks."""
        return self.attacks.get(event.metadata.uid or f"{log}:{event.metadata.sequence}", "")

    # --- afterwards

    def demand(
        self, path: Path, fakes: Fakes, attack: Sequence[Seen], expected: Expected
    ) -> Seen | None:
        """The demands of every scenario. Gives the login that was acted upon first."""
        report = self.report
        detected = self._detection(attack, expected)
        first = next((s for s in attack if s.acts and s.decision.action in CONTAINMENT), None)
        self._decision(attack, first, expected)
        done = self._action(fakes, first, expected)
        self._others(path)
        self._people(fakes, first or detected, expected)
        if self.broken == "audit":
            tamper(path)
        self._audit(path, first)
        self._moments(fakes, attack, first, done)
        report.figures |= {
            "logins while it was played": len(path.seen),
            "of them the attacker's": len(attack),
            "findings among ordinary logins": sum(
                s.finding for s in path.seen if not s.attack
            ),
        }  # fmt: skip
        return first

    def _detection(self, attack: Sequence[Seen], expected: Expected) -> Seen | None:
        found = next((s for s in attack if s.finding), None)
        wanted = f"a finding that says {' or '.join(expected.signals)}"
        if found is None:
            said = f"none of the attacker's {len(attack)} logins"
            self.report.check("detection", wanted, said, False)
            return None
        said = f"{found.id} of {found.identity}, risk {found.risk:.1f}: " + ", ".join(
            reason.signal for reason in found.reasons
        )
        met = bool(found.signals & set(expected.signals))
        self.report.check("detection", wanted, said, met)
        lag = found.time - attack[0].time
        self.report.check(
            "time to detect",
            "within 30 s of the attacker's first login",
            f"{lag / 1000:.0f} s",
            lag <= DETECTED_MS,
        )
        return found

    def _decision(self, attack: Sequence[Seen], first: Seen | None, expected: Expected) -> None:
        wanted = f"{expected.action} by {expected.rule}, in force"
        shown = first or max(attack, key=lambda s: s.risk, default=None)
        if shown is None:
            self.report.check("decision", wanted, "no login to decide on", False)
            return
        decision = shown.decision
        said = f"{decision.action} by {decision.rule} ({decision.mode}) on {shown.id}"
        met = (
            first is not None
            and decision.action == expected.action
            and decision.rule == expected.rule
        )
        self.report.check("decision", wanted, said, met)

    def _action(self, fakes: Fakes, first: Seen | None, expected: Expected) -> Asked | None:
        asked = fakes.changes()
        said = list(dict.fromkeys(str(a) for a in asked))
        refused = sorted({f"{a} was answered {a.status}" for a in fakes.asked if a.status >= 500})
        self.report.check(
            "action at the vendor",
            "; ".join(expected.requests),
            "; ".join(said) or "; ".join(refused) or "nothing was asked",
            said == list(expected.requests),
        )
        if first is None or not asked:
            return None
        took = asked[0].time - first.time
        self.report.check(
            "time to contain",
            "within 5 min of the login",
            f"{took / 1000:.0f} s",
            took <= CONTAINED_MS,
        )
        return asked[0]

    def _others(self, path: Path) -> None:
        hit = [s for s in path.seen if not s.attack and s.acts and s.decision.action in HARD]
        victims = {s.identity for s in path.seen if s.attack}
        names = sorted({s.identity for s in hit if s.identity not in victims})
        own = sum(s.identity in victims for s in hit)
        said = ", ".join(names) or "nobody"
        if own:
            said += f"; {counted(own, 'login')} of the owner's"
        self.report.check("nobody else", "nobody else is locked out", said, not hit)

    def _people(self, fakes: Fakes, about: Seen | None, expected: Expected) -> None:
        told = [m for m in fakes.pager.messages if about and m.get("identity") == about.identity]
        routed = [m for m in told if m["route"] == expected.route and m["about"] == "incident"]
        wanted = f"a {expected.route} that names the identity, with reasons and a runbook"
        if not routed:
            said = "; ".join(f"{m['route']}: {m['title']}" for m in told) or "nobody was told"
            self.report.check("people", wanted, said, False)
            return
        message = routed[0]
        whole = bool(message.get("reasons")) and bool(message.get("runbook"))
        said = f"{message['priority']} {message['route']}: {message['title']}"
        self.report.check("people", wanted, said, whole)

    def _audit(self, path: Path, first: Seen | None) -> None:
        verified = path.audit()
        said = f"{counted(verified.records, 'record')}, the chain whole"
        if verified.broken is not None:
            said = f"record {verified.broken.seq}: {verified.broken.what}"
        actions = path.recorded(first.id) if first is not None else []
        wanted = "the decision and the response on record, the chain whole"
        if actions:
            said += f"; of this login: {', '.join(actions)}"
        met = (
            verified.broken is None
            and any(a.startswith("decision:") for a in actions)
            and "response:done" in actions
        )
        self.report.check("audit trail", wanted, said, met)

    def _moments(
        self, fakes: Fakes, attack: Sequence[Seen], first: Seen | None, done: Asked | None
    ) -> None:
        moments = self.report.moments
        if attack:
            moments.append(Moment(time=attack[0].time, what="event", text=_said(attack[0])))
        if first is None:
            return
        took = first.seconds
        decision = f"{first.decision.action} by {first.decision.rule}, risk {first.risk:.1f}"
        moments.append(
            Moment(time=first.time, what="decided", text=decision, seconds=took["decided"])
        )
        if done is not None:
            moments.append(
                Moment(time=done.time, what="acted", text=f"{done.host}: {done}",
                       seconds=took["acted"])
            )  # fmt: skip
        for message in fakes.pager.messages:
            if message.get("identity") == first.identity:
                moments.append(
                    Moment(time=message["time"], what="told", text=message["title"],
                           seconds=took["told"])
                )  # fmt: skip
                break
        self.report.measured["seconds from record to decision"] = took["decided"]
        self.report.measured["seconds from record to containment"] = took["acted"]


def _said(seen: Seen) -> str:
    return f"{seen.identity} at {seen.product} from {seen.ip or 'nowhere known'}, {seen.outcome}"


def policy_of(name: str) -> str:
    """The policy that a scenario puts in force; they come with Quivive, to begin one's own with."""
    folder = files("quivive.app.gamedays").joinpath("policies")
    return folder.joinpath(f"{name.lower()}.yaml").read_text(encoding="utf-8")


def tamper(path: Path) -> None:
    """What somebody with the file could do: past the triggers, one record is changed."""
    with contextlib.closing(sqlite3.connect(path.folder / "state" / FILE)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 1")
        connection.commit()
