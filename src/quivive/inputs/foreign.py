"""What an input is that is no log in text, by how it begins, and what to do about it."""

import codecs

LONGEST_MAGIC = 16

_UNPACK = "packed with {}: unpack it first ({})"
_MAGIC = (
    (b"\x04\x22\x4d\x18", _UNPACK.format("lz4", "lz4 -d")),
    (b"7z\xbc\xaf\x27\x1c", _UNPACK.format("7-Zip", "7z x")),
    (b"PK\x03\x04", "a ZIP archive or a workbook: unpack it first, or export CSV or JSON"),
    (b"ElfFile\0", "a Windows event log as it is stored: wevtutil qe FILE /lf /f:RenderedXml"),
    (b"PAR1", "a Parquet file: export JSON lines or CSV"),
    (b"SQLite format 3\0", "an SQLite database: export JSON lines or CSV"),
    (codecs.BOM_UTF32_LE, "UTF-32: save it as UTF-8"),
    (codecs.BOM_UTF32_BE, "UTF-32: save it as UTF-8"),
)
_TAR, _TAR_AT = b"ustar", 257
_UTF16_LE = (0, 2, 1, 3)
_UTF16_BE = (1, 3, 0, 2)


def foreign(first: bytes) -> str | None:
    """Why an input cannot be read that begins like this; None where that is not known.

    first: at least 16 bytes where there are so many.
    """
    for magic, what in _MAGIC:
        if first.startswith(magic):
            return what
    if first[_TAR_AT:].startswith(_TAR):
        return "a tar archive: unpack it first (tar -x)"
    return None


def unmarked_utf16(first: bytes) -> str | None:
    """The encoding, utf-16-le or utf-16-be, of ASCII characters without a byte-order mark."""
    for name, (one, two, *nulls) in (("utf-16-le", _UTF16_LE), ("utf-16-be", _UTF16_BE)):
        if len(first) >= len(_UTF16_LE) and not any(first[at] for at in nulls):
            if all(0x20 <= first[at] < 0x7F for at in (one, two)):
                return name
    return None
