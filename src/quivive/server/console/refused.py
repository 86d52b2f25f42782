"""A request that is not done as it was asked."""


class RefusedError(Exception):
    """A request that is answered with an error page: what is wrong, and what to do."""

    def __init__(self, status: int, title: str, text: str = "") -> None:
        """``status`` is HTTP's."""
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
