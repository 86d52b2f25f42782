"""``quivive explain``: one scored login in full."""

from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from quivive.app.errors import UsageError
from quivive.cli.shared import without_password


@click.command("explain")
@click.option("--state", metavar="DIR", help="Look in this state directory.")
@click.option("--in", "scored", metavar="FILE", help="Look in this file of scored lines.")
@click.argument("event_id")
def command(state: str | None, scored: str | None, event_id: str) -> None:
    """Explain one scored login: EVENT_ID is the vendor's event id, or log:record-number.

    Looks where quivive score kept it: --state DIR, or --in FILE for a file made with --out.
    """
    from quivive.cli.findings import explanation

    body = _find(event_id, state, scored)
    if body is None:
        raise UsageError(
            f"no scored login with the id {event_id!r} in {scored or without_password(state)};"
            " the list that quivive score shows, and the console, have whole ids"
        )
    console = Console(highlight=False, soft_wrap=True)
    for line in explanation(msgspec.json.decode(body)):
        console.print(line)
    if state is not None and scored is None:
        from quivive.cli.verdict_text import standing_on

        for line in standing_on(msgspec.json.decode(body)["id"], state):
            console.print(line, markup=False)


def _find(event_id: str, state: str | None, scored: str | None) -> bytes | None:
    from quivive.store.database import Store
    from quivive.store.named import find

    if scored is not None:
        return _in_file(event_id, scored)
    if state is None:
        raise UsageError("where to look? --state DIR, or --in FILE written by score --out")
    with Store(state, create=False) as store:
        found = find(store, event_id)
        return store.assessment(found) if found is not None else None


def _in_file(event_id: str, scored: str) -> bytes | None:
    from quivive.model.naming import full_name, parted

    whole = parted(event_id)
    wanted = msgspec.json.encode(event_id if whole is None else whole[1])[1:-1]
    found: dict[str, bytes] = {}  # by full name, the first of each
    try:
        with Path(scored).open("rb") as lines:
            for line in lines:
                if wanted not in line:
                    continue
                name, source, uid = _called(msgspec.json.decode(line))
                if event_id in (full_name(source, uid), name, uid):
                    found.setdefault(full_name(source, uid), line)
    except OSError as error:
        raise UsageError(f"{scored}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{scored}: not a file of scored lines: {error}") from None
    if event_id in found:
        return found[event_id]
    if len(found) > 1:
        raise UsageError(
            f"{scored}: {len(found)} logins of different products have the id {event_id}:"
            f" {', '.join(found)}; give the full name of the one you mean"
        )
    return next(iter(found.values()), None)


def _called(line: Any) -> tuple[str, str, str]:
    """What a scored line is called: its id, its source, its vendor's id; empty for another line."""
    from quivive.model.naming import source_name

    try:
        metadata = line["event"]["metadata"]
        source = source_name(metadata["product"]["name"], metadata.get("log_name"))
        return line["id"], source, metadata.get("uid") or line["id"]
    except (KeyError, TypeError, AttributeError):
        return "", "", ""
