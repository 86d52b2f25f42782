"""Place databases for tests: small good ones, and every kind that cannot be used."""

import gzip
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

BERLIN = {
    "country": {"iso_code": "DE", "names": {"en": "Germany"}},
    "city": {"names": {"en": "Berlin", "de": "Berlin"}},
    "subdivisions": [{"iso_code": "BE", "names": {"en": "State of Berlin"}}],
    "location": {"latitude": 52.52, "longitude": 13.405, "accuracy_radius": 20},
    "postal": {"code": "10115"},
}
LAGOS = {
    "city": "Lagos",
    "country_code": "NG",
    "state1": "Lagos State",
    "state2": "",
    "latitude": 6.4541,
    "longitude": 3.3947,
    "postcode": "",
    "timezone": "",
}


def write_mmdb(path: Path, records: dict[str, Any], version: int = 4, kind: str = "City") -> Path:
    writer = MMDBWriter(
        ip_version=version, database_type=kind, languages=["en"], ipv4_compatible=version == 6
    )
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def unusable(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    """Files that are refused, by name, each with what has to be said of it."""
    good = write_mmdb(tmp_path / "good.mmdb", {"203.0.113.0/24": BERLIN}).read_bytes()
    foreign = write_mmdb(tmp_path / "domain.mmdb", {"203.0.113.0/24": {"domain": "x.com"}})
    packed = gzip.compress(b"203.0.113.0,203.0.113.255,FR\n" * 99)
    contents: dict[str, tuple[bytes, str]] = {
        "empty.mmdb": (b"", "empty file"),
        "empty.csv": (b"", "empty file"),
        "truncated.mmdb": (good[: len(good) // 2], "truncated"),
        "headless.mmdb": (good[len(good) // 2 :], "damaged"),
        "text.mmdb": (b"hello " * 500, "no MaxMind DB"),
        "packed.mmdb": (gzip.compress(good), "compressed"),
        "truncated.csv.gz": (packed[:-9], "truncated or damaged gzip"),
        "plain.csv.gz": (b"203.0.113.0,203.0.113.255,FR\n", "truncated or damaged gzip"),
        "binary.csv": (good, "CSV"),
        "other.csv": (b"name,age\nalice,7\n", "unknown kind of CSV"),
        "prose.csv": (b"once upon a time", "holds no range"),
        "cut.csv": (b"203.0.113.0,203.0.113.255,1,A\n203.0.114.0,203.0.", "cut.csv:2:"),
        "swapped.csv": (b"203.0.113.0,203.0.113.9,FR\n203.0.113.9,203.0.113.0,FR", ":2:"),
        "nobody.csv": (b"203.0.113.0,203.0.113.9,\n", "holds no range"),
    }
    cases = {"missing": (tmp_path / "missing.mmdb", "No such file")}
    cases["foreign"] = (foreign, "holds no country, city or network")
    (tmp_path / "void").mkdir()
    cases["void"] = (tmp_path / "void", "a folder without")
    for name, (content, message) in contents.items():
        (tmp_path / name).write_bytes(content)
        cases[name] = (tmp_path / name, message)
    return cases
