"""CPU time, the best of several rounds, and clocks put around functions from outside."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any


def exhaust(values: Iterable[Any]) -> None:
    """Takes everything and keeps nothing."""
    deque(values, maxlen=0)


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of this process for a piece of work."""
    started = time.process_time()
    work()
    return time.process_time() - started


class Best:
    """The least time of each named measurement, in the order first met."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def measure(self, name: str, work: Callable[[], object]) -> None:
        self.keep(name, cpu(work))

    def keep(self, name: str, seconds: float) -> None:
        self.seconds[name] = min(seconds, self.seconds.get(name, seconds))


class Watch:
    """Adds up the thread time spent in functions that are called by name, while it is open."""

    def __init__(self, stages: dict[str, tuple[Any, str]]) -> None:
        """``stages``: where each is called by name. Raises AttributeError for one that moved."""
        for owner, name in stages.values():
            getattr(owner, name)
        self.stages = stages
        self.spent: dict[str, int] = {}
        self.calls: dict[str, int] = {}

    def __enter__(self) -> "Watch":
        self.original = {key: getattr(owner, name) for key, (owner, name) in self.stages.items()}
        for key, (owner, name) in self.stages.items():
            setattr(owner, name, self.timed(key, self.original[key]))
        return self

    def __exit__(self, *_: object) -> None:
        for key, (owner, name) in self.stages.items():
            setattr(owner, name, self.original[key])

    def timed(self, key: str, function: Callable[..., Any]) -> Callable[..., Any]:
        clock, spent, calls = time.thread_time_ns, self.spent, self.calls
        spent[key] = calls[key] = 0

        def watched(*given: Any, **named: Any) -> Any:
            started = clock()
            try:
                return function(*given, **named)
            finally:
                spent[key] += clock() - started
                calls[key] += 1

        return watched

    def overhead(self) -> float:
        """Nanoseconds a call that the clock itself adds to what it measures."""
        idle = self.timed("", lambda: None)
        for _ in range(20_000):
            idle()
        return self.spent.pop("") / self.calls.pop("")

    def seconds(self) -> dict[str, float]:
        """The time of each stage without what the clock itself took."""
        cost = self.overhead()
        return {key: max(0.0, ns - cost * self.calls[key]) / 1e9 for key, ns in self.spent.items()}
