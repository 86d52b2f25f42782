"""What a model is: the weights of evidence, as a versioned file that shows tampering.

Everything else that scoring knows is a fold over the events. Weights come from analysts' verdicts
(``quivive learn``), are compared with what is active before they are used, and can be rolled back.
"""

import hashlib
from math import isfinite

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from quivive.model.errors import ConfigurationError

MODEL_FORMAT = 1
LIGHTEST = 0.05  # never silenced: labels exist only where alerts were
HEAVIEST = 5.0
_encoder = msgspec.json.Encoder(order="deterministic")


class ModelError(ConfigurationError):
    """A model that cannot be used; the message says where it is, why, and what to do."""


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weights of the signals in the sum; 1 for a signal that is not named.

    version: what it is called where versions are kept ("shipped" for the built-in one).
    weights: factor (0.05 to 5) on the nats of a signal, by its name.
    digest: SHA-256 of everything else, as hexadecimal; empty while it is only in memory.
    """

    format: int = MODEL_FORMAT
    version: str = "shipped"
    weights: dict[str, float] = msgspec.field(default_factory=dict)
    digest: str = ""


SHIPPED = Model(weights={"weekday": 0.5, "hour": 0.8, "absence": 0.5})


def encode_model(model: Model) -> bytes:
    """The model as JSON with its digest."""
    return _encoder.encode(replace(model, digest=_digest(model)))


def decode_model(body: bytes, where: str) -> Model:
    """The model of some JSON.

    Raises ModelError when it is none, is of another format, was changed after it was written, or
    weighs something out of bounds.
    """
    try:
        model = msgspec.json.decode(body, type=Model)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ModelError(f"{where}: not a model: {error}; learn it anew") from None
    if model.format != MODEL_FORMAT:
        raise ModelError(
            f"{where}: model format {model.format}, this Quivive reads {MODEL_FORMAT};"
            " learn it anew or use the Quivive that wrote it"
        )
    if model.digest != _digest(model):
        raise ModelError(
            f"{where}: changed since it was written (its digest does not fit);"
            " roll back to another version or learn it anew"
        )
    for signal, weight in model.weights.items():
        if not isfinite(weight) or not LIGHTEST <= weight <= HEAVIEST:
            raise ModelError(
                f"{where}: weights.{signal}: {weight} is not within {LIGHTEST} to {HEAVIEST}"
            )
    return model


def _digest(model: Model) -> str:
    return hashlib.sha256(_encoder.encode(replace(model, digest=""))).hexdigest()
