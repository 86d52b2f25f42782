"""Address lists, guesses by network name, and what an address alone tells."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.enrich.as_names import guess_kind
from quivive.enrich.lists import AddressListError, AddressLists, read_range
from quivive.enrich.private import address_scope, network_of


def lists(folder: Path, **contents: str) -> AddressLists:
    for stem, text in contents.items():
        (folder / f"{stem}.txt").write_text(text)
    return AddressLists.open(folder)


def test_the_most_specific_entry_wins(tmp_path: Path) -> None:
    found = lists(
        tmp_path,
        hosting="# a provider\n198.51.100.0/22 ; all of it\n\n2001:db8::/32\n",
        vpn="198.51.100.64-198.51.100.127\nAS64500\n2001:db8:1::/48\n",
        tor="198.51.100.99\n",
        bad="198.51.100.99\n203.0.113.0/24\nas64666 ; stolen\n",
    )
    assert found.warnings == []
    assert found.kind("198.51.100.1") == "hosting"
    assert found.kind("198.51.100.70") == "vpn"
    assert found.kind("198.51.100.99") == "tor"
    assert found.kind("::ffff:198.51.100.99") == "tor"
    assert found.kind("2001:db8::1") == "hosting"
    assert found.kind("2001:db8:1::1") == "vpn"
    assert found.kind("192.0.2.1") is None
    assert found.kind("192.0.2.1", 64500) == "vpn"
    assert found.kind("198.51.100.1", 64500) == "hosting"
    assert found.is_bad("198.51.100.99")
    assert found.is_bad("203.0.113.200")
    assert found.is_bad("192.0.2.1", 64666)
    assert not found.is_bad("198.51.100.98", 64500)
    assert {info.kind: info.entries for info in found.files} == {
        "bad": 3, "hosting": 2, "tor": 1, "vpn": 3
    }  # fmt: skip


def test_several_files_of_a_kind_and_other_suffixes(tmp_path: Path) -> None:
    (tmp_path / "vpn-one.netset").write_text("198.51.100.0/24\n")
    (tmp_path / "VPN_two.csv").write_text("203.0.113.0/24,somebody,2026\n")
    (tmp_path / "README.md").write_text("where the lists come from\n")
    found = AddressLists.open(tmp_path)
    assert found.kind("198.51.100.1") == found.kind("203.0.113.1") == "vpn"


def test_bad_lines_are_skipped_and_told(tmp_path: Path) -> None:
    found = lists(tmp_path, vpn="198.51.100.1\nexample.com\n0.0.0.0/0\n9.9.9.9-1.1.1.1\n1.2.3\n")
    assert found.kind("198.51.100.1") == "vpn"
    assert found.skipped_lines == 4
    assert found.warnings[0].startswith(f"{tmp_path / 'vpn.txt'}:2: ")
    assert "'example.com'" in found.warnings[0]


def test_warnings_are_bounded(tmp_path: Path) -> None:
    found = lists(tmp_path, vpn="x\n" * 5000)
    assert found.skipped_lines == 5000
    assert len(found.warnings) == 101
    assert found.warnings[-1].endswith("5,000 lines skipped in all")


def test_unknown_names_and_missing_folders_are_errors(tmp_path: Path) -> None:
    with pytest.raises(AddressListError, match=r"evil\.txt.*vpn\.txt.*bad\.txt"):
        lists(tmp_path, evil="198.51.100.1\n")
    with pytest.raises(AddressListError, match="No such file"):
        AddressLists.open(tmp_path / "nowhere")


@given(st.text(max_size=50))
def test_reading_a_line_never_raises(entry: str) -> None:
    found = read_range(entry)
    assert found is None or found[1] <= found[2]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Amazon.com, Inc.", "hosting"),
        ("AMAZON-02", "hosting"),
        ("GOOGLE-CLOUD-PLATFORM", "hosting"),
        ("DIGITALOCEAN-ASN", "hosting"),
        ("The Constant Company, LLC", "hosting"),
        ("OVH SAS", "hosting"),
        ("M247 Europe SRL", "hosting"),
        ("Datacamp Limited", "vpn"),
        ("Mullvad VPN AB", "vpn"),
        ("Proton AG", "vpn"),
        ("T-Mobile USA, Inc.", "mobile"),
        ("China Mobile", "mobile"),
        ("Cable & Wireless Jamaica", None),
        ("Exxon Mobil Corporation", None),
        ("Automobile Club", None),
        ("Deutsche Telekom AG", None),
        ("Zscaler Switzerland GmbH", "corporate"),
        ("University of Oregon", "corporate"),
        ("", None),
    ],
)
def test_guesses(name: str, kind: str | None) -> None:
    assert guess_kind(name) == kind


@pytest.mark.parametrize(
    ("ip", "scope", "network"),
    [
        ("8.8.8.8", "public", "8.8.8.0/24"),
        ("::ffff:8.8.8.8", "public", "8.8.8.0/24"),
        ("192.0.2.77", "public", "192.0.2.0/24"),
        ("10.1.2.3", "private", "10.1.2.0/24"),
        ("172.31.0.1", "private", "172.31.0.0/24"),
        ("172.32.0.1", "public", "172.32.0.0/24"),
        ("192.168.1.1", "private", "192.168.1.0/24"),
        ("100.64.0.1", "shared", "100.64.0.0/24"),
        ("127.0.0.1", "loopback", "127.0.0.0/24"),
        ("169.254.1.1", "link-local", "169.254.1.0/24"),
        ("224.0.0.1", "multicast", "224.0.0.0/24"),
        ("255.255.255.255", "reserved", "255.255.255.0/24"),
        ("0.0.0.0", "unspecified", "0.0.0.0/24"),
        ("2001:db8:1:2::3", "public", "2001:db8:1::/48"),
        ("fd00::1", "private", "fd00::/48"),
        ("fe80::1", "link-local", "fe80::/48"),
        ("::1", "loopback", "::/48"),
        ("::", "unspecified", "::/48"),
        ("ff02::1", "multicast", "ff02::/48"),
        ("no address", "invalid", None),
        ("1.2.3", "invalid", None),
        ("\x00", "invalid", None),
        ("\ud800", "invalid", None),
        ("fe80::1%eth0", "invalid", None),
    ],
)
def test_scope_and_network(ip: str, scope: str, network: str | None) -> None:
    assert address_scope(ip) == scope
    assert network_of(ip) == network
