"""Errors in arguments, files and settings."""

from quivive.model.errors import ConfigurationError


class UsageError(ConfigurationError):
    """Wrong arguments of a command, or a file named in them that cannot be used."""
