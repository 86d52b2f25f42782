"""``quivive sources``: the logs that can be read."""

import click
from rich.console import Console
from rich.markup import escape

from quivive.app.errors import UsageError


@click.command("sources")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the log sources, or tell what one of them reads and which fields it gives."""
    from quivive.app.registry import sources

    console = Console(highlight=False)
    known = sources()
    if name is None:
        width = max(map(len, known))
        for source in known.values():
            console.print(f"[bold]{source.name:<{width}}[/bold]  {escape(source.title)}")
        console.print("\n[dim]quivive sources NAME tells what one reads and gives[/dim]")
        return
    if name not in known:
        raise UsageError(f"no log source {name!r}: one of {', '.join(known)}")
    source = known[name]
    console.print(f"[bold]{escape(source.title)}[/bold]  ({source.name})\n{source.documentation}")
    console.print("\nReads")
    for phrase in source.reads:
        console.print(f"  {escape(phrase)}")
    console.print("\nGives (OCSF Authentication fields)")
    for path in source.gives:
        console.print(f"  {path}")
