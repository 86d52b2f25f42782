"""How often must people authenticate again, if so many takeovers are to be stopped?

The question of Wiefling et al., "Pump Up Password Security!", TOPS 2022, on the data that they
published (``rba_data.py``), with their attackers (``rba_attackers.py``). Each contender scores
every legitimate login before learning it, and for some of them what each attacker's login to the
same account at the same moment would have scored, which it does not learn. For a share of attacks
to be stopped (the true positive rate) there is a threshold; the share of legitimate logins at or
above it is the re-authentication rate.

What differs from the paper: users are a hashed sample, in bounded memory; rates are means over
logins, not medians of users. A user's first login is not counted, as there; successes from flagged
addresses and labelled takeovers are never learned.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from quivive.learn.detectors.freeman_model import InterpolatedFreeman
from quivive.learn.protocols.rates import at_rate, reauthentication
from quivive.learn.protocols.rba_attackers import ATTACKERS, Pool
from quivive.learn.protocols.rba_data import Login, Rows, taken_over
from quivive.learn.protocols.reading import Advance, check_share, sampled, silent
from quivive.learn.protocols.result import Cell, Curve, ProtocolError, Result, Table

# Lengths of history at which every user is attacked once by each attacker.
ATTACKED_AT = frozenset((1, 2, 3, 5, 8, 13, 20, 30, 39, 60, 100))
HISTORIES = ((1, 1), (2, 2), (3, 4), (5, 9), (10, 19), (20, 39), (40, None))
TAKEOVER = "takeovers (labelled)"
LEGITIMATE = "legitimate"
RATES = (0.8, 0.9, 0.95, 0.98, 0.995, 0.999)
TOLD_RATE = 0.98
CURVE_RATES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
FEWEST_ATTACKS = 20
POOL_EVERY = 4


class Contender(Protocol):
    """A method that gives logins a score: higher for one that should be asked again."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def take(self, login: Login) -> float:
        """The score of the next login, which is then learned."""

    def probe(self, login: Login) -> float:
        """The score the login would have now; nothing is learned."""


class FreemanContender:
    """Freeman et al.'s model on the features the paper used; learns successful logins only."""

    def __init__(self, name: str, model: InterpolatedFreeman) -> None:
        """``model``: with an address feature of 3 levels and a client feature of 4."""
        self.name = name
        self._model = model

    def take(self, login: Login) -> float:
        """Scores, then learns where it succeeded."""
        features = self._features(login)
        score = self._model.risk(login.user, features)
        if login.success:
            self._model.learn(login.user, features)
        return score

    def probe(self, login: Login) -> float:
        """Scores only."""
        return self._model.risk(login.user, self._features(login))

    def _features(self, login: Login) -> tuple[tuple[str | None, ...], ...]:
        return (
            (login.ip, login.asn, login.country),
            (login.agent, login.browser, login.os, login.device),
        )


class _User(NamedTuple):
    """How many legitimate logins of a user were learned, and the last of them."""

    history: int
    last: Login


class _Scores:
    """One contender's scores, of legitimate logins and of each attacker, by length of history."""

    def __init__(self) -> None:
        self._scores: dict[tuple[str, int], array[float]] = defaultdict(lambda: array("d"))

    def add(self, whose: str, history: int, score: float) -> None:
        self._scores[whose, _bucket(history)].append(score)

    def of(self, whose: str, bucket: int | None = None) -> list[float]:
        """Ascending; of one range of ``HISTORIES`` by its number, or of all."""
        buckets = range(len(HISTORIES)) if bucket is None else (bucket,)
        return sorted(score for n in buckets for score in self._scores.get((whose, n), ()))


def run(
    path: Path,
    contenders: Sequence[Contender],
    users: float = 0.01,
    limit: int | None = None,
    advance: Advance = silent,
) -> Result:
    """Runs the protocol on a file of the data set. Reads it twice.

    users: the share of users that are judged, by a hash of their id; those with a labelled takeover
    are always judged, and count as victims only. limit: rows to read; None for all.
    Raises ProtocolError for a file that is not the data set, or has nothing to judge in it.
    """
    check_share(users)
    half = _half(advance)
    victims = taken_over(path, limit, half)

    def kept(user: str) -> bool:
        return sampled(user, users) or user in victims

    # Everybody's rows fill the pool of addresses and clients; one in so many is enough for that.
    rows = Rows(path, half, lambda user, number: not number % POOL_EVERY or kept(user))
    scores = [_Scores() for _ in contenders]
    counted: Counter[str] = Counter()
    users_seen: dict[str, _User] = {}
    pool = Pool()
    for login in _logins(rows, kept, pool, limit, counted):
        user = users_seen.get(login.user)
        if login.takeover:
            if login.success and user is not None:
                counted["labelled takeovers scored"] += 1
                for contender, found in zip(contenders, scores, strict=True):
                    found.add(TAKEOVER, user.history, contender.probe(login))
            continue
        if login.attack_ip and login.success:
            counted["successes from flagged addresses, neither attack nor legitimate"] += 1
            continue
        # The attack stands in the place of the user's own login: neither hour nor absence differ.
        if login.success and user is not None and user.history in ATTACKED_AT:
            for name, attack in pool.attacks(user.last, login.time):
                for contender, found in zip(contenders, scores, strict=True):
                    found.add(name, user.history, contender.probe(attack))
        for contender, found in zip(contenders, scores, strict=True):
            score = contender.take(login)
            if login.success and user is not None and sampled(login.user, users):
                found.add(LEGITIMATE, user.history, score)
        if login.success:
            counted["legitimate logins"] += 1
            history = user.history + 1 if user is not None else 1
            users_seen[login.user] = _User(history, login)
    counted["rows"] = min(rows.read, limit) if limit is not None else rows.read
    counted["users judged"] = len(users_seen)
    if not any(found.of(LEGITIMATE) for found in scores):
        raise ProtocolError(
            f"{path}: {counted['rows']} rows have no user with two legitimate logins in them"
            f" at {100 * users:g} % of the users; judge more users or read more rows"
        )
    names = [contender.name for contender in contenders]
    return _result(names, scores, counted, rows, users)


