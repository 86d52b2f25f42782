"""Where a page begins: the time and id of the last row before it, as one word of a URL."""

import base64
from typing import Annotated

import msgspec
from msgspec import Meta

from quivive.server.console.refused import RefusedError

_at = msgspec.json.Decoder(tuple[Annotated[int, Meta(ge=0, le=1 << 48)], str])


def written(time: int, name: str) -> str:
    """The word for a row."""
    return base64.urlsafe_b64encode(msgspec.json.encode((time, name))).decode()


def read(word: str) -> tuple[int, str] | None:
    """The row of a word; None for "". Raises RefusedError for anything else."""
    if not word:
        return None
    try:
        return _at.decode(base64.b64decode(word, altchars=b"-_", validate=True))
    except (ValueError, msgspec.DecodeError):
        raise RefusedError(400, "No such page", "Begin with the newest again.") from None
