"""Which model scores, which looks on, and how one takes the place of another."""

from typing import NamedTuple

import msgspec

from quivive.app.doctor import Check
from quivive.app.errors import UsageError
from quivive.app.keeping import changing, load_state, settled
from quivive.app.registry import signals
from quivive.app.snapshot import encode_parts
from quivive.engine.beside import Beside, Scale, first_scale, measured_by, scale_of
from quivive.engine.state import State
from quivive.policy.budget import Budgets
from quivive.scoring.model import SHIPPED, Model, ModelError, decode_model, usable_trees
from quivive.store.database import Store
from quivive.store.models import MARKER, SHIPPED_NAME, Author, Models

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Scale)


class InUse(NamedTuple):
    """The active model, and the one in shadow with its scale."""

    model: Model = SHIPPED
    beside: Beside | None = None

    def states(self) -> dict[str, bytes]:
        """What a run keeps of them. The marker is written back as it was read: a run that began
        under another model than the one active at its end keeps nothing.
        """
        found = {MARKER: self.model.version.encode()}
        if self.beside is not None:
            found[scale_name(self.beside.model.version)] = _encoder.encode(self.beside.scale)
        return found


def model_of(models: Models, name: str) -> Model:
    """A version's model.

    Raises ModelError when it was changed since it was written, is of another format, or wants a
    signal that is not there.
    """
    if name == SHIPPED_NAME:
        return SHIPPED
    where = f"{models.store.path}: model {name}"
    model = decode_model(models.body(name), where)
    if model.version != name:
        raise ModelError(f"{where}: its body is that of {model.version}; learn it anew")
    usable_trees(model, {told: s.group for s in signals() for told in s.tells})
    return model


def active_model(models: Models) -> Model:
    """The model to score with. Raises ModelError when it cannot be used: never another one."""
    try:
        return model_of(models, models.active())
    except ModelError as error:
        raise ModelError(
            f"{error}\nnothing is scored with another model unasked; to return to the one before:"
            f" quivive models rollback --state {models.store.given}"
        ) from None


def in_use(store: Store, state: State, budgets: Budgets) -> InUse:
    """The models of a store, for one run.

    Raises ModelError when one of them cannot be used, saying how to go on: nothing is ever scored
    with another model in its place.
    """
    models = Models(store)
    store.load(MARKER)
    active = active_model(models)
    name = models.named("shadow")
    if name is None:
        return InUse(active)
    try:
        shadow = model_of(models, name)
    except ModelError as error:
        folder = store.given
        raise ModelError(
            f"{error}\nit is in shadow; to score without it: quivive models retire {name}"
            f" --state {folder} --by NAME --why REASON"
        ) from None
    scale = load_scale(store, name)
    if scale is None:
        scale = first_scale(shadow, state)
    return InUse(active, Beside(shadow, active, budgets, scale))


def model_status(store: Store) -> list[Check]:
    """What ``quivive doctor`` says of the models of a store."""
    models = Models(store)
    found = []
    for name, stands, remedy in (
        (models.active(), "active", "rollback"),
        (models.named("shadow"), "in shadow", "retire"),
    ):
        if name is None:
            continue
        try:
            model_of(models, name)
            found.append(Check(name="model", level="ok", text=f"model {name} is {stands}"))
        except ModelError as error:
            found.append(
                Check(
                    name="model",
                    level="missing",
                    text=str(error),
                    remedy=f"quivive models {remedy} --state {store.given}",
                )
            )
    return found


def scale_name(version: str) -> str:
    """The name of the state that holds the scale of a version."""
    return f"scale:{version}"


def load_scale(store: Store, version: str) -> Scale | None:
    """The scale kept of a version that is not active, or None."""
    body = store.load(scale_name(version))
    try:
        return None if body is None else _decoder.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UsageError(
            f"{store.path}: damaged scale of model {version}: {error}; restore the store"
        ) from None


def switch(store: Store, name: str, action: str, author: Author, *, forced: bool = False) -> str:
    """Makes a version the active one, with its scale, in one transaction; keeps the scale of the
    version before, so that a roll-back returns to exactly that. Returns what was active.

    Raises ModelError when the version cannot be used, StoreError when a run has meanwhile
    written to the store.
    """
    with changing(store, "models"):
        return _switch(store, name, action, author, forced=forced)


def _switch(store: Store, name: str, action: str, author: Author, *, forced: bool) -> str:
    models = Models(store)
    store.load(MARKER)
    settled(store)
    active = models.active()
    model = model_of(models, name)
    state = load_state(store)
    states: dict[str, bytes] = {}
    if state is not None:
        states[scale_name(active)] = _encoder.encode(scale_of(state))
        scale = load_scale(store, name)
        if scale is None and name != SHIPPED_NAME:
            scale = first_scale(model, state)
        if scale is not None:
            measured_by(state, scale)
        states |= encode_parts(state)
    models.activate(name, active, action, author, states, forced=forced)
    return active
