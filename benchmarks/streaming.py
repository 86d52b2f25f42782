"""A generic streaming detector, as somebody without Quivive would set one up.

Tan, Ting and Liu, "Fast Anomaly Detection for Streaming Data", IJCAI 2011, in River's
implementation, with the paper's 25 trees and windows of 250 logins; trees of River's height 8.

Its features are counted here, one login at a time, from 0 (as ever) to 1 (never seen): how rare
each thing about a login is for its identity, whether anybody showed it before, the hour, the pace,
failures just before, and the speed a journey would need.
"""

import importlib
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from math import asin, cos, log1p, radians, sin, sqrt
from typing import Any

from quivive.app.registry import signals
from quivive.baseline.observation import Observation
from quivive.learn.detectors.detector import NOT_EVALUABLE, Detector, Seen, judged

TREES, HEIGHT, WINDOW, SEED = 25, 8, 250, 0
HOUR_MS = 3_600_000
MOST_AN_HOUR, MOST_FAILURES, MOST_KMH = 100, 50, 1_000.0
LEAST_NATS, MOST_NATS = -3.0, 6.0  # what a weight of Quivive's lies between

Vector = dict[str, float]


class Counted:
    """The features of logins in order of time. Everything is kept: nothing fades."""

    def __init__(self) -> None:
        self._own: dict[str, Counter[str]] = defaultdict(Counter)
        self._all: Counter[str] = Counter()
        self._recent: dict[str, deque[int]] = defaultdict(deque)
        self._failed: dict[str, deque[int]] = defaultdict(deque)
        self._last: dict[str, tuple[int, float, float]] = {}

    def vector(self, login: Observation) -> Vector:
        """What is odd about a login; a thing the record does not say is not odd."""
        own, who = self._own[login.identity], login.identity
        found = {}
        for name, value in facts(login).items():
            total = own[name]
            known = value is not None and total
            found[name] = 1 - own[f"{name}={value}"] / total if known else 0.0
            found[f"{name}, anybody"] = (
                0.0 if value is None else 1 / (1 + self._all[f"{name}={value}"])
            )
        hours = sum(own[f"hour={(login.hour + away) % 24}"] for away in (-1, 0, 1))
        found["hour"] = 1 - hours / own["hour"] if own["hour"] else 0.0
        found["pace"] = share(recent(self._recent[who], login.time), MOST_AN_HOUR)
        found["failures"] = share(recent(self._failed[who], login.time), MOST_FAILURES)
        found["failures there"] = share(
            recent(self._failed[f"at {login.ip}"], login.time), MOST_FAILURES
        )
        found["speed"] = self._speed(login)
        return found

    def learn(self, login: Observation) -> None:
        """Counts a login that happened; of any other only that it failed."""
        who = login.identity
        if not login.learnable:
            self._failed[who].append(login.time)
            self._failed[f"at {login.ip}"].append(login.time)
            return
        own = self._own[who]
        for name, value in (*facts(login).items(), ("hour", str(login.hour))):
            if value is not None:
                own[name] += 1
                own[f"{name}={value}"] += 1
                self._all[f"{name}={value}"] += 1
        self._recent[who].append(login.time)
        if login.lat is not None and login.long is not None:
            self._last[who] = (login.time, login.lat, login.long)

    def _speed(self, login: Observation) -> float:
        before = self._last.get(login.identity)
        if before is None or login.lat is None or login.long is None:
            return 0.0
        hours = max(login.time - before[0], HOUR_MS // 60) / HOUR_MS
        return min(1.0, kilometres(before[1], before[2], login.lat, login.long) / hours / MOST_KMH)


def facts(login: Observation) -> dict[str, str | None]:
    """What is counted of a login."""
    client = login.os or login.browser or login.device
    return {
        "country": login.country,
        "operator": login.asn,
        "network": login.network,
        "client": f"{login.os}|{login.browser}" if client else None,
        "device": login.device,
        "application": login.application,
        "operation": login.operation,
        "credential": login.credential,
        "second factor": login.mfa,
    }


def recent(times: deque[int], now: int) -> int:
    """How many lie within the last hour; forgets the others."""
    while times and times[0] < now - HOUR_MS:
        times.popleft()
    return len(times)


def share(count: int, most: int) -> float:
    """A count as 0 to 1, by its logarithm."""
    return min(1.0, log1p(count) / log1p(most))


def kilometres(lat: float, long: float, to_lat: float, to_long: float) -> float:
    """Along the great circle."""
    a, b = radians(lat), radians(to_lat)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(to_long - long) / 2) ** 2
    return 12_742 * asin(min(1.0, sqrt(half)))


class Grouped:
    """Quivive's own evidence as features: the nats of each group of signals, as 0 to 1."""

    def __init__(self) -> None:
        self._groups = {told: s.group for s in signals() for told in s.tells}
        self._names = sorted(set(self._groups.values()))

    def vector(self, nats: Mapping[str, float]) -> Vector:
        """One value a group, every group each time."""
        found = dict.fromkeys(self._names, 0.0)
        for signal, weight in nats.items():
            group = self._groups.get(signal)
            if group is not None:
                found[group] += weight
        width = MOST_NATS - LEAST_NATS
        return {
            name: (min(MOST_NATS, max(LEAST_NATS, value)) - LEAST_NATS) / width
            for name, value in found.items()
        }


class HalfSpaceTrees:
    """River's trees, on counted features or on Quivive's evidence."""

    def __init__(self, name: str, title: str, *, evidence: bool = False) -> None:
        self.name = name
        self.title = title
        self._counted = None if evidence else Counted()
        self._grouped = Grouped()
        self._trees: Any = None

    def judge(self, day: Sequence[Seen]) -> list[float]:
        """Score, then learn, login by login."""
        return [self._step(seen) for seen in day]

    def _step(self, seen: Seen) -> float:
        login, counted = seen.login, self._counted
        score = NOT_EVALUABLE
        if judged(login):
            values = counted.vector(login) if counted else self._grouped.vector(seen.nats)
            if self._trees is None:
                self._trees = importlib.import_module("river.anomaly").HalfSpaceTrees(
                    n_trees=TREES, height=HEIGHT, window_size=WINDOW, seed=SEED
                )
            score = self._trees.score_one(values)
            if login.learnable:
                self._trees.learn_one(values)
        if counted:
            counted.learn(login)
        return score


class OnCounted:
    """Another detector, given counted features in the place of Quivive's evidence."""

    def __init__(self, detector: Detector, name: str, title: str) -> None:
        self.name = name
        self.title = title
        self._detector = detector
        self._counted = Counted()

    def judge(self, day: Sequence[Seen]) -> list[float]:
        """Counts login by login; the detector judges the day."""
        given = []
        for seen in day:
            values = self._counted.vector(seen.login) if judged(seen.login) else {}
            self._counted.learn(seen.login)
            given.append(seen._replace(nats=values))
        return self._detector.judge(given)
