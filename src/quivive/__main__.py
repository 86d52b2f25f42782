"""``python -m quivive``: the command, where its script is not on the PATH."""

from quivive.cli.main import main

main()
