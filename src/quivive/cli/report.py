"""``quivive report``: what a week came to."""

import time
from pathlib import Path

import click


@click.command("report")
@click.option("--state", metavar="DIR|URL", required=True, help="The state to report on.")
@click.option(
    "--since",
    metavar="DAY|7d",
    help="First day (UTC), or how far back from the last.  [default: 7d]",
)
@click.option("--until", metavar="DAY", help="Last day (UTC).  [default: the newest login's]")
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write one HTML file that asks nobody for anything.",
)
@click.option(
    "--pdf",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Print it to PDF with the Chromium of this machine.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the summary.")
def command(
    state: str,
    since: str | None,
    until: str | None,
    html: Path | None,
    pdf: Path | None,
    as_json: bool,
) -> None:
    """Report on a week: anomalous-login rate, incidents, services, false positives, M1 to M10.

    Nobody is named in it. Without --html and --pdf it prints a summary.
    """
    import msgspec

    from quivive.app.outputs import beside_store
    from quivive.app.weekly import span, weekly
    from quivive.app.weekly_page import page, print_pdf
    from quivive.store.database import Store

    with Store(state, create=False) as store:
        for file in (html, pdf):
            if file is not None:
                beside_store(file, store.folder)
        begin, end = _span(*span(store, None, None), since, until)
        found = weekly(store, time.time_ns() // 1_000_000, begin, end)
    text = page(found) if html is not None or pdf is not None else ""
    if html is not None:
        html.write_text(text, encoding="utf-8")
    if pdf is not None:
        print_pdf(text, pdf)
    if as_json:
        click.echo(msgspec.json.encode(found))
    elif not text:
        from quivive.cli.report_text import summary

        for line in summary(found):
            click.echo(line)
    for file in (html, pdf):
        if file is not None:
            click.echo(f"wrote {file}", err=True)


def _span(begin: int, end: int, since: str | None, until: str | None) -> tuple[int, int]:
    """The stretch asked for. Raises UsageError for what is no time, and for none at all."""
    import re

    from quivive.app.contexts import when
    from quivive.app.errors import UsageError
    from quivive.app.weekly import WEEK
    from quivive.app.weekly_metrics import DAY

    if until is not None:
        end = when(until, end, end) // DAY * DAY + DAY
        begin = end - WEEK
    if since is not None:
        back = re.fullmatch(r"(\d{1,4})\s*d(ays?)?", since.strip())
        begin = end - int(back[1]) * DAY if back else when(since, end, begin) // DAY * DAY
    if begin >= end or end - begin > 366 * DAY:
        raise UsageError("--since: name a day before --until, at most a year back, such as 7d")
    return begin, end
