"""``quivive simulate``: a believable organisation with attacks, as logs with labels apart."""

from datetime import datetime
from pathlib import Path

import click

from quivive.model.words import counted
from quivive.sim.build import simulate
from quivive.sim.organisation import FIRST_DAY
from quivive.sim.writing import VENDORS


@click.command("simulate")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder to write the logs, the labels and the address plan into.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--people", default=600, show_default=True, type=click.IntRange(min=10),
              help="How many people work there.")  # fmt: skip
@click.option("--services", default=16, show_default=True, type=click.IntRange(min=0),
              help="How many machine identities.")  # fmt: skip
@click.option("--days", default=60, show_default=True, type=click.IntRange(min=2),
              help="How many days of logs.")  # fmt: skip
@click.option("--first", type=click.DateTime(["%Y-%m-%d"]), default=f"{FIRST_DAY}",
              show_default=True, help="The first day.")  # fmt: skip
@click.option("--incidents", default=56, show_default=True, type=click.IntRange(min=0),
              help="How many attacks.")  # fmt: skip
@click.option("--kind", "kinds", multiple=True, metavar="KIND",
              help="Only attacks of this kind (may be repeated).")  # fmt: skip
@click.option("--vendors", metavar="NAMES", default=",".join(VENDORS), show_default=True,
              help="Logs to write, separated by commas.")  # fmt: skip
def command(
    out: Path,
    seed: int,
    people: int,
    services: int,
    days: int,
    first: datetime,
    incidents: int,
    kinds: tuple[str, ...],
    vendors: str,
) -> None:
    """Simulate an organisation, its logins and attacks on it."""
    try:
        summary = simulate(
            out,
            seed=seed,
            people=people,
            services=services,
            days=days,
            first=first.date(),
            incidents=incidents,
            kinds=kinds or None,
            vendors=tuple(name.strip() for name in vendors.split(",") if name.strip()),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    for name, count in summary.records.items():
        click.echo(f"{count:>9,}  {out / name}", err=True)
    click.echo(
        f"{summary.labelled:>9,}  attack records of "
        f"{counted(len(summary.incidents), 'incident')}, "
        f"named in {out / 'labels.jsonl'}",
        err=True,
    )
