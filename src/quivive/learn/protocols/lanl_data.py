"""Authentication events of Los Alamos National Laboratory, and what its red team did among them.

Kent, "Comprehensive, Multi-Source Cyber-Security Events", Los Alamos National Laboratory, 2015,
https://csr.lanl.gov/data/cyber1: 58 days, 1.05 billion authentication events of 12,425 users, with
749 red-team logins. A line of ``auth.txt`` has nine values between commas, "?" where there is
none: time, source user@domain, destination user@domain, source computer, destination computer,
authentication type, logon type, authentication orientation, Success or Fail. One of
``redteam.txt`` has four: time, user@domain, source computer, destination computer. Time is in
seconds, from 1.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from quivive.learn.protocols.reading import Advance, lines, silent
from quivive.learn.protocols.result import ProtocolError
from quivive.model.event import (
    OCSF_VERSION,
    Activity,
    AuthEvent,
    Device,
    DeviceType,
    Endpoint,
    Metadata,
    Product,
    Service,
    Status,
    Unmapped,
    User,
    UserType,
)

# The year is not told. The data's quiet days are the fourth and fifth: it begins on a Wednesday.
EPOCH_MS = 1_420_588_800_000  # 2015-01-07T00:00:00Z
SECONDS_A_DAY = 86_400
PRODUCT = Product(name="LANL authentication", vendor_name="Los Alamos National Laboratory")
LOG = "LANL auth"
AUTH_COLUMNS = 9
REDTEAM_COLUMNS = 4
MACHINES = frozenset(
    ("ANONYMOUS LOGON", "SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE", "LocalSystem")
)
_ACTIVITIES = {
    "LogOn": Activity.LOGON,
    "ScreenUnlock": Activity.LOGON,
    "AuthMap": Activity.LOGON,
    "TGT": Activity.AUTHENTICATION_TICKET,
    "TGS": Activity.SERVICE_TICKET,
}
NO_LOGINS = frozenset(("LogOff", "ScreenLock"))
_UNATTENDED = frozenset(("Batch", "Service"))


class Line(NamedTuple):
    """One line of ``auth.txt``; None where it has "?". ``time`` is in seconds, from 1."""

    time: int
    user: str
    target_user: str | None
    source: str | None
    target: str | None
    method: str | None
    logon_type: str | None
    orientation: str | None
    success: bool


class RedTeam(NamedTuple):
    """What identifies a red-team login: the whole of a line of ``redteam.txt``."""

    time: int
    user: str
    source: str
    target: str


class AuthLines:
    """The lines of ``auth.txt``. ``broken`` counts those left out, ``first_broken`` says why."""

    KEPT = 5
    DOUBTED = 1000

    def __init__(self, path: Path, advance: Advance = silent) -> None:
        """Opens nothing yet. ``advance`` is told the bytes read."""
        self.path = path
        self.read = 0
        self.broken = 0
        self.first_broken: list[str] = []
        self._advance = advance

    def __iter__(self) -> Iterator[list[str]]:
        """The nine values of every line that has them.

        Raises ProtocolError where the first thousand lines have none among them that does.
        """
        for text in lines(self.path, self._advance):
            self.read += 1
            values = text.rstrip("\r\n").split(",")
            if len(values) == AUTH_COLUMNS:
                yield values
            else:
                self.drop(f"{len(values)} values between commas, not {AUTH_COLUMNS}")
                if self.broken == self.read == self.DOUBTED:
                    break
        if self.read and self.broken == self.read:
            raise ProtocolError(
                f"{self.first_broken[0]}, nor in any other line: no auth.txt of"
                " https://csr.lanl.gov/data/cyber1"
            )

    def drop(self, reason: str) -> None:
        """Counts the line last read as broken."""
        self.broken += 1
        if len(self.first_broken) < self.KEPT:
            self.first_broken.append(f"{self.path}:{self.read}: {reason}")

    def parse(self, values: list[str]) -> Line | None:
        """The line of its values; None, counted as broken, where one cannot be read."""
        time, user, outcome = values[0], values[1], values[8]
        if not time.isdecimal():
            self.drop(f"time: no number of seconds: {time[:40]!r}")
            return None
        if outcome != "Success" and not outcome.startswith("Fail"):
            self.drop(f"neither Success nor Fail: {outcome[:40]!r}")
            return None
        if user in ("?", ""):
            self.drop("source user: none")
            return None
        target_user, source, target, method, logon_type, orientation = (
            None if value in ("?", "") else value for value in values[2:8]
        )
        return Line(
            time=int(time),
            user=user,
            target_user=target_user,
            source=source,
            target=target,
            method=method,
            logon_type=logon_type,
            orientation=orientation,
            success=outcome == "Success",
        )


def red_team(path: Path) -> frozenset[RedTeam]:
    """The logins of the red team. Raises ProtocolError naming file and line."""
    found = set()
    for number, text in enumerate(lines(path), start=1):
        values = text.strip().split(",")
        if values == [""]:
            continue
        if len(values) != REDTEAM_COLUMNS or not values[0].isdecimal():
            raise ProtocolError(
                f"{path}:{number}: not time, user@domain, source computer, destination computer:"
                f" {text.strip()[:60]!r}; name redteam.txt of https://csr.lanl.gov/data/cyber1"
            )
        found.add(RedTeam(int(values[0]), values[1], values[2], values[3]))
    if not found:
        raise ProtocolError(f"{path}:1: empty; the red team's logins are the labels")
    return frozenset(found)


def is_machine(user: str) -> bool:
    """Whether a user@domain is a computer's account or one of Windows' own."""
    name = user.partition("@")[0]
    return name.endswith("$") or name in MACHINES


def event_of(line: Line, sequence: int | None = None) -> AuthEvent:
    """The line as an event.

    The source computer is the device, the destination what was logged in to; a ticket or logon for
    another user than the source user is a role taken. Computer accounts are services.
    """
    role = line.target_user if line.target_user not in (None, line.user) else None
    kind = UserType.SERVICE if is_machine(line.user) else UserType.USER
    unattended = line.logon_type in _UNATTENDED or None
    unmapped = Unmapped(role=role, non_interactive=unattended) if role or unattended else None
    use = "/".join(part for part in (line.orientation, line.logon_type) if part is not None)
    device = source = target = None
    if line.source is not None:
        device = Device(type_id=DeviceType.UNKNOWN, hostname=line.source)
        source = Endpoint(hostname=line.source)
    if line.target is not None:
        target = Endpoint(hostname=line.target)
    return AuthEvent(
        time=EPOCH_MS + line.time * 1000,
        activity_id=_ACTIVITIES.get(line.orientation or "", Activity.LOGON),
        status_id=Status.SUCCESS if line.success else Status.FAILURE,
        # The whole user@domain is the name: the same user of two domains may be two people.
        user=User(name=line.user, type_id=kind),
        metadata=Metadata(version=OCSF_VERSION, product=PRODUCT, log_name=LOG, sequence=sequence),
        service=Service(name=use) if use else None,
        src_endpoint=source,
        dst_endpoint=target,
        device=device,
        auth_protocol=line.method,
        logon_type=line.logon_type,
        unmapped=unmapped,
    )
