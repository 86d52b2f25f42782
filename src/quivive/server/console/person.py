"""Everything of one identity: its logins drawn over time, what is usual for it, what waits."""

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address, ip_network

import msgspec
from markupsafe import Markup
from msgspec import Struct

from quivive.app import past
from quivive.app.past import Seen
from quivive.app.scatter import scatter
from quivive.app.worldmap import Spot, draw, spots_of
from quivive.baseline.profile import Held, Profile, Waiting
from quivive.baseline.tables import OTHER
from quivive.model.audit import Record
from quivive.model.context import Context
from quivive.model.incident import Incident
from quivive.server.console.login import Login, read
from quivive.server.console.veil import Veil
from quivive.store import identities, views
from quivive.store.database import Store
from quivive.store.incidents import Incidents
from quivive.store.policies import Policies
from quivive.store.verdicts import Given

DRAWN = 20_000  # newest logins of an identity that the figure and the histories are made from
LOOKS = 20
INCIDENTS = 12
USUAL = 4
HOUR = 3_600_000
# What is usual, of a profile's tables: which, and what it is called.
TABLES = (
    ("country", "Country"),
    ("city", "City"),
    ("operator", "Network (AS)"),
    ("os", "System"),
    ("client", "Client"),
    ("application", "Application"),
    ("hour", "Hour (UTC)"),
)
_profile = msgspec.msgpack.Decoder(Profile)


class Usual(Struct):
    """What is usual of one thing: categories with their share (0-1), and how many more."""

    title: str
    top: list[tuple[str, float]]
    more: int


class Person(Struct, kw_only=True):
    """One identity. held and waiting: what was not learned, or not yet."""

    identity: str
    kind: str
    summary: views.Summary
    figure: Markup
    map: Markup
    spots: list[Spot]
    by: str
    rows: list[Seen]
    drawn: int
    devices: list[Seen]
    sessions: list[Seen]
    addresses: list[Seen]
    profile: Profile | None
    usual: list[Usual]
    held: list[Held]
    waiting: list[Waiting]
    contexts: list[Context]
    verdicts: list[tuple[Given, int]]
    incidents: list[Incident]
    looks: list[Record]


def of(store: Store, identity: str, by: str, veil: Veil, land: str = "") -> Person | None:
    """Reads everything of an identity; None for one without logins. It blocks. land: the URL of
    the map's outline.
    """
    summary = views.summary(store, identity)
    if summary is None:
        return None
    newest = read(views.page(store, views.Wanted(identity=identity, limit=1))[0].body, veil)
    history = []
    for row in identities.history(store, identity, DRAWN):
        with suppress(msgspec.DecodeError, msgspec.ValidationError):
            history.append(past.read(row.body, row.finding))
    shown = [_veiled(login) for login in history] if veil.drawn else history
    points = past.points(shown, by)
    spots, ways = spots_of(past.visits(history))
    rows = past.categories(points)
    profile = profile_of(store, identity)
    kept = Incidents(store)
    found = [kept.get(i) for i in identities.incidents_of(store, identity, INCIDENTS)]
    for login in history:
        if veil.drawn:
            veil.alias(identity, login.device, login.session)
    return Person(
        identity=identity,
        kind=newest.identity_kind,
        summary=summary,
        figure=scatter(points, by, fixed=by == "hour"),
        map=draw(spots, ways, land),
        spots=spots,
        by=by,
        rows=sorted(rows, key=lambda row: row.name) if by == "hour" else rows,
        drawn=len(history),
        devices=past.seen(shown, lambda i: i.device or i.os, lambda i: i.city or i.country),
        sessions=past.seen(shown, lambda i: i.session, lambda i: i.ip),
        addresses=past.seen(shown, lambda i: i.ip, lambda i: i.city or i.country or i.network),
        profile=profile,
        usual=_usual(profile) if profile is not None else [],
        held=sorted(profile.held, key=lambda h: -h.last) if profile is not None else [],
        waiting=list(profile.waiting) if profile is not None else [],
        contexts=touching(Policies(store).contexts(), identity, history),
        verdicts=identities.said_of(store, identity),
        incidents=[i for i in found if i is not None],
        looks=identities.looks(store, identity, LOOKS),
    )


def profile_of(store: Store, identity: str) -> Profile | None:
    """What is known of an identity as of the last checkpoint."""
    body = views.profile(store, identity)
    try:
        return None if body is None else _profile.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def stream(
    store: Store, identity: str, size: int, after: tuple[int, str] | None, *, findings: bool,
    veil: Veil,
) -> tuple[list[Login], bool]:  # fmt: skip
    """A page of the event stream, newest first, and whether there are older ones."""
    rows = identities.stream(store, identity, size + 1, after, findings=findings)
    return [read(row.body, veil) for row in rows[:size]], len(rows) > size


def _veiled(login: past.Login) -> past.Login:
    """For viewers: no device but its system, no session."""
    return login._replace(device=None, session=None)


def _usual(profile: Profile) -> list[Usual]:
    """The commonest categories of what people understand, by their decayed share."""
    found = []
    for name, title in TABLES:
        table = profile.own.tables.get(name)
        if table is None or not table.total:
            continue
        merged: dict[str, float] = {}
        for key, count in table.values.items():
            label = "others" if key == OTHER else _label(name, key)
            merged[label] = merged.get(label, 0.0) + count
        ranked = sorted(merged.items(), key=lambda item: (-item[1], item[0]))
        top = [(key, count / table.total) for key, count in ranked[:USUAL]]
        found.append(Usual(title, top, len(ranked) - len(top)))
    return found


def _label(table: str, key: str) -> str:
    """A category in words: what it is conditional on is left out."""
    if table == "hour":
        return f"{key.zfill(2)}:00"
    if table in ("city", "os", "client", "application"):
        return key.rpartition("/")[2] or key
    return key


def touching(
    contexts: Sequence[Context], identity: str, history: Sequence[past.Login]
) -> list[Context]:
    """The contexts that name an identity, or what it logged in with; those that end last first."""
    addresses = {login.ip for login in history if login.ip}
    services = {login.service.lower() for login in history if login.service}
    networks = {login.asn for login in history if login.asn}
    devices = {login.device for login in history if login.device}
    domain = "@" + identity.rpartition("@")[2].lower()

    def touches(context: Context) -> bool:
        if context.identities:
            return any(name.lower() in (identity.lower(), domain) for name in context.identities)
        return (
            bool(services.intersection(name.lower() for name in context.services))
            or bool(networks.intersection(context.networks))
            or bool(devices.intersection(context.devices))
            or any(_within(addresses, block) for block in context.addresses)
        )

    return sorted((c for c in contexts if touches(c)), key=lambda c: -c.ends)


def _within(addresses: set[str], block: str) -> bool:
    with suppress(ValueError):
        net = ip_network(block, strict=False)
        for text in addresses:
            with suppress(ValueError):
                if ip_address(text) in net:
                    return True
    return False
