"""``quivive serve``: judge logins over HTTP, and the console."""

import tempfile
from pathlib import Path

import click

from quivive.cli.shared import (
    budget_options,
    opened_enricher,
    place_options,
    telemetry_options,
)


@click.command("serve")
@click.option("--state", metavar="DIR|URL", help="Keep everything here; without it nothing lasts.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8450, show_default=True, type=click.IntRange(0, 65_535))
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="YAML with the sections server, responses, notify, fetch, kafka and sigma.",
)
@click.option(
    "--policy",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Decide by this policy instead of the active one of the state.",
)
@place_options
@budget_options
@telemetry_options
@click.option(
    "--tls-cert", metavar="FILE", type=click.Path(path_type=Path), help="PEM, with chain."
)
@click.option("--tls-key", metavar="FILE", type=click.Path(path_type=Path), help="PEM.")
@click.option("--insecure", is_flag=True, help="Listen beyond this machine without TLS.")
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
)
@click.option("--no-access-log", is_flag=True, help="No line for every request.")
def command(
    state: str | None,
    host: str,
    port: int,
    config: Path | None,
    policy: Path | None,
    geoip: tuple[str, ...],
    lists: str | None,
    aliases: str | None,
    budgets: tuple[str, ...],
    alerts: int,
    telemetry: bool,
    telemetry_dir: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    insecure: bool,
    log_level: str,
    no_access_log: bool,
) -> None:
    """Judge logins over HTTP: in their own path, or as they are sent; act, and tell people.

    SIGTERM stops it: what was accepted is finished and kept. SIGHUP takes over changed files; bad
    ones are refused, and it goes on as before. Tokens: quivive token create.
    """
    import structlog

    from quivive.app.aliases import load_aliases
    from quivive.app.errors import UsageError
    from quivive.policy.budget import parse_budgets
    from quivive.server import logging
    from quivive.server.app import Server
    from quivive.server.judging import Settings
    from quivive.server.reload import Fresh
    from quivive.server.run import Listen, checked, run
    from quivive.server.settings import ServerSettings, read_settings

    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key go together")
    if (telemetry or telemetry_dir) and not state:
        raise UsageError("--telemetry goes with --state: it is kept in step with a store")
    tls = (tls_cert, tls_key) if tls_cert is not None and tls_key is not None else None
    listen = checked(Listen(host, port, tls, insecure))

    def read() -> Fresh:
        """What the files say: at the start, and whenever they are to be read again."""
        judging = Settings(
            opened_enricher(geoip, lists, structlog.get_logger("quivive.server").warning),
            parse_budgets(budgets, alerts),
            policy,
            load_aliases(Path(aliases)) if aliases else None,
        )
        return Fresh(judging, read_settings(config) if config is not None else ServerSettings())

    logging.configure(log_level, access=not no_access_log)
    judging, settings = read()
    with tempfile.TemporaryDirectory(prefix="quivive-") as folder:
        if state is None:
            _say_what_does_not_last(folder)
        server = Server(
            state or folder,
            judging,
            settings,
            config=config,
            tls=tls is not None,
            lasting=state is not None,
            telemetry=telemetry_dir or telemetry,
            renew=read,
        )
        run(server, listen)


def _say_what_does_not_last(folder: str) -> None:
    """A token for a server that forgets everything at its end."""
    from quivive.app.access import Wanted, create
    from quivive.store.audit import now
    from quivive.store.database import Store

    with Store(folder, lasting=False) as store:
        text, _ = create(store, Wanted("trial", ("admin",)), "quivive serve", now())
    click.echo(
        "without --state nothing is kept: what is learned ends with this process\n"
        f"its token, which may do everything: {text}",
        err=True,
    )
