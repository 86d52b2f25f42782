"""What a protocol gives: tables, curves and notes, as plain data that a report can show."""

from msgspec import Struct

from quivive.model.errors import ConfigurationError

Cell = str | int | float | None


class ProtocolError(ConfigurationError):
    """Data that a protocol cannot be run on: what is wrong, in which file and line, what to do."""


class Judgement(Struct, frozen=True):
    """What a contender says of a login: its raw score (any scale), and its risk for alerts."""

    score: float
    risk: float


class Table(Struct, frozen=True):
    """Rows under columns. A float is a share (0-1), unless its column's name ends in "(number)".

    None is "cannot be said". ``note`` is what a reader must know to read it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


class Curve(Struct, frozen=True):
    """One line of a figure: curves of the same ``figure`` share its axes. Points by ascending x."""

    figure: str
    name: str
    x: str
    y: str
    points: tuple[tuple[float, float], ...]


class Result(Struct, frozen=True):
    """Everything one run of a protocol found. ``notes`` begin with what the data were."""

    title: str
    tables: tuple[Table, ...]
    curves: tuple[Curve, ...]
    notes: tuple[str, ...]
