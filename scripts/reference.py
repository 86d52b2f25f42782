"""Writes docs/reference from the code itself: sources, signals, commands, output, bounds.

``make reference`` writes them, and a test fails when one is stale. Nothing here is taken from
a clock, a terminal or the environment.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # when it is run as a file

from scripts.pages.api import api_page  # noqa: E402
from scripts.pages.attacks import attacks_page  # noqa: E402
from scripts.pages.bounds import bounds_page  # noqa: E402
from scripts.pages.cli import cli_page  # noqa: E402
from scripts.pages.fetchers import fetchers_page  # noqa: E402
from scripts.pages.notifiers import notifiers_page  # noqa: E402
from scripts.pages.output import output_page  # noqa: E402
from scripts.pages.policy import policy_page  # noqa: E402
from scripts.pages.responses import responses_page  # noqa: E402
from scripts.pages.signals import signals_page  # noqa: E402
from scripts.pages.sources import sources_page  # noqa: E402
from scripts.pages.telemetry import telemetry_page  # noqa: E402

FOLDER = ROOT / "docs" / "reference"

GENERATED = {
    "api.md": api_page,
    "fetchers.md": fetchers_page,
    "notifiers.md": notifiers_page,
    "responses.md": responses_page,
    "sources.md": sources_page,
    "signals.md": signals_page,
    "attacks.md": attacks_page,
    "cli.md": cli_page,
    "output.md": output_page,
    "policy.md": policy_page,
    "bounds.md": bounds_page,
    "telemetry.md": telemetry_page,
}


def main() -> None:
    """Writes the pages."""
    for name, text in GENERATED.items():
        (FOLDER / name).write_text(text(), encoding="utf-8")
        print(FOLDER / name)


if __name__ == "__main__":
    main()
