"""``quivive query``: SQL over the telemetry."""

import json
import sys

import click

from quivive.cli.acting import who
from quivive.cli.shared import printable

SHOWN = 100


@click.command("query")
@click.argument("sql", metavar="SQL")
@click.option("--state", required=True, metavar="DIR|URL", help="The state of quivive score.")
@click.option("--telemetry-dir", metavar="DIR", help="Telemetry that is not in the state's folder.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
@click.option(
    "--limit",
    default=SHOWN,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="Rows at most.",
)
@click.option("--by", metavar="NAME", help="Who asks; kept in the audit trail.  [default: you]")
def command(
    sql: str, state: str, telemetry_dir: str | None, as_json: bool, limit: int, by: str | None
) -> None:
    """Ask the telemetry in SQL (DuckDB's): one SELECT over the views logins and latest.

    \b
    quivive query --state DIR "SELECT day, count(*) AS logins, sum(finding::int) AS findings
      FROM logins GROUP BY day ORDER BY day"
    quivive query --state DIR "DESCRIBE logins"

    logins has a row for each judged login, latest only the last of those that were judged twice.
    Nothing is written but who asked what, and files outside the telemetry cannot be read.
    """
    from quivive.app.telemetry import ask, folder_of
    from quivive.store.audit import now
    from quivive.store.database import Store

    with Store(state, create=False) as store:
        answer = ask(store, folder_of(store, telemetry_dir), sql, who(by), now(), limit)
    if as_json:
        for row in answer.rows:
            found = dict(zip(answer.columns, row, strict=True))
            click.echo(json.dumps(found, default=str, ensure_ascii=False))
    else:
        _show(answer.columns, answer.rows)
    if answer.more:
        click.echo(f"only the first {limit} rows: see --limit", err=True)


def _show(columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(Text(printable(name)), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else printable(str(cell))) for cell in row))
    width = None if sys.stdout.isatty() else 10_000
    Console(highlight=False, width=width).print(table)
