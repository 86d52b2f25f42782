"""Regular expressions of Sigma rules, in time linear in the text whatever the expression.

The ``cel`` package's engine (RE2's kind) answers; it compiles an expression each time it is asked,
so answers are remembered. What backtracking alone can do, look-around and back-references, is
refused when the rule is read.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from quivive.sigma.flaw import SigmaFlaw

if TYPE_CHECKING:
    import cel

MOST_PATTERN = 1_000  # characters
REMEMBERED = 16_384  # answers
SHORT = 512  # characters of a text whose answer is remembered
MOST_TEXT = 16_384  # characters of a text that are looked at
_FAULTS = (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError)


def check(pattern: str) -> None:
    """Raises SigmaFlaw for what is no regular expression here."""
    import cel

    if len(pattern) > MOST_PATTERN:
        raise SigmaFlaw(
            f"a regular expression of {len(pattern):,} characters",
            f"{MOST_PATTERN:,} are the most; use contains, or two rules",
        )
    try:
        cel.evaluate("''.matches(pattern)", {"pattern": pattern})
    except _FAULTS:
        raise SigmaFlaw(
            f"{pattern[:60]!r} is no regular expression, or too large a one",
            "use RE2's syntax, without look-around and back-references",
        ) from None


def matches(pattern: str, text: str) -> bool:
    """Whether the expression is found anywhere in the text."""
    return _remembered(pattern, text) if len(text) <= SHORT else _asked(pattern, text[:MOST_TEXT])


@lru_cache(1)
def _program() -> "cel.Program":
    import cel

    return cel.compile("text.matches(pattern)")


def _asked(pattern: str, text: str) -> bool:
    try:
        return _program().execute({"text": text, "pattern": pattern}) is True
    except _FAULTS:
        return False


_remembered = lru_cache(REMEMBERED)(_asked)


def forget() -> None:
    """Forgets the texts that are remembered: somebody in them has to be forgotten."""
    _remembered.cache_clear()
