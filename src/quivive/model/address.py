"""E-mail addresses: what looks like one, and what OCSF takes for one."""

import re
from functools import lru_cache

MOST = 320  # characters (RFC 3696)
# Of OCSF 1.8's type email_t: ASCII alone, though addresses may be of any letters (RFC 6531).
_OCSF = re.compile(r"[a-zA-Z0-9!#$%&'*+-/=?^_`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+")


@lru_cache(maxsize=16384)
def mail_address(value: str | None) -> str | None:
    """The value if it looks like an e-mail address or UPN ("a@b.c"), in lower case."""
    if value is None or value.count("@") != 1 or " " in value or len(value) > MOST:
        return None
    local, _, domain = value.partition("@")
    if (
        not local
        or ":" in local
        or "/" in local
        or "." not in domain
        or domain.startswith(".")
        or domain.endswith(".")
    ):
        return None
    return value.lower()


@lru_cache(maxsize=16384)
def is_ocsf(value: str) -> bool:
    """Whether OCSF's schema takes an address for one."""
    return _OCSF.fullmatch(value) is not None


def address_in(name: str | None) -> str | None:
    """The address that a login name is, if it is one that OCSF takes for none."""
    if name is None or "@" not in name or is_ocsf(name):
        return None
    return mail_address(name)
