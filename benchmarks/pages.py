"""What the benchmarks write: tables in Markdown, between the markers of a page, and the machine."""

import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

DOCS = Path(__file__).parent.parent / "docs"
END = "<!-- end of generated -->"


def between(old: str, begin: str, new: str, page: str) -> str:
    """A page with what lies between ``begin`` and the next end marker replaced."""
    before, found, rest = old.partition(begin)
    _, end, after = rest.partition(END)
    if not found or not end:
        raise SystemExit(f"{page} lacks {begin} or {END}")
    return f"{before}{begin}\n{new}{END}{after}"


def rewrite(page: Path, begin: str, new: str) -> None:
    """Replaces what is generated in a page; the prose around it stays."""
    old = page.read_text(encoding="utf-8")
    page.write_text(between(old, begin, new, page.name), encoding="utf-8")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """A table in Markdown; every column but the first ``texts`` is of numbers."""
    ruler = ["---"] * texts + ["---:"] * (len(head) - texts)
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ruler, *rows))


def machine() -> dict[str, object]:
    """The machine's shape, and how busy it was when the run began."""
    return {
        "processor": _named("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(_kib("/proc/meminfo", "MemTotal") / 2**20, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "msgspec": msgspec.__version__,
        "sqlite": sqlite3.sqlite_version,
        "load_before": round(os.getloadavg()[0], 2),
    }


def described(shape: Mapping[str, object]) -> str:
    """The machine in one sentence, for the head of a table."""
    return (
        f"{shape['processor']}, {shape['cores']} cores, {shape['memory_gib']} GiB,"
        f" {shape['system']}, {shape['python']}, msgspec {shape['msgspec']}, SQLite"
        f" {shape['sqlite']}; load {shape['load_before']} before the run"
    )


def resident() -> float:
    """Memory of this process now, in MiB; 0 where the system does not say."""
    return _kib("/proc/self/status", "VmRSS") / 1024


def most_resident() -> float:
    """The most memory this process has had, in MiB."""
    return _kib("/proc/self/status", "VmHWM") / 1024


def rounded(value: object) -> object:
    """Four digits are more than the figures bear."""
    if isinstance(value, Mapping):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _named(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _kib(path: str, key: str) -> float:
    return float((_named(path, key).split() or ["0"])[0])
