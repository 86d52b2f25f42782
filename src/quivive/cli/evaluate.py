"""``quivive evaluate``: how many incidents are found, at which alert budgets, beside what else."""

import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from click.core import ParameterSource

from quivive.app.errors import UsageError
from quivive.cli.shared import geoip_option, progress, stderr

if TYPE_CHECKING:
    from quivive.app.evaluate import Organisation

T = TypeVar("T")
# what --protocol has no use for
OF_ORGANISATIONS = "budgets test_from without only leave_one_out bootstrap jobs".split()
MOST_BUDGET = 20.0  # percent: above it nobody would look at what is told


@click.command("evaluate")
@click.option("--labels", metavar="FILE", help="Labels (JSON lines) of the logs that are named.")
@geoip_option
@click.option("--simulate", "seeds", metavar="SEEDS",
              help="Simulate organisations first, by seeds separated by commas.")  # fmt: skip
@click.option("--budgets", metavar="SHARES", default="0.1,0.3,0.5,1", show_default=True,
              help="Alert budgets, in percent of all logins of the test window.")  # fmt: skip
@click.option("--test-from", metavar="DATE|DAY",
              help="Where the test window begins: a date, or a day of the logs from 1. "
              "[default: after the first third, or before the first label]")  # fmt: skip
@click.option("--without", multiple=True, metavar="DETECTOR",
              help="Leave a detector out, such as ecod (may be repeated).")  # fmt: skip
@click.option("--only", multiple=True, metavar="DETECTOR",
              help="Compare with this detector alone (may be repeated); "
              "\"quivive\" for none.")  # fmt: skip
@click.option("--leave-one-out", type=click.Choice(["none", "kinds", "organisations"]),
              default="none", show_default=True,
              help="Learn weights from verdicts without some kinds of attack, or without the "
              "organisation itself, and judge them on those.")  # fmt: skip
@click.option("--bootstrap", type=click.IntRange(min=0, max=100_000), default=1000,
              show_default=True, help="Resamples for the intervals.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True,
              help="Organisations to work on at a time.")  # fmt: skip
@click.option("--json", "json_file", metavar="FILE", help="Write the whole result as JSON; - for "
              "standard output.")  # fmt: skip
@click.option("--html", "html_file", metavar="FILE", help="Write a report: one HTML file.")
@click.option("--protocol", type=click.Choice(["rba", "lanl"]),
              help="Run a published protocol instead, on its public data: one CSV, or auth.txt "
              "and redteam.txt.")  # fmt: skip
@click.option("--users", type=click.FloatRange(0, 100, min_open=True), metavar="PERCENT",
              help="Judge so many of a protocol's users. [default: 1 (rba), 5 (lanl)]")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), metavar="ROWS",
              help="Read so many rows of a protocol's data.")  # fmt: skip
@click.argument("inputs", nargs=-1, metavar="FOLDER…|LOG…")
def command(
    labels: str | None,
    geoip: tuple[str, ...],
    seeds: str | None,
    budgets: str,
    test_from: str | None,
    without: tuple[str, ...],
    only: tuple[str, ...],
    leave_one_out: str,
    bootstrap: int,
    jobs: int,
    json_file: str | None,
    html_file: str | None,
    protocol: str | None,
    users: float | None,
    limit: int | None,
    inputs: tuple[str, ...],
) -> None:
    """Measure how many incidents are found, beside simpler detectors.

    Each FOLDER is an organisation that `quivive simulate` wrote. With --labels, the LOGs named are
    one organisation, and the labels say which records an attacker caused; scoring never sees them.
    """
    from quivive.app.evaluation import Settings, evaluate
    from quivive.app.evaluation_page import page
    from quivive.cli.evaluation_tables import show

    _writable(json_file)
    _writable(html_file)
    if protocol is not None:
        if labels or seeds or geoip:
            raise UsageError("--protocol brings its own labels and places; name its data alone")
        context = click.get_current_context()
        for name in OF_ORGANISATIONS:
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                option = f"--{name.replace('_', '-')}"
                raise UsageError(f"{option} says nothing to --protocol {protocol}; leave it out")
        _published(protocol, inputs, users, limit, json_file, html_file)
        return
    if users is not None or limit is not None:
        raise UsageError("--users and --limit go with --protocol")
    settings = Settings(
        budgets=_budgets(budgets),
        test_from=test_from,
        only=only,
        without=without,
        resamples=bootstrap,
        leave_one_out=leave_one_out,
        jobs=jobs,
    )
    with ExitStack() as stack:
        organisations = _organisations(labels, geoip, seeds, inputs, stack)
        logs = [log for one in organisations for log in one.logs]
        with progress(logs, "evaluating") as advance:
            found = evaluate(organisations, settings, advance)
    _write(found, json_file, html_file, page)
    show(found, stderr)


