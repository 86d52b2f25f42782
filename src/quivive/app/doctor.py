"""What ``quivive doctor`` prints: a check of each part of the installation."""

from typing import Literal

from msgspec import Struct


class Check(Struct, frozen=True, kw_only=True):
    """One line of ``quivive doctor``: what was looked at, how it stands, and what repairs it."""

    name: str
    level: Literal["ok", "warn", "missing"]
    text: str
    remedy: str | None = None