def _logins(
    rows: Rows,
    kept: Callable[[str], bool],
    pool: Pool,
    limit: int | None,
    counted: Counter[str],
) -> Iterator[Login]:
    """The judged users' logins; all rows that are read fill the pool on the way."""
    latest = 0
    for row in rows:
        if limit is not None and rows.read > limit:
            return
        login = rows.login(row)
        if login is None:
            continue
        if kept(login.user):
            if login.time < latest:
                counted["rows older than the one before"] += 1
            latest = max(latest, login.time)
            yield login
        if login.attack_ip and not login.takeover:
            pool.flagged(login)
        elif login.success and not login.takeover:
            pool.ordinary(login)


def _half(advance: Advance) -> Advance:
    """Half the progress for each of the two times that the file is read."""
    return lambda size: advance(size // 2)


def _bucket(history: int) -> int:
    """The number of the range of ``HISTORIES`` that a length of history is in."""
    return next(n for n, (_, last) in enumerate(HISTORIES) if last is None or history <= last)


def _label(history: tuple[int, int | None]) -> str:
    first, last = history
    if last is None:
        return f"{first}+"
    return str(first) if first == last else f"{first}-{last}"


def _result(
    names: Sequence[str],
    scores: Sequence[_Scores],
    counted: Counter[str],
    rows: Rows,
    users: float,
) -> Result:
    rates: list[tuple[Cell, ...]] = []
    lengths: list[tuple[Cell, ...]] = []
    curves = []
    for attacker in (*ATTACKERS, TAKEOVER):
        for name, found in zip(names, scores, strict=True):
            attacks, everyone = found.of(attacker), found.of(LEGITIMATE)
            asked = [_asked(attacks, everyone, rate) for rate in RATES]
            rates.append((attacker, name, len(attacks), *asked))
            by_length = [
                _asked(found.of(attacker, n), found.of(LEGITIMATE, n), TOLD_RATE)
                for n in range(len(HISTORIES))
            ]
            lengths.append((attacker, name, *by_length))
            points = [(_asked(attacks, everyone, rate), rate) for rate in CURVE_RATES]
            known = tuple((share, rate) for share, rate in points if share is not None)
            if known:
                figure = f"Attacks stopped, {attacker}"
                axes = ("re-authentication rate", "true positive rate")
                curves.append(Curve(figure, name, *axes, known))
    tables = (
        Table(
            "Legitimate logins asked again, by attacks stopped",
            ("attacker", "method", "attacks", *(f"TPR {rate:g}" for rate in RATES)),
            tuple(rates),
            f"One threshold for all. Empty where fewer than {FEWEST_ATTACKS} attacks were made.",
        ),
        Table(
            f"Legitimate logins asked again at a TPR of {TOLD_RATE:g}, by the user's logins before",
            ("attacker", "method", *map(_label, HISTORIES)),
            tuple(lengths),
            "A threshold for each length of history, from the attacks at that length.",
        ),
    )
    return Result(
        "Risk-based authentication (RBA dataset)",
        tables,
        tuple(curves),
        _notes(counted, rows, users),
    )


def _asked(attacks: Sequence[float], legitimate: Sequence[float], rate: float) -> float | None:
    """The re-authentication rate at a true positive rate; None without enough attacks."""
    if len(attacks) < FEWEST_ATTACKS:
        return None
    return reauthentication(legitimate, at_rate(attacks, rate))


def _notes(counted: Counter[str], rows: Rows, users: float) -> tuple[str, ...]:
    judged, logins = counted.pop("users judged"), counted.pop("legitimate logins")
    notes = [
        f"{rows.path.name}: {counted.pop('rows')} rows, {100 * users:g} % of the users.",
        f"{judged} users had {logins} legitimate logins.",
        "The data are synthesised: places and times are made up, and mean nothing.",
    ]
    notes.extend(f"{number} {what}." for what, number in sorted(counted.items()))
    if rows.broken:
        notes.append(f"{rows.broken} rows could not be read: {'; '.join(rows.first_broken)}.")
    return tuple(notes)
