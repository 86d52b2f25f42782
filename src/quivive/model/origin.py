"""Which request brought a login: passed on with everything that is asked because of it."""

import hashlib
from collections.abc import Mapping

from msgspec import Struct


class Origin(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """request: the id of the request, as the server's log names it. trace: the caller's trace id,
    32 hexadecimal digits; sampled: whether its tracer keeps that trace (W3C Trace Context).
    """

    request: str = ""
    trace: str = ""
    sampled: bool = False

    def headers(self, about: str) -> Mapping[str, str]:
        """``X-Request-ID`` and ``traceparent`` for a request about ``about``, whose span it is.

        The same for the same, so that what is sent again is the same span.
        """
        found = {"X-Request-ID": self.request} if self.request else {}
        if self.trace:
            span = hashlib.sha256(f"{self.trace}\x1f{about}".encode()).hexdigest()[:16]
            found["traceparent"] = f"00-{self.trace}-{span}-{int(self.sampled):02x}"
        return found
