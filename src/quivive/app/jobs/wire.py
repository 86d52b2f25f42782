"""What the processes of a run say to each other, and how: msgpack in frames over a socket pair."""

import socket
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector

import msgspec
from msgspec import Raw, Struct

from quivive.baseline.observation import Observation
from quivive.engine.resident import Kept
from quivive.engine.shared import Delta, Repeat
from quivive.engine.state import KnownPlace
from quivive.engine.watch import Watched
from quivive.model.assessment import Assessment
from quivive.model.event import AuthEvent

LENGTH = 4  # bytes before each frame that say how long it is
BUFFER = 1 << 20
NOTHING = Raw(b"\xc0")  # the delta of a login that says nothing to others


class Sent(Struct, frozen=True, array_like=True, tag=0):
    """An event for the process of its identity: an Arrival, but for what that process finds out
    itself.
    """

    number: int
    due: int
    name: str
    event: AuthEvent
    identity: str
    lent: KnownPlace | None
    former: str | None
    swept: bool


class Fact(Struct, frozen=True, array_like=True, tag=1):
    """A failure at an address, for all other processes."""

    identity: str
    ip: str | None
    network: str | None
    time: int
    times: int


class Sweep(Struct, frozen=True, array_like=True, tag=2):
    """A day has passed, for all other processes; ``due`` as of the event that said so."""

    due: int
    time: int


class Forward(Struct, array_like=True, tag=3):
    """To a process: what it is to do, and the deltas of the other processes up to ``complete``."""

    items: list[Sent | Fact | Sweep]
    complete: int
    deltas: list[Delta | Repeat]


class Take(Struct, frozen=True, array_like=True, tag=4):
    """To a process: everything before is judged everywhere; give what has changed of the state."""

    due: int


class Saved(Struct, frozen=True, array_like=True, tag=5):
    """To a process: what was taken is committed."""


class Weighty(Struct, frozen=True, array_like=True):
    """A login that more than its risk may be decided about, as far as deciding needs it."""

    event: AuthEvent
    login: Observation
    assessment: Assessment


class Noticed(Struct, frozen=True, array_like=True):
    """What a login says of the logs."""

    login: Observation
    watched: Watched


class Back(Struct, frozen=True, array_like=True):
    """From a process: one login, judged.

    line: as if it were not told. lesson, held: what is kept of what it taught. reach, shared: what
    is known of its identity and address for an incident. weighty: where the line says less.
    """

    number: int
    line: bytes
    kind: str
    risk: float
    repeated: bool
    lesson: bytes | None
    held: str | None
    reach: int
    shared: bool
    weighty: Weighty | None
    noticed: Noticed | None
    delta: Raw


class Done(Struct, frozen=True, array_like=True, tag=6):
    """From a process: logins in the order in which they came to it."""

    logins: list[Back]


class Table(Struct, frozen=True, array_like=True):
    """What has changed of one table of a state."""

    name: str
    rows: list[Kept]
    dropped: list[str]


class Taken(Struct, frozen=True, array_like=True, tag=7):
    """From a process: what has changed of the identities it knows; from the first one also of what
    all of them know: other tables, and parts of the state by name.
    """

    tables: list[Table]
    parts: dict[str, bytes]


class Broken(Struct, frozen=True, array_like=True, tag=8):
    """From a process: it cannot go on. ``unavailable``: the store was not to be reached."""

    unavailable: bool
    text: str


ToWorker = Forward | Take | Saved
FromWorker = Done | Taken | Broken
_encoder = msgspec.msgpack.Encoder()


def framed(message: Struct) -> bytes:
    """A message as it goes over a socket."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH, "big") + body


class Frames:
    """The frames of a stream of bytes that comes in pieces."""

    def __init__(self) -> None:
        self._read = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that are whole by now."""
        read = self._read
        read += data
        at = 0
        while len(read) - at >= LENGTH:
            size = int.from_bytes(read[at : at + LENGTH], "big")
            if len(read) - at - LENGTH < size:
                break
            yield bytes(read[at + LENGTH : at + LENGTH + size])
            at += LENGTH + size
        del read[:at]


class Channel:
    """The parent's end of a socket to one process: never waits for it, so that both can always go
    on. What cannot be sent yet is kept.
    """

    def __init__(self, end: socket.socket, selector: BaseSelector) -> None:
        """``selector`` is told when there is something to write."""
        self.end = end
        self._selector = selector
        self._frames = Frames()
        self._unsent = bytearray()
        self._writing = False
        end.setblocking(False)
        selector.register(end, EVENT_READ, self)

    def send(self, message: Struct) -> None:
        """Sends a message, now or later."""
        self._unsent += framed(message)
        self.write()

    def write(self) -> None:
        """Sends what the other side has room for."""
        unsent = self._unsent
        try:
            while unsent:
                del unsent[: self.end.send(memoryview(unsent)[:BUFFER].tobytes())]
        except BlockingIOError:
            pass
        except OSError:
            unsent.clear()  # it is gone: reading says so
        if bool(unsent) != self._writing:
            self._writing = bool(unsent)
            events = EVENT_READ | EVENT_WRITE if unsent else EVENT_READ
            self._selector.modify(self.end, events, self)

    def read(self) -> list[bytes] | None:
        """The frames that have come, perhaps none; None at the end."""
        try:
            data = self.end.recv(BUFFER)
        except BlockingIOError:
            return []
        except OSError:
            return None
        return list(self._frames.feed(data)) if data else None

    def close(self) -> None:
        """Tells the process that there is nothing more to do."""
        self._selector.unregister(self.end)
        self.end.close()
