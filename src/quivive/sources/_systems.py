"""Operating systems by the words that vendors write: "Mac OS X 10.15.7", "Windows 10.0.0"."""

from functools import lru_cache

from quivive.model.event import Os, OsType

_SYSTEMS = (
    ("windows phone", "Windows Phone", OsType.WINDOWS_MOBILE),
    ("windows", "Windows", OsType.WINDOWS),
    ("mac", "macOS", OsType.MACOS),
    ("os x", "macOS", OsType.MACOS),
    ("ipados", "iPadOS", OsType.IPADOS),
    ("ios", "iOS", OsType.IOS),
    ("android", "Android", OsType.ANDROID),
    ("chrome", "ChromeOS", OsType.OTHER),
    ("linux", "Linux", OsType.LINUX),
    ("ubuntu", "Linux", OsType.LINUX),
    ("fedora", "Linux", OsType.LINUX),
    ("debian", "Linux", OsType.LINUX),
)


@lru_cache(maxsize=1024)
def system_of(words: str, version: str | None = None) -> Os | None:
    """The system that the words begin with; its version is theirs where none is given apart.

    A version of zeros, which a parser of user agents writes for "not told", is none.
    """
    lower = words.lower()
    for prefix, name, type_id in _SYSTEMS:
        if lower.startswith(prefix):
            told = version or next((word for word in words.split() if word[0].isdigit()), None)
            if told is not None and not told.strip("0."):
                told = None
            return Os(name=name, type_id=type_id, version=told)
    return None
