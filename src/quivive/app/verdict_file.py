"""Reading verdicts from JSON lines or CSV, each with its place in the file."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from quivive.app.verdicts import PROBLEMS_SHOWN, Line, refusal
from quivive.model.verdict import KINDS, Verdict, VerdictError, checked

NEEDED = ("event_id", "verdict", "by", "why")
ALLOWED = frozenset({*NEEDED, "when", "stands"})
MOST_BYTES = 64 << 20


def read_verdicts(path: Path, newest: int) -> list[Line]:
    """The verdicts of a file: JSON lines, or CSV with a header, by its first character.

    What ``quivive verdict list --json`` wrote can be read, too: what no longer stood is left out.
    ``newest`` is the time for those that give none. Raises VerdictError naming every line that
    cannot be read.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise VerdictError(f"{path}: over {MOST_BYTES >> 20} MiB; split it")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise VerdictError(f"{path}: {error.strerror}; name a file of verdicts") from None
    except UnicodeDecodeError as error:
        raise VerdictError(f"{path}: not UTF-8 ({error.reason}); save it as UTF-8") from None
    if not text.strip():
        raise VerdictError(f"{path}: no verdict in it")
    if text.lstrip().startswith("["):
        raise VerdictError(f"{path}: a JSON array; write one object a line (jq -c '.[]')")
    entries = _json(text) if text.lstrip().startswith("{") else _csv(text)
    found, problems = [], []
    try:
        for number, entry in entries:
            where = f"{path}:{number}"
            try:
                verdict = _verdict(entry, newest)
                if not isinstance(entry, dict) or entry.get("stands") is not False:
                    found.append(Line(where, verdict))
            except VerdictError as error:
                problems.append(f"{where}: {error}")
    except VerdictError as error:  # the file itself is at fault
        raise VerdictError(f"{path}:{error}") from None
    if problems:
        shown = problems[:PROBLEMS_SHOWN]
        if len(problems) > len(shown):
            shown.append(f"… and {len(problems) - len(shown)} more")
        raise VerdictError(refusal(shown))
    if not found:
        raise VerdictError(f"{path}: no verdict in it")
    return found


def _json(text: str) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, VerdictError(f"not JSON: {error}")


def _csv(text: str) -> Iterator[tuple[int, object]]:
    rows = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        missing = [name for name in NEEDED if name not in header]
        if missing:
            raise VerdictError(
                f"1: no column {', '.join(missing)}; the header, separated by commas, names"
                f" {', '.join(NEEDED)} and, if known, when"
            )
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                yield rows.line_num, VerdictError(f"{len(row)} fields under {len(header)} columns")
                continue
            entry = dict(zip(header, row, strict=True))
            yield rows.line_num, {k: v for k, v in entry.items() if v.strip() or k != "when"}
    except csv.Error as error:
        raise VerdictError(f"{rows.line_num}: not CSV: {error}") from None


def _verdict(entry: object, newest: int) -> Verdict:
    if isinstance(entry, VerdictError):
        raise entry
    if not isinstance(entry, dict):
        raise VerdictError(f"not an object with {', '.join(NEEDED)}")
    unknown = sorted(set(entry) - ALLOWED)
    if unknown:
        raise VerdictError(
            f"unknown field {', '.join(unknown)}; known: {', '.join(sorted(ALLOWED))}"
        )
    for name in NEEDED:
        value = entry.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            raise VerdictError(f"{name} is missing")
        if not isinstance(value, str):
            raise VerdictError(f"{name} is not text")
    kind = entry["verdict"].strip()
    if kind not in KINDS:
        raise VerdictError(f"no verdict {kind!r}: one of {', '.join(KINDS)}")
    when = newest if entry.get("when") is None else parse_time(entry["when"])
    return checked(
        Verdict(event_id=entry["event_id"], kind=kind, by=entry["by"], why=entry["why"], when=when)
    )


def parse_time(value: object) -> int:
    """A time as ms UTC, from a number of them or ISO 8601 with its zone. Raises VerdictError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if text.isdecimal() and len(text) <= 15:
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise VerdictError(
            f"when is {str(value)[:40]!r}: give ISO 8601 with a zone (2026-01-02T08:12:00Z) or"
            " milliseconds"
        )
    return round(found.astimezone(UTC).timestamp() * 1000)
