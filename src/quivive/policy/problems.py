"""What is wrong with a policy, and where."""

from typing import Literal

from msgspec import Struct

Level = Literal["error", "warning"]


class Problem(Struct, frozen=True):
    """One thing that is wrong. line and column count from 1.

    An error keeps the policy from being used; a warning is for a person to look at. code: a
    short name for the kind of problem.
    """

    line: int
    column: int
    level: Level
    code: str
    text: str
    remedy: str

    def said(self, file: str) -> str:
        """One line for people."""
        where = f"{file}:{self.line}:{self.column}"
        return f"{where}: {self.level}: {self.text}; {self.remedy} [{self.code}]"
