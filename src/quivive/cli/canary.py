"""``quivive canary``: a synthetic takeover in at one end, looked for at the other."""

import os
import tempfile
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quivive.app.canary import Found

UNITS = {"m": 60, "h": 3600, "d": 86_400}


def _seconds(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    amount, unit = value[:-1], value[-1:]
    if not amount.isdecimal() or unit not in UNITS or int(amount) * UNITS[unit] < 600:
        raise click.BadParameter("write 1h, 30m or 1d; 10m is the least")
    return int(amount) * UNITS[unit]


@click.command("canary")
@click.option("--url", metavar="URL", help="Of a running server, such as http://127.0.0.1:8450.")
@click.option(
    "--token",
    metavar="TOKEN",
    envvar="QUIVIVE_TOKEN",
    help="Its token, with the scopes ingest and read; better in QUIVIVE_TOKEN.",
)
@click.option("--state", metavar="DIR|URL", help="Of a store that no server has open.")
@click.option("--every", metavar="TIME", callback=_seconds, help="Again every 1h, until stopped.")
@click.option(
    "--deadline",
    default=30.0,
    show_default=True,
    type=click.FloatRange(1, 3_600),
    help="Seconds within which it must come out.",
)
def command(
    url: str | None, token: str | None, state: str | None, every: int | None, deadline: float
) -> None:
    """Put a marked takeover in, and alarm (exit 1) if it does not come out at the other end.

    Without --url and --state it tries a store of its own. The identity is reserved: nothing is done
    to it at any vendor, and no metric counts it.
    """
    if url is not None and state is not None:
        raise click.UsageError("--url or --state, not both")
    if url is not None and not token:
        raise click.UsageError("--url needs a token: --token or QUIVIVE_TOKEN")
    while True:
        begun = time.monotonic()
        found = _over_http(url, token or "", deadline) if url else _in_store(state)
        took = time.monotonic() - begun
        _print(found, took)
        if not all(one.passed for one in found) or took > deadline:
            click.echo("ALARM: the canary did not come out; see docs/runbooks/gameday.md", err=True)
            raise click.exceptions.Exit(1)
        if every is None:
            return
        time.sleep(every)


def _in_store(state: str | None) -> "Sequence[Found]":
    from quivive.app.canary import through_store
    from quivive.server.rehearsal import judging
    from quivive.store.audit import now
    from quivive.store.database import Store

    with (
        tempfile.TemporaryDirectory(prefix="quivive-canary-") as scratch,
        Store(state or scratch, create=state is None) as store,
    ):
        return through_store(store, judging, now)


def _over_http(url: str, token: str, deadline: float) -> "Sequence[Found]":
    from quivive.app.canary_http import over_http
    from quivive.store.audit import now

    return over_http(url, token, deadline, now())


def _print(found: "Sequence[Found]", took: float) -> None:
    from quivive.cli.shared import printable

    for one in found:
        click.echo(printable(f"{'came through' if one.passed else 'MISSING     '}  {one.link}:"
                             f" {one.said}"))  # fmt: skip
    click.echo(f"in {took:.2f} s (process {os.getpid()})")
