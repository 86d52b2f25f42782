"""``quivive explain``: one scored login in full."""

from pathlib import Path

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

        for line in standing_on(event_id, state):
            console.print(line, markup=False)


def _find(event_id: str, state: str | None, scored: str | None) -> bytes | None:
    from quivive.store.database import Store

    if scored is not None:
        wanted = msgspec.json.encode(event_id)
        try:
            with Path(scored).open("rb") as lines:
                for line in lines:
                    if wanted in line:
                        found = msgspec.json.decode(line)
                        if isinstance(found, dict) and found.get("id") == event_id:
                            return line
        except OSError as error:
            raise UsageError(f"{scored}: {error.strerror}") from None
        except msgspec.DecodeError as error:
            raise UsageError(f"{scored}: not a file of scored lines: {error}") from None
        return None
    if state is None:
        raise UsageError("where to look? --state DIR, or --in FILE written by score --out")
    with Store(state, create=False) as store:
        return store.assessment(event_id)
