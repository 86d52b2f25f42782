"""The engine's state as bytes: in parts, as a store keeps it, or whole, to copy and compare it."""

from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct, field

from quivive.app.errors import UsageError
from quivive.baseline.directory import Directory
from quivive.baseline.monitor import Monitor
from quivive.baseline.novelty import Novelty
from quivive.baseline.profile import AddressState, Organisation, Profile
from quivive.engine.shared import Pending
from quivive.engine.state import STATE_VERSION, KnownPlace, State
from quivive.policy.budget import Thresholds
from quivive.policy.spending import Spent
from quivive.scoring.calibrate import Calibration

STATE_NAME = "engine"
# What is kept as one value each; identities, addresses, networks and ids seen have tables.
PARTS = (
    "organisation",
    "directory",
    "calibrations",
    "monitor",
    "novelty",
    "thresholds",
    "spent",
    "pending",
)

READ = (2, STATE_VERSION)  # that of before knows no deltas: none are pending

_encoder = msgspec.msgpack.Encoder()


class _Whole(Struct):
    """A state that is all in memory."""

    version: int = STATE_VERSION
    organisation: Organisation = field(default_factory=Organisation)
    profiles: dict[str, Profile] = field(default_factory=dict)
    addresses: dict[str, AddressState] = field(default_factory=dict)
    networks: dict[str, AddressState] = field(default_factory=dict)
    places: dict[str, KnownPlace] = field(default_factory=dict)
    directory: Directory = field(default_factory=Directory)
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    seen: bytes = b""
    monitor: Monitor = field(default_factory=Monitor)
    novelty: Novelty = field(default_factory=Novelty)
    thresholds: Thresholds = field(default_factory=Thresholds)
    spent: Spent = field(default_factory=Spent)
    pending: Pending = field(default_factory=Pending)


_decoder = msgspec.msgpack.Decoder(_Whole)
_version = msgspec.msgpack.Decoder(int)
_decoders = {
    name: msgspec.msgpack.Decoder(hint)
    for name, hint in get_type_hints(State).items()
    if name in PARTS
}


def encode_state(state: State) -> bytes:
    """The whole state as msgpack: the same state gives the same bytes, wherever its parts were."""
    tables: dict[str, Any] = {t.name: dict(sorted(t.entries())) for t in state.tables}
    rest = {name: getattr(state, name) for name in PARTS}
    return _encoder.encode(_Whole(state.version, seen=state.seen.whole(), **rest, **tables))


def decode_state(body: bytes, where: str) -> State:
    """The state of some msgpack. Raises UsageError when damaged or of another version."""
    try:
        whole = _decoder.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise _damaged(where, error) from None
    _check(whole.version, where)
    state = State(**{name: getattr(whole, name) for name in PARTS})
    for table in state.tables:
        table.restore(getattr(whole, table.name), state.organisation.swept)
    state.seen.restore([(0, whole.seen)], 0)
    return state


def encode_parts(state: State) -> dict[str, bytes]:
    """What a store keeps of a state beside its tables, by name."""
    parts = {STATE_NAME: _encoder.encode(state.version)}
    for name in PARTS:
        parts[f"{STATE_NAME}/{name}"] = _encoder.encode(getattr(state, name))
    return parts


def decode_parts(parts: Mapping[str, bytes], where: str) -> State:
    """The state of its parts, without its tables.

    Raises UsageError when damaged or of another version.
    """
    found = {}
    try:
        version = _version.decode(parts[STATE_NAME])
        _check(version, where)
        for name in PARTS:
            body = parts.get(f"{STATE_NAME}/{name}")
            if body is not None:
                found[name] = _decoders[name].decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise _damaged(where, error) from None
    return State(**found)


def _check(version: int, where: str) -> None:
    if version not in READ:
        raise UsageError(
            f"{where}: state version {version}, this Quivive reads {STATE_VERSION};"
            " use the Quivive that wrote it or start anew"
        )


def _damaged(where: str, error: Exception) -> UsageError:
    return UsageError(f"{where}: damaged state: {error}; restore it or start anew")
