"""Every judged login as a row of Parquet, for audits, reports and backtests.

TELEMETRY/day=YYYY-MM-DD/run-N-part-M.parquet: a file for each day (of event time, UTC) that a part
touches; N is the run (0 a server's), M the position of the part's first line in it. A part is
written under another name first, on the disk before it is renamed, and always before the
transaction that says how far telemetry is: so what a crash leaves is written again under the same
names, and nothing is lost or there twice.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from quivive.model.assessment import Decision, Reason
from quivive.model.event import AuthEvent
from quivive.store.database import Store, assessments, metadata
from quivive.store.errors import StoreError, StoreUnavailable
from quivive.store.schema import upsert

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "telemetry"
DAY_MS = 86_400_000
PART_LOGINS = 20_000  # of a part that is written from the store
_NAME = re.compile(r"run-(\d+)-part-(\d+)\.parquet")

# How far the telemetry of each run is: all its lines up to this position are in files.
marks = sa.Table(
    "telemetry",
    metadata,
    sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, nullable=False),
)


class Line(NamedTuple):
    """One output line, and its position in its run."""

    position: int
    body: bytes


class _Login(Struct, kw_only=True):
    """An output line, as far as it becomes columns."""

    event: AuthEvent
    id: str
    identity: str
    identity_kind: str
    risk_score: float
    risk_level: str
    confidence: float
    finding: bool
    threshold: float
    score: float
    decision: Decision
    reasons: tuple[Reason, ...]
    looks_like: str = ""
    otherwise: str = ""
    not_evaluable: tuple[str, ...] = ()
    low_history: bool = False
    short_road: bool = False
    repeated: int = 0


# Column: type, and where it comes from: OCSF's path under event, with _ for the dots. Times are
# UTC without saying so: not every reader knows zones.
COLUMNS: dict[str, tuple[str, str]] = {
    "id": ("string", "id"),
    "time": ("timestamp", "event.time"),
    "identity": ("string", "identity"),
    "identity_kind": ("string", "identity_kind"),
    "risk_score": ("double", "risk_score"),
    "risk_level": ("string", "risk_level"),
    "confidence": ("double", "confidence"),
    "finding": ("bool", "finding"),
    "threshold": ("double", "threshold"),
    "score": ("double", "score"),
    "decision_action": ("string", "decision.action"),
    "decision_mode": ("string", "decision.mode"),
    "decision_rule": ("string", "decision.rule"),
    "decision_policy": ("string", "decision.policy"),
    "looks_like": ("string", "looks_like"),
    "otherwise": ("string", "otherwise"),
    "low_history": ("bool", "low_history"),
    "short_road": ("bool", "short_road"),
    "repeated": ("int64", "repeated"),
    "activity_id": ("int64", "event.activity_id"),
    "status_id": ("int64", "event.status_id"),
    "status_code": ("string", "event.status_code"),
    "status_detail": ("string", "event.status_detail"),
    "user_name": ("string", "event.user.name"),
    "user_uid": ("string", "event.user.uid"),
    "user_email_addr": ("string", "event.user.email_addr"),
    "user_type_id": ("int64", "event.user.type_id"),
    "user_credential_uid": ("string", "event.user.credential_uid"),
    "actor_user_name": ("string", "event.actor.user.name"),
    "actor_app_name": ("string", "event.actor.app_name"),
    "service_name": ("string", "event.service.name"),
    "service_uid": ("string", "event.service.uid"),
    "src_endpoint_ip": ("string", "event.src_endpoint.ip"),
    "src_endpoint_location_country": ("string", "event.src_endpoint.location.country"),
    "src_endpoint_location_region": ("string", "event.src_endpoint.location.region"),
    "src_endpoint_location_city": ("string", "event.src_endpoint.location.city"),
    "src_endpoint_location_lat": ("double", "event.src_endpoint.location.lat"),
    "src_endpoint_location_long": ("double", "event.src_endpoint.location.long"),
    "src_endpoint_autonomous_system_number": (
        "int64",
        "event.src_endpoint.autonomous_system.number",
    ),
    "src_endpoint_autonomous_system_name": ("string", "event.src_endpoint.autonomous_system.name"),
    "dst_endpoint_hostname": ("string", "event.dst_endpoint.hostname"),
    "device_uid": ("string", "event.device.uid"),
    "device_name": ("string", "event.device.name"),
    "device_os_name": ("string", "event.device.os.name"),
    "device_is_managed": ("bool", "event.device.is_managed"),
    "http_request_user_agent": ("string", "event.http_request.user_agent"),
    "session_uid": ("string", "event.session.uid"),
    "is_mfa": ("bool", "event.is_mfa"),
    "auth_protocol": ("string", "event.auth_protocol"),
    "logon_type": ("string", "event.logon_type"),
    "unmapped_operation": ("string", "event.unmapped.operation"),
    "unmapped_resource": ("string", "event.unmapped.resource"),
    "unmapped_role": ("string", "event.unmapped.role"),
    "unmapped_runner": ("string", "event.unmapped.runner"),
    "unmapped_network_kind": ("string", "event.unmapped.network_kind"),
    "unmapped_vendor_risk": ("string", "event.unmapped.vendor_risk"),
    "unmapped_non_interactive": ("bool", "event.unmapped.non_interactive"),
    "metadata_product_name": ("string", "event.metadata.product.name"),
    "metadata_log_name": ("string", "event.metadata.log_name"),
    "metadata_uid": ("string", "event.metadata.uid"),
    "metadata_sequence": ("int64", "event.metadata.sequence"),
    "metadata_event_code": ("string", "event.metadata.event_code"),
    "metadata_original_time": ("string", "event.metadata.original_time"),
    "metadata_correlation_uid": ("string", "event.metadata.correlation_uid"),
}
MADE = {
    "run": "which run judged it; 0 is a server",
    "position": "its line in that run, from 1",
    "reasons": "what spoke against it: (signal, weight in nats, text)",
    "not_evaluable": "the signals that could say nothing",
}
_decoder = msgspec.json.Decoder(_Login)


class Parts:
    """The files of one store's telemetry. Needs pyarrow."""

    at: Callable[[str], None] = staticmethod(lambda _: None)

    def __init__(self, folder: Path) -> None:
        """``folder`` is made when the first part is written.

        Raises StoreError when pyarrow is not installed.
        """
        self.folder = folder
        try:
            import pyarrow.parquet as _  # noqa: F401
        except ImportError:
            raise StoreError("--telemetry: needs pyarrow: install quivive[analytics]") from None

    def write(self, run: int, lines: Sequence[Line]) -> None:
        """Writes consecutive lines of a run, as one part.

        Raises StoreUnavailable when they cannot be written now, StoreError for a damaged line.
        """
        if not lines:
            return
        days: dict[int, list[tuple[int, _Login]]] = {}
        for line in lines:
            login = _login(line)
            days.setdefault(login.event.time // DAY_MS, []).append((line.position, login))
        for day, logins in sorted(days.items()):
            self._write(self.path(day, run, lines[0].position), _table(run, logins))

    def path(self, day: int, run: int, first: int) -> Path:
        """Where the logins of a part are that belong to a day (since 1970)."""
        return self.folder / f"day={_date(day)}" / f"run-{run}-part-{first}.parquet"

    def _write(self, path: Path, table: "pa.Table") -> None:
        import pyarrow.parquet as pq

        hidden = path.with_name(f".{path.name}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with hidden.open("wb") as stream:
                pq.write_table(table, stream, compression="zstd")
                stream.flush()
                os.fsync(stream.fileno())
            self.at("before-part-rename")
            hidden.replace(path)
            _sync(path.parent)
        except OSError as error:
            raise StoreUnavailable(
                f"{path.parent}: {error.strerror}; nothing of this was kept: make room, or the"
                " folder writable, then run it again"
            ) from None
        self.at("after-part-rename")

    def rewrite(self, path: Path, table: "pa.Table") -> None:
        """Puts other content into a file; without rows the file goes. Raises StoreUnavailable."""
        if table.num_rows:
            self._write(path, table)
        else:
            path.unlink(missing_ok=True)

    def files(self) -> Iterator[tuple[Path, str, int, int]]:
        """Every file, with its day (YYYY-MM-DD), its run and the position of its part."""
        for path in sorted(self.folder.glob("day=*/run-*.parquet")):
            found = _NAME.fullmatch(path.name)
            if found:
                day = path.parent.name.removeprefix("day=")
                yield path, day, int(found[1]), int(found[2])

    def tidy(self, written: Mapping[int, int]) -> int:
        """Removes parts that no transaction knows of: what a crash left, which whoever goes on
        writes again. ``written``: the mark of each run. Returns how many files went.
        """
        gone = 0
        for path, _, run, first in list(self.files()):
            if first > written.get(run, 0):
                path.unlink(missing_ok=True)
                gone += 1
        for path in self.folder.glob("day=*/.run-*.tmp"):
            path.unlink(missing_ok=True)
        return gone

    def prune(self, before: int) -> int:
        """Removes the days that ended by ``before`` (ms UTC); returns how many files went."""
        limit, gone = _date(before // DAY_MS), 0
        for path, day, _, _ in list(self.files()):
            if day < limit:
                path.unlink(missing_ok=True)
                gone += 1
        for folder in self.folder.glob("day=*"):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        return gone


def positions(store: Store) -> dict[int, int]:
    """How far the telemetry of each run is."""
    with store.reading() as connection:
        return {row.run: row.position for row in connection.execute(sa.select(marks))}


def mark(connection: sa.Connection, run: int, position: int) -> None:
    """Notes how far the telemetry of a run is, in a transaction."""
    statement = upsert(connection, marks, ("run", "position"), replace=True)
    connection.exec_driver_sql(statement, (run, position))


def lines_after(store: Store, run: int, position: int, limit: int = PART_LOGINS) -> list[Line]:
    """The next lines of a run after one, in order, as far as they are still in the store."""
    table = assessments.c
    query = (
        sa.select(table.position, table.body)
        .where((table.run == run) & (table.position > position))
        .order_by(table.position)
        .limit(limit)
    )
    with store.reading() as connection:
        return [Line(row.position, bytes(row.body)) for row in connection.execute(query)]


def _login(line: Line) -> _Login:
    try:
        return _decoder.decode(line.body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise StoreError(
            f"telemetry: line {line.position} is damaged: {error}; restore the store"
        ) from None


def _table(run: int, logins: Sequence[tuple[int, _Login]]) -> "pa.Table":
    import pyarrow as pa

    arrays: dict[str, Any] = {}
    known: dict[str, list[Any]] = {"": [login for _, login in logins]}
    types = {"timestamp": pa.timestamp("ms"), "double": pa.float64(), "bool": pa.bool_()}
    for name, (kind, path) in COLUMNS.items():
        arrays[name] = pa.array(_values(path, known), types.get(kind) or getattr(pa, kind)())
    arrays["not_evaluable"] = pa.array([x.not_evaluable for _, x in logins], pa.list_(pa.string()))
    reason = pa.struct({"signal": pa.string(), "weight": pa.float64(), "text": pa.string()})
    arrays["reasons"] = pa.array(
        [
            [{"signal": r.signal, "weight": r.weight, "text": r.text} for r in x.reasons]
            for _, x in logins
        ],
        pa.list_(reason),
    )
    arrays["run"] = pa.array([run] * len(logins), pa.int64())
    arrays["position"] = pa.array([position for position, _ in logins], pa.int64())
    return pa.table(arrays)


def _values(path: str, known: dict[str, list[Any]]) -> list[Any]:
    """What stands at a path in each login; None where something on the way is absent. ``known`` has
    the logins themselves under "", and remembers what was on the way.
    """
    found = known.get(path)
    if found is None:
        before, _, step = path.rpartition(".")
        take = attrgetter(step)
        found = [None if one is None else take(one) for one in _values(before, known)]
        known[path] = found
    return found


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
