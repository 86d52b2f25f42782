"""The login that an address names."""

from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit
from quivive.store.named import AmbiguousName, find


async def line_of(visit: Visit) -> bytes:
    """The line of the login that the path names: by the id under which it is kept, as pages link to
    it, or as people call it. Raises RefusedError where there is none, or more than one.
    """
    name = visit.path["id"]

    def found() -> bytes | None:
        store = visit.store
        line = store.assessment(name)
        if line is None and (event_id := find(store, name)) is not None:
            line = store.assessment(event_id)
        return line

    try:
        line = await visit.aside(found)
    except AmbiguousName as error:
        raise RefusedError(409, "Several logins have this id", str(error)) from None
    if line is None:
        raise RefusedError(404, "No such login", "It may be older than what the store keeps.")
    return line
