"""What goes wrong with a store. Apart from the store itself, which takes long to import."""

from quivive.model.errors import ConfigurationError


class StoreError(ConfigurationError):
    """The store cannot be used; the message says which one, why, and what to do."""


class StoreUnavailable(StoreError):  # noqa: N818
    """The store cannot be used now: full, gone, in use. The same again later may succeed."""