def _published(
    protocol: str,
    inputs: Sequence[str],
    users: float | None,
    limit: int | None,
    json_file: str | None,
    html_file: str | None,
) -> None:
    """Runs a published protocol, writes and shows its result."""
    from quivive.app import ingest, protocols
    from quivive.app.protocol_page import protocol_page
    from quivive.cli.evaluation_tables import show_protocol

    names = {"rba": "its one CSV file", "lanl": "auth.txt and redteam.txt, in this order"}
    if len(inputs) != {"rba": 1, "lanl": 2}[protocol]:
        raise UsageError(f"--protocol {protocol}: name {names[protocol]}")
    if ingest.STDIN in inputs:
        raise UsageError("-: a protocol reads files; name them")
    ingest.check_files(inputs)
    paths = [Path(path) for path in inputs]
    share = {"rba": 0.01, "lanl": 0.05}[protocol] if users is None else users / 100
    with progress(inputs, protocol) as advance:
        if protocol == "rba":
            found = protocols.rba(paths[0], share, limit, advance)
        else:
            found = protocols.lanl(paths[0], paths[1], share, limit, advance)
    _write(found, json_file, html_file, protocol_page)
    show_protocol(found, stderr)


def _budgets(text: str) -> tuple[float, ...]:
    """Shares of "0.1,0.3". Raises UsageError."""
    try:
        found = tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError:
        raise UsageError(f"--budgets {text}: percents separated by commas, as in 0.1,0.5") from None
    if not all(0 < budget <= MOST_BUDGET for budget in found):
        raise UsageError(f"--budgets {text}: each between 0 and {MOST_BUDGET:.0f} percent")
    return tuple(round(budget / 100, 9) for budget in found)


def _organisations(
    labels: str | None,
    geoip: Sequence[str],
    seeds: str | None,
    inputs: Sequence[str],
    stack: ExitStack,
) -> "list[Organisation]":
    from quivive.app import ingest
    from quivive.app.evaluate import Organisation, simulated

    if labels is not None:
        if seeds is not None or not inputs:
            raise UsageError("--labels goes with the logs that it labels, and not with --simulate")
        ingest.check_files(inputs)
        if ingest.STDIN in inputs:
            raise UsageError("-: evaluation reads its logs more than once; name files")
        return [Organisation(Path(labels).stem, list(inputs), labels, list(geoip))]
    if geoip:
        raise UsageError("--geoip goes with --labels; a simulated folder has its own places")
    if seeds is None and not inputs:
        raise UsageError(
            "nothing to evaluate: name folders of `quivive simulate --out`, or --simulate 21,22,"
            " or --labels FILE with logs"
        )
    found = [simulated(Path(folder)) for folder in inputs]
    if seeds is not None:
        found += _simulate(seeds, Path(stack.enter_context(tempfile.TemporaryDirectory())))
    return found


def _simulate(seeds: str, into: Path) -> "list[Organisation]":
    from quivive.app.evaluate import simulated
    from quivive.sim.build import simulate

    try:
        numbers = [int(part) for part in seeds.split(",")]
    except ValueError:
        raise UsageError(f"--simulate {seeds}: seeds separated by commas, as in 21,22") from None
    found = []
    for seed in numbers:
        stderr.print(f"simulating seed {seed}", markup=False)
        simulate(into / f"seed {seed}", seed=seed)
        found.append(simulated(into / f"seed {seed}"))
    return found


def _writable(path: str | None) -> None:
    """Raises UsageError for an output that cannot be written, before the work and not after."""
    if path is None or path == "-":
        return
    target = Path(path)
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise UsageError(f"{path}: not a file in a folder that exists; name one")
    new = not target.exists()
    try:
        target.open("ab").close()
        if new:
            target.unlink()
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); name another") from None


def _write(
    found: T, json_file: str | None, html_file: str | None, page: Callable[[T], str]
) -> None:
    import msgspec

    if json_file is not None:
        body = msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
        if json_file == "-":
            sys.stdout.buffer.write(body)
            sys.stdout.buffer.flush()
        else:
            Path(json_file).write_bytes(body)
    if html_file is not None:
        Path(html_file).write_text(page(found), encoding="utf-8")
