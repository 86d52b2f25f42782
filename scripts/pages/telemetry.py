"""telemetry.md: the columns of the Parquet files."""

from quivive.store import telemetry
from scripts.pages.markdown import page, table


def telemetry_page() -> str:
    """The columns of the telemetry, from the table that writes them."""
    rows = [
        (f"`{name}`", "timestamp, UTC" if kind == "timestamp" else kind, f"`{path}`")
        for name, (kind, path) in telemetry.COLUMNS.items()
    ]
    made = [(f"`{name}`", about) for name, about in telemetry.MADE.items()]
    return page(
        "Telemetry",
        "A row for every judged login, in `telemetry/day=YYYY-MM-DD/run-N-part-M.parquet` (zstd),"
        " the day being that of the event in UTC. `quivive query` reads it as the views `logins`"
        " (every row, with the column `day`) and `latest` (of logins that several runs judged, the"
        " last). [Running it](../howto/operator.md#telemetry) says how it is written, asked and"
        " deleted.",
        "## From the scored line\n\nThe path is that of [the output](output.md).\n\n"
        + table(("column", "type", "path"), rows),
        "## Beside it\n\n" + table(("column", "what"), made),
    )
