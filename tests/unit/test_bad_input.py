"""Hostile and broken inputs: each is located and told, the rest is scored, memory stays bounded."""

import bz2
import gzip
import json
import lzma
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pyarrow
import pytest

from tests.conftest import DATA

OKTA = DATA / "sources" / "okta" / "raw" / "system-log.jsonl"
SSHD = DATA / "sources" / "sshd" / "raw" / "auth.log"
MEMORY_LIMIT = 400 << 20
# Runs the command and tells its peak memory (kB) in the last line of standard error. That of the
# address space: what getrusage says begins with the size of whoever started the process.
PROGRAM = """
import re, sys
from pathlib import Path
from quivive.cli.main import main
try:
    main()
finally:
    status = Path("/proc/self/status").read_text()
    print("peak", re.search(r"VmHWM:\\s+(\\d+)", status)[1], file=sys.stderr)
"""


class Ran(NamedTuple):
    code: int
    lines: list[dict]
    err: str
    peak: int

    @property
    def summary(self) -> tuple[int, int, int]:
        found = re.search(r"^(\d+) events?, (\d+) skipped, (\d+) rejected$", self.err, re.MULTILINE)
        assert found, self.err
        events, skips, rejects = map(int, found.groups())
        return events, skips, rejects


def score(folder: Path, *arguments: object, command: str = "score") -> Ran:
    """In a process of its own: what it wrote and the most memory it held."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, command, *map(str, arguments)],
        capture_output=True, timeout=120, check=False,
        env={**os.environ, "QUIVIVE_HOME": str(folder)},
    )  # fmt: skip
    err = ran.stderr.decode()
    assert "Traceback" not in err, err
    peak = re.search(r"peak (\d+)", err)
    assert peak
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    return Ran(ran.returncode, lines, err, int(peak[1]) * 1024)


GOOD = [
    line
    for line in OKTA.read_bytes().splitlines()
    if b"user.session.start" in line and b'"published": "2' in line
][:3]
assert len(GOOD) == 3
CUT = GOOD[2][: len(GOOD[2]) // 2]


def dated(time: str) -> bytes:
    record = json.loads(GOOD[0])
    record["published"], record["uuid"] = time, f"at-{time}"
    return json.dumps(record).encode()


# name: (content, events, what the summary says of it)
CASES: dict[str, tuple[bytes, int, tuple[str, ...]]] = {
    "broken-json": (
        b"\n".join([GOOD[0], b'{"published": ', b"{nonsense}", GOOD[1]]),
        2,
        (":2 (record 2): broken JSON", ":3 (record 3): broken JSON"),
    ),
    "truncated-line": (b"\n".join([GOOD[0], GOOD[1], CUT]), 2, (":3 (record 3): broken JSON",)),
    "truncated-first": (b"\n".join([CUT, GOOD[0], GOOD[1]]), 2, (":1 (record 1): broken JSON",)),
    "truncated-array": (
        b"[\n" + b",\n".join([GOOD[0], GOOD[1], CUT]),
        2,
        (":4 (record 3): record breaks off",),
    ),
    "utf-16": ("\n".join(line.decode() for line in GOOD).encode("utf-16"), 3, ()),
    "utf-16-be": (
        b"\xfe\xff" + "\n".join(line.decode() for line in GOOD).encode("utf-16-be"), 3, (),
    ),
    "utf-16-odd-end": (GOOD[0].decode().encode("utf-16") + b"\x00", 1, ()),
    "utf-8-mark": (b"\xef\xbb\xbf" + b"\n".join(GOOD), 3, ()),
    "latin-1": (
        b"\n".join([GOOD[0].replace(b"Berlin", "Münster".encode("latin-1")), GOOD[1]]), 2, (),
    ),
    "windows-lines": (b"\r\n".join(GOOD) + b"\r\n\r\n", 3, ()),
    "dates": (
        b"\n".join(
            [dated("1970-01-01T00:00:00Z"), GOOD[0], dated("2100-06-01T00:00:00Z"), dated("x")]
        ),
        1,
        (":1 (record 1): okta: published: outside 2000 to 2099",
         ":3 (record 3): okta: published: outside 2000 to 2099",
         ":4 (record 4): okta: published: not a time"),
    ),
    "empty": (b"", 0, ()),
    "blank": (b"\n \n\t\n", 0, ()),
    "nuls": (b"\0" * 100_000, 0, ("recognised by no log source",)),
    "nuls-after": (GOOD[0] + b"\n" + b"\0" * 5000, 1, ("recognised by no log source",)),
    "noise": (bytes(range(256)) * 40, 0, ("recognised by no log source",)),
    "scalars": (b'[1, "two", null, [[]]]', 0, ("recognised by no log source",)),
    "deep": (b"[" * 100_000, 0, ("rejected",)),
    "deep-line": (GOOD[0] + b'\n{"a":' + b"[" * 100_000 + b"\n" + GOOD[1], 2, (":2 (record 2)",)),
    "truncated-gzip": (gzip.compress(b"\n".join(GOOD) + b"\n")[:-20], -1, ("gzip data",)),
    "damaged-gzip": (
        gzip.compress(b"\n".join(GOOD), mtime=0)[:60] + b"\xff" * 50, -1, ("gzip data",),
    ),
    "gzip-then-rubbish": (gzip.compress(b"\n".join(GOOD) + b"\n") + b"junk", 3, ("gzip data",)),
    "gzip-of-nothing": (gzip.compress(b""), 0, ()),
    "gzip-in-gzip": (gzip.compress(gzip.compress(GOOD[0])), 0, ("packed with gzip twice",)),
    "bzip2": (bz2.compress(GOOD[0]), 1, ()),
    "xz": (lzma.compress(GOOD[0]), 1, ()),
    "zstd": (pyarrow.compress(b"\n".join(GOOD), "zstd", asbytes=True), 3, ()),
    "bzip2-of-rubbish": (
        b"BZh91AY&SY" + bytes(200), 0, (":1 (record 1): damaged bzip2 data: Invalid data stream",),
    ),
    "xz-of-rubbish": (
        b"\xfd7zXZ\0" + bytes(200), 0, (":1 (record 1): damaged xz data: ",),
    ),
    "zstd-of-rubbish": (
        b"\x28\xb5\x2f\xfd" + b"\xff" * 200, 0, (":1 (record 1): damaged zstd data: ",),
    ),
    "xz-then-rubbish": (
        lzma.compress(b"\n".join(GOOD) + b"\n") + b"no part of it", 3,
        (":4 (record 4): damaged xz data",),
    ),
    "truncated-bzip2": (bz2.compress(GOOD[0])[:-9], 0, ("bzip2 data ends in the middle",)),
    "truncated-xz": (
        lzma.compress(b"\n".join(GOOD) + b"\n")[:-9], 3, (":4 (record 4): xz data ends in the m",),
    ),
    "truncated-zstd": (
        pyarrow.compress(GOOD[0], "zstd", asbytes=True)[:-9], 0, ("zstd data ends in the middle",),
    ),
    "xz-in-gzip": (
        gzip.compress(lzma.compress(GOOD[0])), 0,
        ("packed with gzip and inside it with xz: unpack it once (gzip -d)",),
    ),
    "lz4": (b"\x04\x22\x4d\x18" + bytes(200), 0, (":1 (record 1): packed with lz4",)),
    "zip": (b"PK\x03\x04" + bytes(200), 0, (":1 (record 1): a ZIP archive",)),
    "evtx": (b"ElfFile\0" + bytes(200), 0, ("wevtutil qe FILE /lf /f:RenderedXml",)),
    "parquet": (b"PAR1" + bytes(200) + b"PAR1", 0, ("a Parquet file",)),
    "tar-gzip": (
        gzip.compress(b"a.json" + bytes(251) + b"ustar\x0000" + bytes(247) + GOOD[0]), 0,
        ("a tar archive",),
    ),
    "utf-32": (GOOD[0].decode().encode("utf-32"), 0, ("UTF-32: save it as UTF-8",)),
    "utf-16-unmarked": (b"\n".join(GOOD).decode().encode("utf-16-le"), 3, ()),
    "utf-16-be-unmarked": (b"\n".join(GOOD).decode().encode("utf-16-be"), 3, ()),
    "refused-by-okta": (
        b'{"errorCode": "E0000011", "errorSummary": "Invalid token provided", "errorCauses": []}',
        0, ("an API's refusal, saved in place of a log: Invalid token provided",),
    ),
    "refused-by-graph": (
        b'{"error": {"code": "Forbidden", "message": "Tenant has no premium \\u001b[31mlicense"}}',
        0, ("refusal, saved in place of a log: Tenant has no premium",),
    ),
    "refused-by-github": (
        b'{"message": "Bad credentials", "documentation_url": "https://docs", "status": "401"}',
        0, ("Bad credentials",),
    ),
    "odd-fields": (
        b"\n".join(
            [GOOD[0], GOOD[1][:-1] + b', "client": [1, 2], "actor": 7, "published": null}']
        ),
        -1, (),
    ),
    "long-id": (
        GOOD[0].replace(b'"uuid": "', b'"uuid": "' + b"x" * 600) + b"\n" + GOOD[1], 1,
        (":1 (record 1): metadata.uid: over 512 characters",),
    ),
    "huge-number": (GOOD[0][:-1] + b', "version": 1e999}\n' + GOOD[1], -1, ()),
    "lone-surrogate": (GOOD[0].replace(b"Ada", b"\\ud800") + b"\n" + GOOD[1], -1, ()),
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bad")
    found = {}
    for name, (content, _, _) in CASES.items():
        found[name] = folder / f"{name}.log"
        found[name].write_bytes(content)
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_bad_input_is_located_and_the_rest_is_read(
    name: str, files: dict[str, Path], capsysbinary, monkeypatch, tmp_path: Path
) -> None:
    from quivive.cli.main import main

    _, events, told = CASES[name]
    monkeypatch.setenv("QUIVIVE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["quivive", "normalize", str(files[name])])
    with pytest.raises(SystemExit) as stop:
        main()
    out, err = capsysbinary.readouterr()
    assert stop.value.code == 0
    assert "Traceback" not in err.decode()
    if events >= 0:
        assert out.count(b"\n") == events
    for words in told:
        assert words in err.decode()
    located = [x for x in err.decode().splitlines() if x.startswith("  rejected ")]
    assert all(re.match(rf"  rejected {re.escape(name)}\.log:\d+ \(record \d+\): ", x)
               for x in located)  # fmt: skip
    assert bool(located) == (not err.decode().splitlines()[0].endswith(" 0 rejected"))
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", out + err)


def test_all_of_them_in_one_run_leave_the_good_file_whole(
    files: dict[str, Path], tmp_path: Path
) -> None:
    together = score(tmp_path, SSHD, *files.values())
    alone = score(tmp_path, SSHD)
    of_sshd = [x for x in together.lines if x["id"].startswith("auth.log:")]
    assert together.code == 0
    assert len(of_sshd) == len(alone.lines)
    assert together.summary[0] >= sum(max(0, events) for _, events, _ in CASES.values())
    assert together.peak < MEMORY_LIMIT
    assert score(tmp_path, "--strict", *files.values()).code == 1


def test_a_record_of_another_vendor_is_no_event_of_the_source_named(tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.log"
    line = SSHD.read_bytes().splitlines()[0]
    mixed.write_bytes(b"\n".join([GOOD[0], line, b'{"kind": "Event"}', GOOD[1]]))
    fixed = score(tmp_path, "--source", "okta", mixed)
    assert {x["event"]["metadata"]["sequence"] for x in fixed.lines} == {1, 4}
    assert fixed.code == 0
    assert sum(fixed.summary) == 4
    auto = score(tmp_path, mixed)
    assert len(auto.lines) == 3
    assert "mixed.log:3" in auto.err


def test_a_line_of_fifty_megabytes_is_rejected_in_bounded_memory(tmp_path: Path) -> None:
    long = tmp_path / "long.jsonl"
    with long.open("wb") as out:
        out.write(GOOD[0] + b'\n{"published": "')
        for _ in range(50):
            out.write(b"x" * (1 << 20))
        out.write(b'"}\n' + GOOD[1] + b"\n")
    ran = score(tmp_path, long)
    assert ran.code == 0
    assert ran.summary == (2, 0, 1)
    assert "long.jsonl:2 (record 2): record over 8 MiB" in ran.err
    assert ran.peak < MEMORY_LIMIT


@pytest.mark.parametrize(
    "fill", [b"\0", b'{"a": "' + b"b" * 4000 + b'"}\n'], ids=["nuls", "objects"]
)
def test_a_gzip_bomb_is_stopped_in_bounded_memory(fill: bytes, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.log.gz"
    block = fill * ((1 << 20) // len(fill))
    with gzip.open(bomb, "wb", compresslevel=6) as out:
        out.write(GOOD[0] + b"\n")
        for _ in range(80):
            out.write(block)
    good = tmp_path / "good.log"
    good.write_bytes(b"\n".join(GOOD))
    ran = score(tmp_path, bomb, good)
    assert ran.code == 0
    assert ran.summary[0] >= len(GOOD)
    assert "gzip data expands more than 300 times" in ran.err or ran.summary[2] > 20
    assert ran.peak < MEMORY_LIMIT


def test_many_rejects_are_counted_but_not_kept(tmp_path: Path) -> None:
    noisy = tmp_path / "noisy.log"
    noisy.write_bytes(b'{"a": 1\n' * 50_000 + GOOD[0])
    ran = score(tmp_path, "--state", tmp_path / "state", noisy)
    assert ran.summary == (1, 0, 50_000)
    assert len(ran.err.splitlines()) < 60
    assert "… and 49980 more rejects" in ran.err
    assert (tmp_path / "state" / "quivive.sqlite").stat().st_size < 4 << 20
    assert ran.peak < MEMORY_LIMIT


def test_a_folder_among_the_files_stops_before_work(tmp_path: Path) -> None:
    ran = score(tmp_path, "--out", tmp_path / "out", OKTA, tmp_path)
    assert ran.code == 2
    assert "a folder; name the log files in it" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_stops_before_work(tmp_path: Path) -> None:
    closed = tmp_path / "closed.log"
    closed.write_bytes(GOOD[0])
    closed.chmod(0)
    ran = score(tmp_path, OKTA, closed)
    assert ran.code == 2
    assert "closed.log: Permission denied" in ran.err
    assert ran.lines == []
