"""What a reference detector is: a method from elsewhere, measured beside Quivive on its logins."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import NamedTuple, Protocol

from msgspec import Struct

from quivive.baseline.observation import Observation

NOT_EVALUABLE = -inf


class Seen(NamedTuple):
    """One login as detectors see it.

    nats: raw evidence by signal, not weighted by a model: the features that Quivive itself uses.
    risk: Quivive's own ``risk_score`` (0-100), which makes Quivive one more column of a table.
    """

    login: Observation
    nats: Mapping[str, float]
    risk: float


class Detector(Protocol):
    """A detector that judges logins day by day, in order of time, and learns from them after."""

    @property
    def name(self) -> str:
        """One word for tables and files: "new-country"."""

    @property
    def title(self) -> str:
        """What the report calls it."""

    def judge(self, day: Sequence[Seen]) -> list[float]:
        """A score for each login of one day, in order: higher is more suspicious.

        ``NOT_EVALUABLE`` (-inf) for a login it can say nothing about. What it learns of a login
        never changes the score of that login or of an earlier one.
        """


class Entry(Struct, frozen=True):
    """How a module of this package offers its detector, as the constant ``DETECTOR``.

    make: a fresh instance; needs: the packages that it imports, beyond what is always installed.
    """

    name: str
    make: Callable[[], Detector]
    needs: tuple[str, ...] = ()


def judged(login: Observation) -> bool:
    """Whether a detector judges a login: only one whose credential was right can be a takeover.

    That includes those that a second factor or a policy stopped: whoever came so far holds the
    password. Failures are evidence about other logins, to Quivive; the methods compared here know
    nothing of them, and guessing that came to nothing would only fill their alert budget. All of
    them learn from ``Observation.learnable`` logins alone.
    """
    return login.accepted and login.around in (None, "MFA Challenge")
