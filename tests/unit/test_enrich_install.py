"""``quivive geoip``: installing databases, finding them again, and what doctor says."""

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner

from quivive.app.errors import UsageError
from quivive.app.geoip import install, installed, open_places, status
from quivive.app.lists import home_dir, open_lists
from quivive.cli.geoip import command
from tests.unit.place_files import BERLIN, LAGOS, unusable, write, write_mmdb

NOW = 1_800_000_000_000


def test_install_and_find_again(tmp_path: Path) -> None:
    home, given = tmp_path / "home", tmp_path / "given"
    given.mkdir()
    assert installed(home) == []
    assert open_places([], home) is None
    write_mmdb(given / "city.mmdb", {"203.0.113.0/24": BERLIN})
    write(given / "asn.csv", "203.0.113.0,203.0.113.255,64500,Example\n")
    write(given / "LICENSE", "free")
    paths = install(given, home)
    assert [path.name for path in paths] == ["asn.csv", "city.mmdb"]
    assert installed(home) == paths
    places = open_places([], home)
    assert places is not None
    found = places.find("203.0.113.1")
    assert found is not None
    assert (found.city, found.asn) == ("Berlin", 64500)
    named = open_places([given / "asn.csv"], home)
    assert named is not None
    assert len(named.files) == 1


def test_a_newer_edition_takes_the_place_of_the_older(tmp_path: Path) -> None:
    old = write_mmdb(tmp_path / "dbip-city-lite-2026-05.mmdb", {"203.0.113.0/24": BERLIN})
    install(old, tmp_path / "home")
    new = write_mmdb(tmp_path / "plain.mmdb", {"203.0.113.0/24": LAGOS})
    packed = tmp_path / "dbip-city-lite-2026-06.mmdb.gz"
    packed.write_bytes(gzip.compress(new.read_bytes()))
    install(packed, tmp_path / "home")
    assert [path.name for path in installed(tmp_path / "home")] == ["dbip-city-lite-2026-06.mmdb"]


def test_unusable_files_install_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name, (path, _) in unusable(tmp_path).items():
        if name == "packed.mmdb":
            continue
        with pytest.raises(UsageError) as caught:
            install(path, home)
        assert str(path) in str(caught.value), name
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    write_mmdb(mixed / "a.mmdb", {"203.0.113.0/24": BERLIN})
    write(mixed / "b.mmdb", "no database")
    with pytest.raises(UsageError, match=r"b\.mmdb"):
        install(mixed, home)
    assert installed(home) == []
    assert list((home / "geoip").iterdir()) == []
    with pytest.raises(UsageError, match="No such file"):
        open_places([tmp_path / "nowhere.mmdb"], home)


def test_status_names_the_cost_of_what_is_missing(tmp_path: Path) -> None:
    bare = {finding.name: finding for finding in status(tmp_path, NOW)}
    assert bare["places"].level == bare["networks"].level == bare["lists"].level == "missing"
    assert "impossible travel" in bare["places"].text
    assert "quivive geoip install" in (bare["places"].remedy or "")

    install(write_mmdb(tmp_path / "city.mmdb", {"203.0.113.0/24": BERLIN}), tmp_path)
    (tmp_path / "lists").mkdir()
    write(tmp_path / "lists" / "vpn.txt", "203.0.113.9\nnonsense\n")
    found = {finding.name: finding for finding in status(tmp_path, NOW)}
    assert "places" not in found
    assert found["city.mmdb"].text.startswith("city database, IPv4, built ")
    assert found["places-ipv6"].level == "missing"
    assert found["networks"].level == "missing"
    assert found["vpn.txt"].level == "ok"
    assert found["lists"].level == "warn"
    assert found["tor.txt"].level == found["bad.txt"].level == "missing"
    old = {finding.name: finding for finding in status(tmp_path, NOW * 2)}
    assert old["city.mmdb"].level == "warn"

    write(tmp_path / "geoip" / "broken.mmdb", "damaged")
    write(tmp_path / "lists" / "evil.txt", "203.0.113.9\n")
    broken = {finding.name: finding for finding in status(tmp_path, NOW)}
    assert broken["broken.mmdb"].level == broken["lists"].level == "warn"


def test_lists_from_a_folder(tmp_path: Path) -> None:
    assert open_lists(home=tmp_path) is None
    write(tmp_path / "vpn.txt", "203.0.113.9\n")
    found = open_lists(tmp_path)
    assert found is not None
    assert found.kind("203.0.113.9") == "vpn"
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="without lists"):
        open_lists(tmp_path / "none")


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUIVIVE_HOME", str(tmp_path / "home"))
    assert home_dir() == tmp_path / "home"
    path = write_mmdb(tmp_path / "city.mmdb", {"203.0.113.0/24": BERLIN})
    done = CliRunner().invoke(command, ["install", str(path)])
    assert (done.exit_code, done.output) == (0, f"installed {tmp_path}/home/geoip/city.mmdb\n")
    shown = CliRunner().invoke(command, ["status"])
    assert shown.exit_code == 0
    assert "city.mmdb: city database, IPv4" in shown.output
    assert "quivive geoip install FILE" in shown.output
    refused = CliRunner().invoke(command, ["install", str(tmp_path / "nowhere.mmdb")])
    assert isinstance(refused.exception, UsageError)
    assert CliRunner().invoke(command, ["install"]).exit_code == 2
