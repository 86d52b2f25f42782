"""Questions to the telemetry in SQL, by DuckDB: reading only, no network, within limits.

One SELECT at a time; the only files that can be read are those of the telemetry; extensions are
neither installed nor loaded; memory, threads, time and rows are bounded, and nothing spills to the
disk.
"""

import threading
from pathlib import Path
from typing import Any, NamedTuple

from quivive.model.errors import ConfigurationError
from quivive.store.errors import StoreError

MEMORY_MB = 1024
THREADS = 2
SECONDS = 60.0
ROWS = 10_000
MOST_SQL = 65_536  # characters

# Both by hive partitioning: a condition on day reads only the folders of those days.
_VIEWS = (
    """CREATE VIEW logins AS SELECT *
    FROM read_parquet(getvariable('files'), hive_partitioning = true, union_by_name = true)""",
    """CREATE VIEW latest AS SELECT * FROM logins
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY run DESC, position DESC) = 1""",
)


class QueryError(ConfigurationError):
    """A question cannot be answered; the message says why, and what to do."""


class Answer(NamedTuple):
    """Columns and rows; more: there were more rows than the limit."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: bool = False


class Analytics:
    """The telemetry of one folder: the views ``logins`` (every judged login) and ``latest`` (of
    those that several runs judged, the last).
    """

    def __init__(
        self,
        folder: Path,
        *,
        threads: int = THREADS,
        memory_mb: int = MEMORY_MB,
        seconds: float = SECONDS,
    ) -> None:
        """``seconds``: after which a question is given up.

        Raises StoreError when duckdb is not installed, or when there is no telemetry.
        """
        self.folder, self.seconds = folder.absolute(), seconds
        try:
            import duckdb
        except ImportError:
            raise StoreError("quivive query: needs duckdb: install quivive[analytics]") from None
        if next(folder.glob("day=*/run-*.parquet"), None) is None:
            raise StoreError(
                f"{folder}: no telemetry here; quivive score and quivive serve write it with"
                " --telemetry"
            )
        self._duckdb = duckdb
        self._connection = duckdb.connect(
            config={
                "threads": threads,
                "memory_limit": f"{memory_mb}MB",
                "temp_directory": "",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "allow_unsigned_extensions": False,
            }
        )
        inside = str(self.folder).replace("'", "''")
        for statement in (
            "SET enable_progress_bar = false",
            "SET TimeZone = 'UTC'",
            f"SET allowed_directories = ['{inside}/']",
            "SET enable_external_access = false",
            f"SET VARIABLE files = '{inside}/day=*/run-*.parquet'",
            *_VIEWS,
            "SET lock_configuration = true",
        ):
            self._connection.execute(statement)

    def __enter__(self) -> "Analytics":
        """Itself, closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Lets go of the files."""
        self.close()

    def close(self) -> None:
        """Lets go of the files."""
        self._connection.close()

    def ask(self, sql: str, *parameters: object, rows: int = ROWS) -> Answer:
        """The answer to one SELECT; ``parameters`` take the place of ``?`` in it.

        Raises QueryError for anything but one SELECT, for SQL that DuckDB refuses, and when a limit
        is reached.
        """
        self._check(sql)
        clock = threading.Timer(self.seconds, self._connection.interrupt)
        clock.start()
        try:
            found = self._connection.execute(sql, list(parameters))
            columns = tuple(str(column[0]) for column in found.description or ())
            taken = found.fetchmany(rows + 1)
        except self._duckdb.InterruptException:
            raise QueryError(
                f"no answer within {self.seconds:g} s; ask for fewer days (WHERE day = '…')"
            ) from None
        except self._duckdb.OutOfMemoryException:
            raise QueryError(
                "more memory than a question may take; ask for fewer days or columns"
            ) from None
        except self._duckdb.Error as error:
            if "pytz" in str(error):
                raise QueryError("a time with a zone cannot be shown: add ::TIMESTAMP") from None
            raise QueryError(f"{error}".strip()) from None
        finally:
            clock.cancel()
        return Answer(columns, taken[:rows], len(taken) > rows)

    def _check(self, sql: str) -> None:
        if len(sql) > MOST_SQL:
            raise QueryError(f"over {MOST_SQL} characters; ask something shorter")
        try:
            kinds = [s.type for s in self._duckdb.extract_statements(sql)]
        except self._duckdb.Error as error:
            raise QueryError(f"{error}".strip()) from None
        if kinds != [self._duckdb.StatementType.SELECT]:
            raise QueryError("one SELECT at a time, and nothing else: telemetry is only read")
