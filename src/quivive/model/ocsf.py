"""Events to and from OCSF JSON.

The class constants every Authentication object carries are spliced in while encoding, so that
events in memory hold only what varies.
"""

from functools import lru_cache

import msgspec

from quivive.model.event import AuthEvent

CATEGORY_UID = 3
CLASS_UID = 3002
SEVERITY_INFORMATIONAL = 1

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AuthEvent)


def encode_event(event: AuthEvent) -> bytes:
    """One OCSF Authentication object as compact JSON."""
    return _constants(event.activity_id) + _encoder.encode(event)[1:]


@lru_cache(maxsize=256)
def _constants(activity_id: int) -> bytes:
    return (
        f'{{"category_uid":{CATEGORY_UID},"class_uid":{CLASS_UID},'
        f'"type_uid":{CLASS_UID * 100 + activity_id},'
        f'"severity_id":{SEVERITY_INFORMATIONAL},'
    ).encode()


def decode_event(body: bytes) -> AuthEvent:
    """The event of one OCSF Authentication object; fields Quivive does not use are dropped.

    Raises msgspec.ValidationError naming the path of a field of the wrong type.
    """
    return _decoder.decode(body)
