"""The one family of errors that are the user's to mend."""


class ConfigurationError(Exception):
    """Wrong arguments, files or settings: what is wrong, where, and what to do about it.

    The command line prints it and exits with 2.
    """
