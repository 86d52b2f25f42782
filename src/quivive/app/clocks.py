"""How far the clocks of the logs are off: kept beside the state, and told."""

import msgspec

from quivive.app.doctor import Check
from quivive.baseline.clocks import Clocks, large
from quivive.store.database import Store

NAME = "clocks"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Clocks)


def load(store: Store) -> Clocks:
    """What was measured so far. Nothing where that is damaged: a measurement comes again."""
    body = store.load(NAME)
    try:
        return _decoder.decode(body) if body is not None else Clocks()
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Clocks()


def as_state(clocks: Clocks) -> dict[str, bytes]:
    """The measurements as a store keeps them, by name."""
    return {NAME: _encoder.encode(clocks)}


def clock_status(store: Store) -> list[Check]:
    """What ``quivive doctor`` says of clocks and late records; nothing where none was measured."""
    clocks = load(store)
    if not clocks.sources:
        return []
    off = large(clocks)
    if not off:
        count = len(clocks.sources)
        text = f"{count} sources, none of them noticeably off or late"
        return [Check(name="clocks", level="ok", text=text)]
    return [
        Check(
            name="clock",
            level="warn",
            text=f"{source}: {text}",
            remedy="set the clock by NTP where the log is written, or see what delays it",
        )
        for source, text in off
    ]
