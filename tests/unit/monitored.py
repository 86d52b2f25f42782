"""Weeks of logins of an invented organisation, counted by a monitor, with what may change in it."""

from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from quivive.baseline.monitor import Monitor
from quivive.baseline.observation import Observation

DAY = 86_400_000
HOUR = 3_600_000
MONDAY = 1_762_732_800_000  # 2025-11-10
Change = Callable[[Observation, Random], Observation | None]
Seen = tuple[Observation, str, dict[str, str], float]


def person(number: int, day: int, hour: int, rng: Random) -> Seen:
    """A login of a colleague of settled habits, with a little of everything else."""
    of = Random(number)
    windows = of.random() < 0.6
    own = rng.random() < 0.93
    login = Observation(
        time=MONDAY + day * DAY + hour * HOUR + rng.randrange(HOUR),
        identity=f"person-{number}",
        kind="human",
        log="signIns",
        outcome="success",
        accepted=True,
        hour=hour,
        weekday=day % 7,
        ip=f"70.24.{number}.7",
        public=True,
        country=("CA" if of.random() < 0.7 else "GB") if own else rng.choice(["FR", "US", "PT"]),
        network_kind=rng.choices(["residential", "corporate", "mobile"], [5, 4, 1])[0],
        os="Windows" if windows else "macOS",
        browser="Chrome" if of.random() < 0.8 else "Firefox",
        device=f"laptop-{number}" if rng.random() < 0.85 else None,
        session="s",
        mfa=rng.choices(["claim", "fresh", "single"], [7, 2, 1])[0],
        application="Office 365",
    )
    known = {
        "operator?": "own" if own else "new",
        "device?": "signIns/own" if login.device else "signIns/missing",
    }
    return login, "Entra ID signIns", known, rng.gauss(-4.0, 2.0) + (0.0 if own else 3.0)


def machine(number: int, day: int, hour: int, rng: Random) -> Seen:
    """A call of a service account, around the clock."""
    login = Observation(
        time=MONDAY + day * DAY + hour * HOUR + number * 60_000,
        identity=f"svc-{number}",
        kind="service",
        log="CloudTrail",
        outcome="success",
        accepted=True,
        hour=hour,
        weekday=day % 7,
        ip="10.0.0.7",
        os="Linux",
        browser="aws-cli",
        credential="AKIA",
    )
    return login, "AWS CloudTrail", {"credential?": "CloudTrail/own"}, rng.gauss(-6.0, 1.5)


def weeks(
    days: int = 42,
    seed: int = 1,
    people: int = 40,
    change: Change | None = None,
    since: int = 0,
    score: float = 0.0,
    until: float | None = None,
) -> Monitor:
    """A monitor after some days; from day ``since`` on ``change`` alters a login, or drops it
    (None), and scores are ``score`` higher. People's logins end at day ``until``.
    """
    monitor, rng = Monitor(), Random(seed)
    seen: list[Seen] = []
    for day in range(days):
        for number in range(people):
            if day % 7 < 5 and rng.random() < 0.9:
                start = 8 + number % 4
                hours = [h for h in range(start, start + 8) if rng.random() < 0.35]
            else:
                hours = [rng.randrange(8, 22)] if rng.random() < 0.08 else []
            seen += [person(number, day, hour, rng) for hour in hours]
        for hour in range(24):
            seen += [machine(n, day, hour, rng) for n in range(4) if (hour + n) % 3 == 0]
    seen.sort(key=lambda s: s[0].time)
    for login, source, known, nats in seen:
        after = login.time - MONDAY >= since * DAY
        if until is not None and login.kind == "human" and login.time - MONDAY >= until * DAY:
            continue
        if change is not None and after:
            changed = change(login, rng)
            if changed is None:
                continue
            login = changed
        monitor.note(login, source, "uid", known.items(), nats + score * after)
    return monitor


def some(share: float, kind: str = "human", **changes: object) -> Change:
    """Changes that share of the logins of a kind."""

    def change(login: Observation, rng: Random) -> Observation:
        hit = login.kind == kind and rng.random() < share
        return replace(login, **changes) if hit else login

    return change
