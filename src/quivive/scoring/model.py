"""What a model is: the weights of evidence, as a versioned file that shows tampering.

Everything else that scoring knows is a fold over the events. Weights come from analysts' verdicts
(``quivive learn``), are compared with what is active before they are used, and can be rolled back.
A model learned from history brings the calibrations that its weights came to on it, so that its
risks mean what they say from its first login on.
"""

import hashlib
from collections.abc import Mapping
from math import isfinite

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from quivive.model.errors import ConfigurationError
from quivive.scoring.calibrate import Calibration
from quivive.scoring.stories import ORDINARY
from quivive.scoring.trees import Trees, check_features, read_trees

MODEL_FORMAT = 1
LIGHTEST = 0.05  # never silenced: labels exist only where alerts were
HEAVIEST = 5.0
MOST_CLASSES = 200
MOST_BINS = 2_000
_encoder = msgspec.json.Encoder(order="deterministic")


class ModelError(ConfigurationError):
    """A model that cannot be used; the message says where it is, why, and what to do."""


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weights of the signals in the sum; 1 for a signal that is not named.

    version: what it is called where versions are kept ("shipped" for the built-in one).
    weights: factor (0.05 to 5) on the nats of a signal, by its name.
    calibrations: the distributions of scores these weights gave on history, by class of logins
        ("human/Entra ID"); empty for the shipped model, which begins with none.
    thresholds: the risk from which a login is a finding, where a budget settled it on history, by
        class of identity (human, service or all).
    trees: LightGBM text of trees that rank findings among themselves; empty for none.
    digest: SHA-256 of everything else, as hexadecimal; empty while it is only in memory.
    """

    format: int = MODEL_FORMAT
    version: str = "shipped"
    weights: dict[str, float] = msgspec.field(default_factory=dict)
    calibrations: dict[str, Calibration] = msgspec.field(default_factory=dict)
    thresholds: dict[str, float] = msgspec.field(default_factory=dict)
    trees: str = ""
    digest: str = ""


SHIPPED = Model(
    weights={
        "absence": 0.45,
        "address": 0.55,
        "address_failures": 0.8,
        "auth_method": 0.8,
        "campaign": 0.5,
        "city": 0.65,
        "country": 0.85,
        "credential": 0.8,
        "device": 1.7,
        "failures": 0.8,
        "host": 0.7,
        "hour": 0.75,
        "log": 0.75,
        "mfa_denials": 0.85,
        "network_kind": 1.2,
        "operation": 0.9,
        "os": 0.5,
        "recovery": 1.4,
        "refused_calls": 1.2,
        "resource": 0.65,
        "schedule": 0.85,
        "sensitivity": 0.5,
        "weekday": 0.45,
    }
)


def encode_model(model: Model) -> bytes:
    """The model as JSON with its digest."""
    return _encode(replace(model, digest=_digest(model)))


def decode_model(body: bytes, where: str) -> Model:
    """The model of some JSON.

    Raises ModelError when it is none, is of another format, was changed after it was written, or
    holds something out of bounds.
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
    if (wrong := _wrong(model)) is not None:
        raise ModelError(f"{where}: {wrong}; learn it anew")
    return model


def usable_trees(model: Model, signals: Mapping[str, str]) -> Trees | None:
    """The trees of a model, or None. Raises ModelError when they want a signal not named here."""
    if not model.trees:
        return None
    try:
        trees = read_trees(model.trees)
        check_features(trees, signals)
    except ValueError as error:
        raise ModelError(f"model {model.version}: {error}; roll back or learn it anew") from None
    return trees


def _wrong(model: Model) -> str | None:
    """What is out of bounds in a model, or None."""
    for signal, weight in model.weights.items():
        if not isfinite(weight) or not LIGHTEST <= weight <= HEAVIEST:
            return f"weights.{signal}: {weight} is not within {LIGHTEST} to {HEAVIEST}"
    kinds = " or ".join(ORDINARY)
    for name, threshold in model.thresholds.items():
        if name not in ORDINARY and name != "all":
            return f"thresholds.{name}: no class of identities; {kinds} or all"
        if not isfinite(threshold) or not 0.0 < threshold <= 100.0:
            return f"thresholds.{name}: {threshold} is not within 0 to 100"
    for name, calibration in model.calibrations.items():
        if name.partition("/")[0] not in ORDINARY or len(model.calibrations) > MOST_CLASSES:
            return f"calibrations.{name}: no class of logins; {kinds}, then / and the product"
        if not _sound(calibration):
            return f"calibrations.{name}: no distribution of scores"
    try:
        if model.trees:
            read_trees(model.trees)
    except ValueError as error:
        return str(error)
    return None


def _sound(found: Calibration) -> bool:
    """Whether a calibration is one that observing scores could have led to."""
    counts = [found.total, *found.bins.values()]
    shares = [found.share, *found.body]
    return (
        len(found.bins) <= MOST_BINS
        and all(isfinite(count) and count >= 0 for count in counts)
        and all(0.0 < share <= 1.0 for share in shares)
        and all(isfinite(value) for value in (found.threshold, found.shape, found.width))
        and -0.5 <= found.shape <= 0.5
        and found.width > 0
        and isfinite(found.prior_start)
        and 0 < found.prior_mean <= 100
    )


def _digest(model: Model) -> str:
    return hashlib.sha256(_encode(replace(model, digest=""))).hexdigest()


def _encode(model: Model) -> bytes:
    return _encoder.encode(msgspec.to_builtins(model, str_keys=True))
