"""A circumstance that a person vouches for, and that ends: travel, a window, a safelist entry."""

from typing import Literal

from msgspec import Struct

ContextKind = Literal[
    "safelist",
    "travel",
    "maintenance",
    "deploy",
    "campaign",
    "grace",
    "vip",
    "countries",
    "override",
    "break_glass",
]


class Context(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One circumstance. It applies to a login that meets every list that is not empty.

    begins, ends: ms UTC, event time; it holds from ``begins`` until just before ``ends``.
    identities: names as scored lines give them, or "@example.com" for a whole domain.
    addresses: single ones and CIDR blocks. networks: AS numbers. services: names or ids of what
    is logged in to. countries: ISO codes: of a journey, or the only ones allowed.
    margin: what a campaign takes off the risk that rules see. action: what an override does.
    """

    id: str
    kind: ContextKind
    reason: str
    owner: str
    begins: int
    ends: int
    identities: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    devices: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    margin: float = 0.0
    action: str | None = None
