"""The canary: a synthetic takeover, put in at one end, looked for at the other.

It is one login with a credential that its vendor calls leaked. That pins its risk without any
history, so that nothing has to be learned beforehand, and what is pinned so high is not learned.
The identity is reserved (``model/canary.py``): one of 1,008 by weekday, hour and tenth minute,
so that one canary does not make the next one a repetition, and the names stay bounded.
"""

from collections.abc import Callable
from io import BytesIO

from msgspec import Struct

from quivive.app import ingest
from quivive.app.gamedays.path import Make
from quivive.app.notifying import KIND
from quivive.enrich.enricher import Enricher
from quivive.inputs.framing import frame
from quivive.model.canary import DOMAIN, PRODUCT
from quivive.model.event import (
    OCSF_VERSION,
    Activity,
    AuthEvent,
    Endpoint,
    Metadata,
    Product,
    Service,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.ocsf import encode_event
from quivive.model.record import RawRecord
from quivive.store.database import Store
from quivive.store.incidents import Incidents
from quivive.store.outbox import StoredOutbox

TEN_MINUTES = 600_000
WEEK = 1_008  # of them
ADDRESS = "203.0.113.77"  # for documentation (RFC 5737): nobody's


class Found(Struct, frozen=True):
    """One link: whether the canary came through it, and how that shows."""

    link: str
    passed: bool
    said: str


def takeover(now: int) -> tuple[str, str, bytes]:
    """Id, identity and OCSF object of a canary at ``now`` (ms UTC)."""
    identity = f"canary-{now // TEN_MINUTES % WEEK}@{DOMAIN}"
    event_id = f"canary-{now}"
    event = AuthEvent(
        time=now,
        activity_id=int(Activity.LOGON),
        status_id=int(Status.SUCCESS),
        user=User(name=identity, email_addr=identity, type_id=int(UserType.USER)),
        metadata=Metadata(
            version=OCSF_VERSION,
            product=Product(name=PRODUCT, vendor_name="Quivive"),
            uid=event_id,
            log_name="canary",
        ),
        src_endpoint=Endpoint(ip=ADDRESS),
        service=Service(name="Canary"),
        unmapped=Unmapped(vendor_risk="leakedCredentials"),
    )
    return event_id, identity, encode_event(event)


def through_store(store: Store, make: Make, clock: Callable[[], int]) -> list[Found]:
    """Puts a canary into a store's own path, and looks for it everywhere behind.

    ``store`` must not be another's to write: raises StoreError while a server runs on it.
    """
    now = clock()
    event_id, identity, body = takeover(now)
    with store.writing("quivive canary"):
        judging = make(store, Enricher(None, None), clock)
        tally = ingest.Tally()
        source = ingest.choose("ocsf")
        assert source is not None
        for record in frame(BytesIO(body + b"\n"), "canary", now):
            if isinstance(record, RawRecord):
                event = ingest.parse(record, source, tally)
                if event is not None:
                    judging.judge("canary", event)
        judging.keep()
        judging.checkpoint()
    return [*of_line(store.assessment(event_id)), *_behind(store, identity, event_id)]


def of_line(line: bytes | None) -> list[Found]:
    """What a scored line says of the canary: finding and decision."""
    from quivive.app.gamedays.path import seen_of

    if line is None:
        return [Found("assessment", False, "it was not judged")]
    seen = seen_of(line)
    finding = f"risk {seen.risk:.1f}: " + ", ".join(reason.signal for reason in seen.reasons)
    decision = seen.decision
    told = f"{decision.action} by {decision.rule} ({decision.mode})"
    return [
        Found("finding", seen.finding, finding),
        Found("decision", decision.action != "allow", told),
    ]


def _behind(store: Store, identity: str, event_id: str) -> list[Found]:
    incidents = [i.id for i in Incidents(store).listed() if identity in i.identities]
    rows = StoredOutbox(store, KIND).rows(limit=1_000)
    told = [row.key for row, _, _ in rows if identity.encode() in row.body]
    return [
        Found("incident", bool(incidents), incidents[0] if incidents else "none was opened"),
        Found("notification", bool(told), told[0] if told else f"none waits for {event_id}"),
    ]
