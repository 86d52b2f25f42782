"""Weighing whole stories against each other, not single oddities.

A sum of log-likelihood ratios treats oddities as independent: it cries wolf at every traveller
(new country, new network, new address, impossible speed) and forgives the attacker who copies
half of what is usual. Here each side has several stories, each explaining some groups of evidence:

* An attacker's story says which groups an attacker of that kind can copy (behind a proxy in the
  victim's city the place is usual; with a stolen session the device is): what reassures in
  them then counts for nothing.
* An ordinary story says which groups an ordinary circumstance makes unusual (a journey: the place;
  a new laptop: the client): what alarms in them is then as likely as it is for colleagues on
  whom the same circumstance falls, and only what is odd even so (a country nobody here ever
  travelled to) goes on alarming.

score = ln sum_k prior_k P(login | attack story k) - ln sum_j prior_j P(login | ordinary story j),

every P relative to the identity's usual behaviour. One group of oddities is explained away at the
price of its story's prior; two independent ones have no cheap story.
"""

from collections.abc import Iterable
from math import exp, log
from typing import NamedTuple

from msgspec import Struct

PLACE = "place"
JOURNEY = "journey"
CARRIER = "carrier"
CLIENT = "client"
CREDENTIAL = "credential"
ACCESS = "access"
TIME = "time"
ABSENCE = "absence"
AROUND = "around"
SESSION = "session"
REACH = "reach"
GROUPS = (
    PLACE, JOURNEY, CARRIER, CLIENT, CREDENTIAL, ACCESS, TIME, ABSENCE, AROUND, SESSION, REACH,
)  # fmt: skip


ABOUT_AS_GOOD = 0.5  # nats


class Story(Struct, frozen=True, kw_only=True):
    """One way a login may have come about: its words, prior, and the groups it explains."""

    name: str
    title: str
    prior: float
    explains: tuple[str, ...] = ()


def _attacks(
    outsider: float, near: float, replay: float, insider: float, *further: Story
) -> tuple[Story, ...]:
    return (
        Story(name="outsider", title="somebody else with the credential", prior=outsider),
        Story(
            name="near",
            title="somebody else behind an address near the owner",
            prior=near,
            explains=(PLACE, JOURNEY, CARRIER),
        ),
        Story(
            name="replay",
            title="a session or token replayed elsewhere",
            prior=replay,
            explains=(CLIENT, CREDENTIAL, TIME),
        ),
        Story(
            name="insider",
            title="the owner's own session, misused",
            prior=insider,
            explains=(PLACE, JOURNEY, CARRIER, CLIENT, CREDENTIAL),
        ),
        *further,
    )


# Priors and the shipped weights were fitted together on simulated and independent organisations
# (docs/evaluation.md says which), by gradient on the rank of each incident within its class.
ATTACKS = {
    "human": _attacks(0.49, 0.1, 0.26, 0.15),
    "service": _attacks(
        0.4,
        0.15,
        0.36,
        0.05,
        Story(
            name="token",
            title="a stolen token doing what it always does",
            prior=0.04,
            explains=(CLIENT, CREDENTIAL, TIME, ACCESS),
        ),
    ),
}
ORDINARY = {
    "human": (
        Story(name="usual", title="the usual", prior=0.84),
        Story(name="travel", title="a journey", prior=0.016, explains=(PLACE, TIME)),
        Story(name="vpn", title="a VPN", prior=0.002, explains=(PLACE, JOURNEY, CARRIER)),
        Story(name="device", title="a new device", prior=0.07, explains=(CLIENT, CREDENTIAL)),
        Story(name="hours", title="unusual hours", prior=0.035, explains=(TIME,)),
        Story(name="absence", title="a return from leave", prior=0.02, explains=(ABSENCE,)),
        Story(name="task", title="a new task", prior=0.006, explains=(ACCESS,)),
        Story(name="fumble", title="forgotten passwords", prior=0.01, explains=(AROUND,)),
    ),
    "service": (
        Story(name="usual", title="the usual", prior=0.96),
        Story(
            name="move", title="a move to another address", prior=0.004, explains=(PLACE, CARRIER)
        ),
        Story(name="upgrade", title="an upgrade", prior=0.012, explains=(CLIENT,)),
        Story(name="rotation", title="a rotated key", prior=0.005, explains=(CREDENTIAL,)),
        Story(name="task", title="a new task", prior=0.005, explains=(ACCESS,)),
        Story(name="schedule", title="a changed schedule", prior=0.01, explains=(TIME, ABSENCE)),
        Story(name="fumble", title="an expired secret", prior=0.002, explains=(AROUND,)),
    ),
}


