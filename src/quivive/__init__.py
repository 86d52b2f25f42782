"""Quivive: learns what is usual for every identity and tells which login is not theirs."""

__version__ = "0.1.0"
