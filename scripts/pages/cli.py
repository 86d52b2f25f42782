"""cli.md: every command and its options."""

import copy
from collections.abc import Iterator

import click

from quivive.cli.main import COMMANDS, cli
from scripts.pages.markdown import page, table


def commands(
    group: click.Group = cli, path: str = "quivive"
) -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, in the order of the help."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def help_of(path: str, command: click.Command) -> str:
    """The help of one command, as wide everywhere."""
    context: click.Context | None = None
    for word in path.split()[:-1]:
        context = click.Context(cli, parent=context, info_name=word)
    settings = {"help_option_names": ["-h", "--help"]}
    with click.Context(
        command,
        parent=context,
        info_name=path.split()[-1],
        terminal_width=88,
        max_content_width=88,
        color=False,
        **settings,
    ) as own:
        command = copy.copy(command)
        command._help_option = None  # remembered from another run, with that run's names
        return command.get_help(own)


def cli_page() -> str:
    """The help of every command."""
    parts = [
        (
            "Exit codes: 0 done; 1 done, with rejects, under `--strict`; 2 wrong arguments, files"
            " or configuration, with the file and what to do; 130 interrupted. Results go to"
            " standard output, summaries and progress to standard error; a progress bar is shown"
            " on a terminal only."
        ),
        table(
            ("command", "what it does"),
            [(f"[`quivive {n}`](#quivive-{n})", text) for n, text in COMMANDS.items()],
        ),
    ]
    for path, command in commands():
        depth = "#" * len(path.split())
        parts.append(f"{depth} {path}\n\n```text\n{help_of(path, command)}\n```")
    return page("Commands", *parts)
