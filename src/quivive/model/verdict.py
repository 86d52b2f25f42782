"""What an analyst says of a login, once it has been looked into."""

from typing import Literal

from msgspec import Struct

from quivive.model.errors import ConfigurationError
from quivive.model.naming import MOST_PREFIX

VerdictKind = Literal["true_positive", "benign_true_positive", "false_positive"]
TRUE_POSITIVE: VerdictKind = "true_positive"
BENIGN_TRUE_POSITIVE: VerdictKind = "benign_true_positive"
FALSE_POSITIVE: VerdictKind = "false_positive"
KINDS: tuple[VerdictKind, ...] = (TRUE_POSITIVE, BENIGN_TRUE_POSITIVE, FALSE_POSITIVE)
MOST_ID = 512  # characters
MOST_BY = 200
MOST_WHY = 2_000
EARLIEST_MS = 946_684_800_000  # 2000-01-01
LATEST_MS = 4_102_444_800_000  # 2100-01-01


class VerdictError(ConfigurationError):
    """A verdict that cannot be taken: what is wrong with it, and what to do."""


class Verdict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One analyst's word on one login.

    event_id: the vendor's event id, or log:record-number, as ``quivive score`` wrote it; where
        several logins have that id, the full name of one (model/naming.py).
    kind: ``true_positive`` (somebody else did it), ``benign_true_positive`` (odd, and known to be
        in order: a test of the defences, an agreed change), ``false_positive`` (the owner, as
        ever).
    by: who says so; why: in words that a colleague can check; when: ms UTC.
    """

    event_id: str
    kind: VerdictKind
    by: str
    why: str
    when: int

    @property
    def attack(self) -> bool:
        """Whether it says that somebody else was at work."""
        return self.kind == TRUE_POSITIVE


def checked(verdict: Verdict) -> Verdict:
    """The verdict itself. Raises VerdictError where a field is empty, too long or unprintable."""
    if verdict.kind not in KINDS:
        raise VerdictError(f"no verdict {verdict.kind!r}: one of {', '.join(KINDS)}")
    for name, text, most in (
        ("event_id", verdict.event_id, MOST_ID + MOST_PREFIX),
        ("by", verdict.by, MOST_BY),
        ("why", verdict.why, MOST_WHY),
    ):
        if not text.strip():
            raise VerdictError(f"{name} is missing: {_ASKED[name]}")
        if len(text) > most:
            raise VerdictError(f"{name} has {len(text)} characters; {most} are the most")
        odd = next((c for c in text if not c.isprintable() and c not in _LINES[name]), None)
        if odd is not None:
            raise VerdictError(f"{name} has a control character (U+{ord(odd):04X}); leave it out")
    if not EARLIEST_MS <= verdict.when <= LATEST_MS:
        raise VerdictError(f"when is {verdict.when}: not milliseconds between 2000 and 2100")
    return verdict


_ASKED = {
    "event_id": "which login is it about?",
    "by": "who says so?",
    "why": "say why, so that a colleague can follow it",
}
_LINES = {"event_id": "", "by": "", "why": "\n\t"}
