"""The command ``quivive``: each sub-command in a module of its own, imported when it is called."""

import errno
import importlib
import os
import sys
from typing import Any

import click

from quivive import __version__
from quivive.app.memory import seldom

COMMANDS = {
    "normalize": "Log records in, one OCSF Authentication object a line out.",
    "score": "Score every login of some logs, with reasons.",
    "fetch": "Fetch logs from the APIs of vendors.",
    "serve": "Judge logins over HTTP, in their own path or as they are sent.",
    "token": "Make, list and revoke the tokens of the server.",
    "explain": "Explain one scored login.",
    "verdict": "Say what a login was; see what to look into, and how right findings are.",
    "respond": "What was asked of vendors, what would be, and taking it back.",
    "sources": "What log sources are read, and which fields each gives.",
    "drift": "Whether the logs still look as they did, and what they no longer tell.",
    "doctor": "What is missing here, and what it costs in detection.",
    "geoip": "Install and show place and network databases.",
    "evaluate": "Measure how many incidents are found, beside simpler detectors.",
    "learn": "Learn a model from verdicts, and compare it before it may score.",
    "models": "Show, compare, promote and roll back learned models.",
    "policy": "Check, preview, activate and roll back what is done about a login.",
    "identity": "Erase one identity from a store, or put a pseudonym in its place.",
    "sigma": "Check Sigma rules: which can be used, which match, and why not.",
    "context": "Say what is in order for a while: travel, maintenance, safelists.",
    "incidents": "List, acknowledge and close incidents; send their notifications.",
    "user": "Say who may use the console, and as what.",
    "report": "What a week came to, as HTML or PDF: M1 to M10, incidents, services.",
    "query": "Ask the telemetry in SQL.",
    "backup": "Copy everything that cannot be had again, while all is at work.",
    "restore": "Check a backup, and put it back where nothing is.",
    "prune": "Forget what is older than it may be kept.",
    "audit": "Verify, list and export the audit trail.",
    "gameday": "Play a scenario through the whole path, against local fakes.",
    "canary": "Prove that a takeover comes out at the other end; alarm if not.",
    "simulate": "Write the logs of a simulated organisation under attack.",
    "demo": "Simulate a company, find the takeover in it, and show it.",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"quivive.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever reads has enough: the rest goes nowhere
            _to_nowhere()
            raise click.exceptions.Exit(0) from None
        except SystemExit as leaving:  # rich leaves with 1 for the same reason
            if isinstance(leaving.__context__, BrokenPipeError):
                raise click.exceptions.Exit(0) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="quivive")
def cli() -> None:
    """Learns what is usual for every identity, and tells which login is not theirs."""
    seldom()


def main() -> None:
    """Entry point. Exit 0 done, 1 done with rejects under --strict, 2 usage or configuration."""
    from quivive.model.errors import ConfigurationError

    try:
        code = cli(standalone_mode=False)  # the code of an Exit; None where there was none
        _flush()
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except ConfigurationError as error:
        from quivive.cli.shared import printable

        for line in f"quivive: {error}".splitlines():
            click.echo(printable(line), err=True)
        sys.exit(2)
    except OSError as error:  # a file that nobody looked at before: a disk that is full…
        if error.filename is None and error.errno not in _UNWRITABLE:
            raise
        from quivive.cli.shared import printable

        _to_nowhere()
        where = error.filename or "the output"
        todo = _UNWRITABLE.get(error.errno or 0, "")
        click.echo(printable(f"quivive: {where}: {error.strerror}{todo}"), err=True)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


_ROOM = "; make room where it goes, then run it again"
_UNWRITABLE = {errno.ENOSPC: _ROOM, errno.EDQUOT: _ROOM, errno.EFBIG: _ROOM, errno.EIO: ""}


def _flush() -> None:
    """Writes what is left of the output now, while what goes wrong with it can still be said."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _to_nowhere()
    except ValueError:  # closed
        return


def _to_nowhere() -> None:
    """What could not be written is not tried again when the process ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # no descriptor of its own
        return
