"""A scored login as pages show it."""

from typing import Any

import msgspec
from msgspec.structs import replace

from quivive.app.notices import service_of, side_of
from quivive.app.output import Line
from quivive.model.assessment import Reason, level_of
from quivive.model.event import AuthEvent, Status
from quivive.model.naming import full_name, source_of
from quivive.model.notification import Side
from quivive.server.console.veil import Veil

_OUTCOMES: dict[int, str] = {Status.FAILURE: "failed", Status.OTHER: "interrupted"}


class Login(Line, kw_only=True, gc=True):
    """A line that ``quivive score`` writes: reference/output.md has every key.

    side: the same as facts in words, without names where the reader may not see them.
    """

    event: AuthEvent
    score: float = 0.0  # a line without these two is shown as well
    reassuring: tuple[Reason, ...] = ()
    side: Side | None = None

    @property
    def full(self) -> str:
        """Its full name, which no other login can have."""
        return full_name(source_of(self.event), self.event.metadata.uid or self.id)

    @property
    def time(self) -> int:
        """Event time, ms UTC."""
        return self.event.time

    @property
    def success(self) -> bool:
        """Whether it got in."""
        return self.event.status_id == Status.SUCCESS

    @property
    def outcome(self) -> str:
        """How it ended, in a word."""
        if self.success:
            return "got in"
        return _OUTCOMES.get(self.event.status_id, "unknown")

    @property
    def product(self) -> str:
        """The log's product."""
        return self.event.metadata.product.name

    @property
    def service(self) -> str:
        """What was logged in to."""
        return service_of(self.event) or ""

    @property
    def what(self) -> str:
        """Product and what was done or logged in to, in a few words."""
        return f"{self.product}: {self.done}" if self.done else self.product

    @property
    def done(self) -> str:
        """What the login was used for, or what it was to."""
        extra = self.event.unmapped
        return extra.operation if extra is not None and extra.operation else self.service

    @property
    def address(self) -> str | None:
        """The address it came from."""
        return self.event.src_endpoint.ip if self.event.src_endpoint else None

    @property
    def country(self) -> str | None:
        """The country's code."""
        source = self.event.src_endpoint
        return source.location.country if source and source.location else None

    @property
    def place(self) -> str:
        """City and country, as far as they are known."""
        source = self.event.src_endpoint
        where = source.location if source else None
        return ", ".join(w for w in (where.city, where.country) if w) if where else ""

    @property
    def network(self) -> str:
        """The operator of the address."""
        source = self.event.src_endpoint
        operator = source.autonomous_system if source else None
        if operator is None:
            return ""
        return " ".join(
            w for w in (f"AS{operator.number}" if operator.number else "", operator.name or "") if w
        )


_decoder = msgspec.json.Decoder(Login)


def read(line: bytes, veil: Veil) -> Login:
    """A scored line; its names are made known to the veil, which hides them in other texts."""
    login = _decoder.decode(line)
    event = login.event
    user, device = event.user, event.device
    veil.know(login.identity)
    if veil.drawn:
        names: list[str | None] = [user.name, user.full_name, user.email_addr, user.uid]
        names += [user.uid_alt, user.credential_uid]
        if device is not None:
            names += [device.name, device.hostname, device.uid]
        if event.actor is not None and event.actor.user is not None:
            names += [event.actor.user.name, event.actor.user.uid, event.actor.user.email_addr]
        if event.session is not None:
            names.append(event.session.uid)
        veil.alias(login.identity, *names)
    login.side = side(login, veil)
    return login


def as_told(login: Login) -> Login:
    """A login of an incident. One that only made it worse, and ranked lower as a repeat, stands
    there like a finding, with the risk that it had before that.
    """
    if login.finding:
        return login
    risk = login.risk_score if login.undamped is None else login.undamped
    return replace(login, finding=True, risk_score=risk, risk_level=level_of(risk))


def side(login: Login, veil: Veil) -> Side:
    """A login's facts. For viewers a device is only its operating system: its name says whose."""
    found = side_of(login.event)
    if not veil.drawn:
        return found
    device = login.event.device
    system = device.os.name if device and device.os else None
    return msgspec.structs.replace(found, ip=veil.address(found.ip), device=system)


def facts(login: Login, before: Login | None) -> list[tuple[str, str, str, bool]]:
    """Name, value, the value of the login before, and whether they differ."""
    mine, other = login.side, before.side if before else None
    rows = []
    for name, label in _FACTS:
        value: Any = getattr(mine, name) or ""
        former: Any = (getattr(other, name) or "") if other else ""
        if value or former:
            rows.append((label, value, former, other is not None and value != former))
    return rows


_FACTS = (
    ("place", "place"),
    ("network", "network"),
    ("ip", "address"),
    ("device", "device"),
    ("client", "client"),
    ("service", "application"),
    ("outcome", "outcome"),
)
