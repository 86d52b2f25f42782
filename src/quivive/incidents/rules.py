"""How long what belongs together is one incident, and how patient it is. Times in ms."""

from msgspec import Struct, field

from quivive.model.incident import Priority

HOUR = 3_600_000
DAY = 24 * HOUR


class Rules(Struct, frozen=True, kw_only=True):
    """When incidents are told, closed and forgotten; all in ms.

    same: findings of one kind on one identity within it are a repeat. quiet: findings on one
    identity within it are one incident, and what is acknowledged or no page closes after it.
    campaign: how long a shared way in joins findings on others. patience: how long nobody need
    answer before it is told again, to the next in line; reminders: how often that is. reopen: how
    long a closed incident is opened again instead of a new one. at_most: what nobody answers closes
    then.
    """

    same: int = DAY
    quiet: int = DAY
    campaign: int = DAY
    patience: dict[Priority, int] = field(
        default_factory=lambda: {"P1": 15 * 60_000, "P2": HOUR, "P3": DAY, "P4": 0}
    )
    reminders: int = 3
    reopen: int = 7 * DAY
    at_most: int = 14 * DAY
