"""Why a response did not happen. None of the messages ever holds a secret."""


class RespondError(Exception):
    """A response that did not happen."""


class RefusedError(RespondError):
    """Not asked at all: the login lacks an id, or the settings forbid it.

    Trying again is no use.
    """


class RejectedError(RespondError):
    """The vendor said no. Trying again is no use until somebody has mended something."""

    def __init__(self, text: str, *, status: int = 0) -> None:
        """``status``: the vendor's HTTP status."""
        super().__init__(text)
        self.status = status


class UnavailableError(RespondError):
    """The vendor cannot be asked just now: try again later.

    retry_after: seconds, where the vendor said so. before_sending: the request never left.
    """

    def __init__(
        self, text: str, *, retry_after: float | None = None, before_sending: bool = False
    ) -> None:
        """What is in the way, in words."""
        super().__init__(text)
        self.retry_after = retry_after
        self.before_sending = before_sending
