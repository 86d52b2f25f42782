"""What commands that change a store share: the store, who changes it, why, and when."""

import getpass
import time
from typing import TYPE_CHECKING

import click

from quivive.app.errors import UsageError

if TYPE_CHECKING:
    from quivive.store.database import Store
    from quivive.store.models import Author


def opened_store(state: str) -> "Store":
    """The store that ``--state`` names, which must be there; closed when the command ends."""
    from quivive.store.database import Store

    store = Store(state, create=False)
    click.get_current_context().call_on_close(store.close)
    return store


def who(by: str | None) -> str:
    """Whom ``--by`` names, else the user of this process. Raises UsageError for nobody."""
    try:
        return by if by is not None else getpass.getuser()
    except (KeyError, OSError):
        raise UsageError("the system does not say who you are: give --by, or set LOGNAME") from None


def author(by: str | None, why: str) -> "Author":
    """Who changes something, why, and when. Raises UsageError where either is empty."""
    from quivive.store.models import Author

    by = who(by)
    for name, text in (("--by", by), ("--why", why)):
        if not text.strip():
            raise UsageError(f"{name} is empty: the audit trail keeps it, say something")
    return Author(by.strip(), why.strip(), now())


def now() -> int:
    """The time by the wall clock, ms UTC."""
    return time.time_ns() // 1_000_000
