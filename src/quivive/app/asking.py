"""What to ask analysts next: the most telling logins, and a random slice of all the others.

Verdicts on the top alone would never show what is missed, nor how often a low score is right;
about one in ten is drawn at random, evenly over kinds of identity, products and bands of score.
"""

import hashlib
from collections import Counter
from typing import NamedTuple

from quivive.store.database import Store
from quivive.store.verdicts import FINDING, LOW, NEAR, Asked, Login, Verdicts

RANDOM_SHARE = 0.1
_BANDS = {FINDING: "the findings", NEAR: "those just below a finding", LOW: "the low ones"}


class Question(NamedTuple):
    """A login to look into, and why that one."""

    login: Login
    at_random: bool
    why: str


def next_questions(store: Store, count: int) -> list[Question]:
    """``count`` logins without a verdict to ask about, and remembers that they were asked.

    The same store gives the same questions until they are answered.
    """
    kept = Verdicts(store)
    standing, asked = kept.standing(), kept.asked()
    covered = {change.event_id for change in kept.changed()}
    at_random = min(count, max(1, round(count * RANDOM_SHARE)))
    top: list[Question] = []
    kinds: set[tuple[str, str]] = set()
    open_: dict[tuple[str, str], list[tuple[bytes, Login]]] = {}
    seed = kept.first_id().encode()
    for rank, login in enumerate(kept.ranked(), 1):
        if login.id in standing:
            if login.kind is not None:
                kinds.add((login.identity, login.kind))
            continue
        draw = hashlib.blake2b(login.id.encode(), key=_key(seed), digest_size=8).digest()
        mine = open_.setdefault((login.stratum, login.band), [])
        mine.append((draw, login))
        if len(mine) > 2 * at_random + 8:
            mine.sort(key=lambda one: one[0])
            del mine[at_random + 1 :]
        kind = (login.identity, login.kind or login.id)
        if len(top) < count and kind not in kinds and login.id not in covered:
            kinds.add(kind)
            top.append(Question(login, False, f"number {rank} of all by risk, without a verdict"))
    drawn = _drawn(open_, asked, at_random, {q.login.id for q in top[: count - at_random]})
    found = top[: count - len(drawn)] + drawn
    kept.ask(Asked(q.login.id, q.at_random, q.login.stratum, q.login.band) for q in found)
    return found


def _key(seed: bytes) -> bytes:
    return hashlib.sha256(seed).digest()


def _drawn(
    open_: dict[tuple[str, str], list[tuple[bytes, Login]]],
    asked: dict[str, Asked],
    count: int,
    taken: set[str],
) -> list[Question]:
    """The next of the random slice: what was drawn and not answered yet, then the stratum that
    was drawn from least.
    """
    before = Counter((a.stratum, a.band) for a in asked.values() if a.at_random)
    found: list[Question] = []
    for stratum, logins in open_.items():
        logins.sort(key=lambda one: (one[1].id not in asked, one[0]))
        before.setdefault(stratum, 0)
    while len(found) < count:
        left = [stratum for stratum, logins in open_.items() if logins]
        if not left:
            break
        pending = [s for s in left if _pending(open_[s][0][1], asked)]
        stratum = min(pending or left, key=lambda s: (before[s], s))
        login = open_[stratum].pop(0)[1]
        if login.id in taken:
            continue
        before[stratum] += 1
        found.append(
            Question(login, True, f"drawn at random from {_BANDS[stratum[1]]} of {stratum[0]}")
        )
    return found


def _pending(login: Login, asked: dict[str, Asked]) -> bool:
    return login.id in asked and asked[login.id].at_random
