"""A rule of the operator's own that a login matched, as it is carried with the event."""

from msgspec import Struct

LEVELS = ("informational", "low", "medium", "high", "critical")


class RuleMatch(Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True):
    """A Sigma rule that matched the record of a login.

    level: one of LEVELS. attack: ATT&CK technique ids of its tags. falsepositives: what its author
    expects it to match in error. shadow: it is counted, and says nothing of the login.
    """

    id: str
    title: str
    level: str
    attack: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    shadow: bool = False
