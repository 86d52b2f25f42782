"""The riskiest findings of a report, without names."""

import msgspec
from msgspec import Struct

from quivive.store import trends
from quivive.store.database import Store
from quivive.store.verdicts import Verdicts

TOP = 10


class Notable(Struct, frozen=True, kw_only=True):
    """A finding worth talking about, without a name."""

    id: str
    time: int
    risk: float
    kind: str
    what: str
    country: str
    looks_like: str
    reason: str
    decision: str
    verdict: str


class _Named(Struct):
    name: str | None = None


class _Country(Struct):
    country: str | None = None


class _Source(Struct):
    location: _Country | None = None


class _Metadata(Struct):
    product: _Named


class _Event(Struct):
    time: int
    metadata: _Metadata
    service: _Named | None = None
    src_endpoint: _Source | None = None


class _Reason(Struct):
    signal: str


class _Decision(Struct):
    action: str
    mode: str = ""


class _Told(Struct):
    event: _Event
    id: str
    risk_score: float
    identity_kind: str
    decision: _Decision
    reasons: list[_Reason] = []
    looks_like: str = ""


_told = msgspec.json.Decoder(_Told)


def notable(store: Store, since: int, until: int) -> list[Notable]:
    """The riskiest findings of a stretch of time (ms UTC), the worst first."""
    rows = trends.top(store, since, until, TOP)
    standing = Verdicts(store).on([row.id for row in rows])
    found = []
    for row in rows:
        one = _told.decode(row.body)
        place = one.event.src_endpoint.location if one.event.src_endpoint else None
        service = one.event.service.name if one.event.service else None
        product = one.event.metadata.product.name or ""
        found.append(
            Notable(
                id=one.id,
                time=one.event.time,
                risk=one.risk_score,
                kind=one.identity_kind,
                what=f"{product}: {service}" if service else product,
                country=(place.country if place else None) or "",
                looks_like=one.looks_like,
                reason=", ".join(r.signal.replace("_", " ") for r in one.reasons[:3]),
                decision=f"{one.decision.action} ({one.decision.mode})"
                if one.decision.action != "allow"
                else "allow",
                verdict=standing[row.id].verdict.kind if row.id in standing else "",
            )
        )
    return found