class Reading(Struct, frozen=True):
    """The score in nats, and the story on each side that explains the login best."""

    score: float
    attack: Story
    ordinary: Story


class Weight(NamedTuple):
    """One piece of evidence: its group, its weight, and how much of it an ordinary story of that
    group explains away (all in nats).
    """

    group: str
    nats: float
    explained: float


class Sums(NamedTuple):
    """Evidence added up: all of it, and by group (in the order of GROUPS) what an ordinary story
    would explain of what alarms, and what reassures.
    """

    everything: float
    explained: list[float]
    reassuring: list[float]


PLACE_OF = {group: n for n, group in enumerate(GROUPS)}
_Compiled = tuple[tuple[float, tuple[int, ...]], ...]


def _compiled(stories: tuple[Story, ...]) -> _Compiled:
    return tuple(
        (log(story.prior), tuple(PLACE_OF[group] for group in story.explains)) for story in stories
    )


_ATTACKS = {kind: _compiled(stories) for kind, stories in ATTACKS.items()}
_ORDINARY = {kind: _compiled(stories) for kind, stories in ORDINARY.items()}


def add_up(weights: Iterable[Weight]) -> Sums:
    """The sums of some evidence."""
    explained = [0.0] * len(GROUPS)
    reassuring = [0.0] * len(GROUPS)
    everything = 0.0
    for group, nats, ordinarily in weights:
        everything += nats
        if nats > 0:
            explained[PLACE_OF[group]] += ordinarily
        else:
            reassuring[PLACE_OF[group]] += nats
    return Sums(everything, explained, reassuring)


def score_of(sums: Sums, kind: str) -> float:
    """The score of some evidence for a "human" or a "service"."""
    everything, explained, reassuring = sums
    attacks = _likely(_ATTACKS[kind], reassuring, -1.0)
    ordinary = _likely(_ORDINARY[kind], explained, 1.0)
    return everything + _log_sum(attacks) - _log_sum(ordinary)


def reading_of(sums: Sums, kind: str) -> Reading:
    """The score of some evidence, with the stories to tell of it."""
    attacks = _likely(_ATTACKS[kind], sums.reassuring, -1.0)
    ordinary = _likely(_ORDINARY[kind], sums.explained, 1.0)
    return Reading(
        sums.everything + _log_sum(attacks) - _log_sum(ordinary),
        _told(ATTACKS[kind], attacks),
        _told(ORDINARY[kind], ordinary),
    )


def read(weights: Iterable[Weight], kind: str) -> Reading:
    """The score of some evidence for a "human" or a "service", with the stories to tell of it."""
    return reading_of(add_up(weights), kind)


def _told(stories: tuple[Story, ...], values: list[float]) -> Story:
    """The story to tell: of those about as good as the best, the one that claims least."""
    near = max(values) - ABOUT_AS_GOOD
    good = [story for story, value in zip(stories, values, strict=True) if value >= near]
    return min(good, key=lambda story: len(story.explains))


def _likely(stories: _Compiled, by_group: list[float], sign: float) -> list[float]:
    """The log-likelihood of each story: its prior, and what it takes away of its groups."""
    found = []
    for value, groups in stories:
        for group in groups:
            value += sign * by_group[group]
        found.append(value)
    return found


def _log_sum(values: list[float]) -> float:
    top = max(values)
    return top + log(sum([exp(value - top) for value in values]))
