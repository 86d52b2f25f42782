"""When: hour and weekend for people, hour and minute for machines."""

from functools import lru_cache
from math import cos, exp, pi

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import Feature, Signal, Spoken, spoken

ATTACK = ("T1078",)
KAPPA = 8.0  # concentration of the circular kernel over the hours of the day
SLOT_MS = 300_000
SLOTS = 12  # five-minute slots of an hour: schedules of machines
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _kernel(hour: int) -> tuple[tuple[str, float], ...]:
    near = [(hour + step) % 24 for step in range(-4, 5)]
    raw = [exp(KAPPA * (cos(2 * pi * step / 24) - 1)) for step in range(-4, 5)]
    return tuple((str(h), w / sum(raw)) for h, w in zip(near, raw, strict=True))


_KERNELS = tuple(_kernel(hour) for hour in range(24))


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """Hour of the day (UTC), smoothed; weekend for people; five-minute slot for machines."""
    if login.kind == "human":
        return _of_people(login.hour, login.weekday)
    return _of_machines(login.hour, login.time // SLOT_MS % SLOTS)


def _hour(hour: int) -> Feature:
    return Feature(
        signal="hour",
        factor="hour",
        key=str(hour),
        label=f"{hour:02d}h UTC",
        categories=24,
        attacker=1 / 24,
        attack=ATTACK,
        neighbours=_KERNELS[hour],
    )


def minutes(slot: int) -> str:
    """The minutes of a slot, first and last: "35 to 39"."""
    width = 60 // SLOTS
    return f"{slot * width:02d} to {slot * width + width - 1:02d}"


@lru_cache(24 * 7)
def _of_people(hour: int, weekday: int) -> Spoken:
    weekend = weekday >= 5
    day = Feature(
        signal="weekday",
        factor="weekend",
        key="weekend" if weekend else "weekday",
        label=f"{'weekend' if weekend else 'working day'}, here {_DAYS[weekday]} UTC",
        categories=2,
        attacker=2 / 7 if weekend else 5 / 7,
        attack=ATTACK,
    )
    return spoken(_hour(hour), day)


@lru_cache(24 * SLOTS)
def _of_machines(hour: int, slot: int) -> Spoken:
    schedule = Feature(
        signal="schedule",
        factor="slot",
        key=str(slot),
        label=f"minutes {minutes(slot)} of the hour",
        categories=SLOTS,
        attacker=1 / SLOTS,
        attack=ATTACK,
    )
    return spoken(_hour(hour), schedule)


SIGNAL = Signal(
    name="rhythm",
    group="time",
    title="When the login happens",
    tells={
        "hour": "How usual the hour of the day is, smoothed around the clock.",
        "weekday": "Weekend or not, for people.",
        "schedule": "How usual the minute of the hour is, for machines that run by a clock.",
    },
    attack=ATTACK,
    features=features,
)
