"""What a signal is: features to be weighed by how usual they are, and evidence of its own."""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import Struct

from quivive.baseline.backoff import Levels
from quivive.baseline.monitor import FAMILIARITIES
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.model.assessment import Evidence

# What a family says follows from a few words of a login, so most of it was said before: each keeps
# that many answers by those words (functools.lru_cache over a pure function).
CACHED = 16_384
# Tables that only an identity keeps: open sets too large to share.
PRIVATE = frozenset({"address", "subnet"})
_encoder = msgspec.msgpack.Encoder()
KNOWN_ABOVE = 0.45  # decayed count from which a member counts as known: a login a month ago


class Feature(Struct, frozen=True, kw_only=True, gc=False):
    """One category of a login, weighed by hierarchical back-off and learned with it.

    factor, key: which table and category; given: the factor and category it is conditional on.
    label: the category in words; categories: how many the uniform estimate spreads over.
    attacker: probability that an attacker shows it; None for half uniform, half organisation.
    weigh: False for members that are only remembered.
    parent: remembered by peers, too: what others are conditional on.
    neighbours: kernel weights over categories, for ordered ones such as hours.
    group: its group of evidence, when it is not its family's.
    alarms_only: what comes with the credential itself reassures nobody.
    """

    signal: str
    factor: str
    key: str
    label: str = ""
    given: tuple[str, str] | None = None
    categories: int = 0
    attacker: float | None = None
    attack: tuple[str, ...] = ()
    weigh: bool = True
    parent: bool = False
    neighbours: tuple[tuple[str, float], ...] | None = None
    alarms_only: bool = False
    group: str | None = None

    @property
    def shared(self) -> bool:
        """Whether peers count it."""
        return self.weigh or self.parent


class Missing(Struct, frozen=True, gc=False):
    """A feature the record says nothing about: "not evaluable"."""

    signal: str
    what: str

    @property
    def text(self) -> str:
        """Both in words."""
        return f"{self.signal}: {self.what}"


class Spoken(Struct, frozen=True, gc=False):
    """What one family says of a login: its features, and what is missing.

    weighed are the features to be weighed; own the (factor, category) pairs to be learned by the
    identity; packed what others are to learn, as a lesson keeps it: msgpack of (factor, category,
    whether peers count it); familiar how familiar what is (for drift). All are worked out once for
    logins that are alike: see ``CACHED``.
    """

    features: tuple[Feature, ...] = ()
    missing: tuple[Missing, ...] = ()
    weighed: tuple[Feature, ...] = ()
    own: tuple[tuple[str, str], ...] = ()
    familiar: tuple[tuple[str, str], ...] = ()
    packed: bytes = b"\x90"

    def __iter__(self) -> Iterator[Feature | Missing]:
        """The features, then what is missing."""
        yield from self.features
        yield from self.missing


def spoken(*found: Feature | Missing) -> Spoken:
    """What a family says, put together."""
    features = tuple([f for f in found if isinstance(f, Feature)])
    return Spoken(
        features,
        tuple([f for f in found if isinstance(f, Missing)]),
        tuple([f for f in features if f.weigh]),
        tuple([(f.factor, f.key) for f in features]),
        tuple(
            [(f.factor, f.key.rpartition("/")[2]) for f in features if f.factor in FAMILIARITIES]
        ),
        _encoder.encode([(f.factor, f.key, f.shared) for f in features]),
    )


class Case(Struct, frozen=True):
    """One of a few ways in which something about a login can stand: its words, and how often it
    stands so with attackers. ``weigh``: whether it counts for or against anybody.
    """

    label: str
    attacker: float
    weigh: bool = True


def circumstance(
    signal: str, among: str, log: str, case: str, cases: dict[str, Case], attack: tuple[str, ...]
) -> Spoken:
    """How something stands of which each log teaches how usual that is: one of ``cases``, given
    the logins of which it can be told (counted as ``among``). It only ever alarms.
    """
    found = cases[case]
    return spoken(
        Feature(
            signal=signal,
            factor=signal,
            key=f"{log}/{case}",
            label=found.label,
            given=(among, log),
            categories=len(cases),
            attacker=found.attacker,
            attack=attack,
            alarms_only=True,
            weigh=found.weigh,
        ),
        Feature(signal=signal, factor=among, key=log, weigh=False, parent=True),
    )


NOTHING = spoken()
Features = Callable[[Observation, Scene, Levels], Spoken]
Evidences = Callable[[Observation, Scene, Levels], Sequence[Evidence]]


class Signal(Struct, frozen=True, kw_only=True):
    """A family of signals.

    name: the module's name; title: what it looks at, in a phrase; group: which group of evidence
    it belongs to, for the stories that explain a login (scoring/stories.py); tells: the names of
    the features and evidence it gives, each with a sentence; attack: ATT&CK technique ids.
    features and evidence are pure and never change the scene.
    """

    name: str
    title: str
    group: str
    tells: dict[str, str]
    attack: tuple[str, ...]
    features: Features | None = None
    evidence: Evidences | None = None


def familiarity(levels: Levels, factor: str, key: str) -> str:
    """ "own", "colleagues" or "new": who has shown this member before."""
    table = levels.own.tables.get(factor)
    own = table.values.get(key, 0.0) / levels.own_scale if table else 0.0
    if own > KNOWN_ABOVE:
        return "own"
    table = levels.everyone.tables.get(factor)
    everyone = table.values.get(key, 0.0) / levels.everyone_scale if table else 0.0
    return "colleagues" if everyone - own > KNOWN_ABOVE else "new"


def member(
    signal: str,
    factor: str,
    key: str,
    known: str,
    attackers: dict[str, float],
    label: str,
    given: tuple[str, str] | None,
    attack: tuple[str, ...],
) -> tuple[Feature, Feature]:
    """The two features of a member of an open set (a device, a key, a role); ``known`` is its
    familiarity.

    The first weighs how familiar the member is, against how often this identity brings unfamiliar
    ones; the second remembers the member itself.
    """
    return (
        Feature(
            signal=signal,
            factor=factor + "?",
            key=known if given is None else f"{given[1]}/{known}",
            label=f"{label} ({_FAMILIAR[known]})",
            given=given,
            categories=len(attackers),
            attacker=attackers[known],
            attack=attack,
        ),
        Feature(signal=signal, factor=factor, key=key, weigh=False),
    )


_FAMILIAR = {
    "own": "used before",
    "colleagues": "only colleagues have used it",
    "new": "never seen",
}
