"""Policy files: read, checked, and the one that comes with Quivive."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from quivive.app.errors import UsageError
from quivive.policy.check import check
from quivive.policy.file import Parsed, parse
from quivive.policy.marks import MOST_BYTES
from quivive.policy.problems import Problem
from quivive.policy.rules import Policy, PolicyError

SHIPPED_FILE = "default.yaml"
PROBLEMS_SHOWN = 20


class Checked(NamedTuple):
    """A policy file and all that is wrong with it."""

    file: str
    text: str
    parsed: Parsed
    problems: list[Problem]

    @property
    def errors(self) -> list[Problem]:
        """What keeps it from being used."""
        return [p for p in self.problems if p.level == "error"]

    def policy(self) -> Policy:
        """The policy. Raises PolicyError naming every error with file, line and column."""
        found = self.parsed.policy
        if found is None or self.errors:
            lines = [p.said(self.file) for p in self.errors[:PROBLEMS_SHOWN]]
            if len(self.errors) > PROBLEMS_SHOWN:
                lines.append(f"… and {len(self.errors) - PROBLEMS_SHOWN} more")
            raise PolicyError("\n".join(lines))
        return found


@cache
def shipped() -> Policy:
    """The policy that comes with Quivive: the ladder, in shadow. Tests check it, no start does."""
    found = parse(shipped_text()).policy
    assert found is not None
    return found


def shipped_text() -> str:
    """Its text, with comments, to begin one's own with."""
    return files("quivive.policy").joinpath(SHIPPED_FILE).read_text(encoding="utf-8")


def read(path: Path, now: int | None = None) -> Checked:
    """A policy file, checked. ``now``: ms UTC, for what expired.

    Raises UsageError for a file that cannot be read; what is wrong in it is in the answer.
    """
    try:
        with path.open("rb") as stream:
            body = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; check the path") from None
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 ({error.reason}); save it as UTF-8") from None
    return checked_text(text, str(path), now)


def checked_text(text: str, file: str, now: int | None = None, label: str = "") -> Checked:
    """The policy of a text, checked; ``file`` names it in messages."""
    parsed = parse(text, label=label)
    return Checked(file, text, parsed, check(parsed, now))
