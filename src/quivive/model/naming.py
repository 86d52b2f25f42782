"""What a login is called: its vendor's id, or with its product and log where that is not enough.

Ids are given by vendors, each for itself: ``123`` of one product and ``123`` of another are two
logins. The first of them is kept under the plain id, every other one under its full name,
``product|log|id``. Either can be asked for by its full name.
"""

from functools import lru_cache

from quivive.model.event import AuthEvent

MOST_PART = 64  # characters of a product's or a log's name in a full name
MOST_PREFIX = 2 * (MOST_PART + 1)  # what a full name has more than the id


@lru_cache(maxsize=1_024)
def source_name(product: str, log_name: str | None) -> str:
    """Within what an id counts: ``product|log``."""
    parts = (product, log_name or "")
    return "|".join(part.replace("|", "/")[:MOST_PART] for part in parts)


def source_of(event: AuthEvent) -> str:
    """Within what an event's id counts."""
    return source_name(event.metadata.product.name, event.metadata.log_name)


def full_name(source: str, event_id: str) -> str:
    """A name that no login of another source can have."""
    return f"{source}|{event_id}"


def parted(name: str) -> tuple[str, str] | None:
    """Source and id of a full name; None for what is none."""
    parts = name.split("|", 2)
    return (f"{parts[0]}|{parts[1]}", parts[2]) if len(parts) == 3 else None


def plain_id(log: str, event: AuthEvent) -> str:
    """The vendor's id, or for an event without one its place in its log."""
    return event.metadata.uid or f"{log}:{event.metadata.sequence}"
