"""What a user agent or a device description tells of the client, in few and stable categories."""

import re
from functools import cache, lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from quivive.enrich.agents import (
    BROWSERS,
    DESKTOP_SYSTEMS,
    KNOWN_BROWSERS,
    MARKS,
    MOBILE_SYSTEMS,
    SYSTEMS,
    TOOLS,
    Tool,
)

MAX_AGENT = 512
CACHE_SIZE = 65536


class Client(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A client: None is "not told".

    os: "Windows", "macOS", "Linux", "iOS" (iPads too), "Android", "ChromeOS", …, never a version.
    browser: the browser's family if it is one. "Chrome Mobile", "Mobile Safari" and the like stay
        apart from "Chrome" and "Safari": they tell the device.
    device_kind: "desktop", "mobile", "tablet" or "server".
    family: the program's name: the browser, "aws-cli", "Outlook", …
    version: its major version only, kept apart so that an update is no new category.
    tool: a program, not a person, speaks: command lines, libraries, scripts, crawlers.
    """

    os: str | None = None
    browser: str | None = None
    device_kind: str | None = None
    family: str | None = None
    version: str | None = None
    tool: bool = False


NOBODY = Client()

_PRODUCT = re.compile(r"([A-Za-z][A-Za-z0-9_.+-]{0,39})/v?([0-9]{1,6})?(?![0-9])")
_HINT = re.compile(r"([A-Za-z][A-Za-z /]{1,38}[A-Za-z])(?: ([0-9]{1,6})[.0-9]{0,20})?")
_AWS_SERVICE = re.compile(r"([a-z0-9.-]+)\.amazonaws\.com(?:\.cn)?")
_ANY_VERSION = re.compile(r"[ /]v?([0-9]{1,6})(?![0-9])")
_SERVER_MARKS = ("exec-env/", "kubelet/", "kube-", "amzn", "system:serviceaccount")
_SYSTEM = re.compile(
    r"(?<![a-z])(?:windows|darwin|linux|android|(?:"
    + "|".join(re.escape(word) for word, _ in SYSTEMS)
    + r")(?![a-z]))"
)
_SYSTEM_RANK = {word: rank for rank, (word, _) in enumerate(SYSTEMS)}


class ClientParser:
    """Reads user agents, remembering the last 65,536 of them."""

    def __init__(self, cache_size: int = CACHE_SIZE) -> None:
        """``cache_size`` bounds how many user agents are remembered."""
        self._cached = lru_cache(maxsize=cache_size)(_read)

    def parse(self, user_agent: str | None, os_hint: str | None = None) -> Client:
        """The client of a user agent; ``os_hint`` names its system where the text does not.

        Never raises; only the first 512 characters are looked at. Takes a bare browser name too
        ("Mobile Safari 17.1", as Entra gives them), and answers the same families for it.
        """
        if user_agent is None and os_hint is None:
            return NOBODY
        return self._cached((user_agent or "")[:MAX_AGENT], os_hint)


@lru_cache(4096)
def os_family(name: str) -> str | None:
    """The family of a system's name: "Windows 10" is "Windows", "Ios 17.1" is "iOS"."""
    found = _SYSTEM.findall(name[:MAX_AGENT].lower())
    if not found:
        return None
    return SYSTEMS[min(_SYSTEM_RANK[word] for word in found)][1]


def _read(agent: str, os_hint: str | None) -> Client:
    text = agent.strip().removeprefix("[").removesuffix("]").strip()
    client = _by_table(text) or _by_hint(text) or _by_ua_parser(text) or NOBODY
    if os_hint is None or client.os is not None:
        return client
    os = os_family(os_hint)
    return replace(client, os=os, device_kind=client.device_kind or _device_kind(os, client.tool))


def _by_table(text: str) -> Client | None:
    """The client if our own tables know it."""
    lower = text.lower()
    tool, end = _marked(lower)
    version: str | None = None
    if tool is not None:
        number = _ANY_VERSION.match(lower, end)
        version = number[1] if number else None
    elif not lower.startswith("mozilla/"):
        word = re.split(r"[/ (]", lower, maxsplit=1)[0]
        tool = TOOLS.get(word) or (TOOLS["azsdk"] if word.startswith("azsdk-") else None)
        number = _ANY_VERSION.match(lower, len(word))
        version = number[1] if number else None
        if tool is None:
            service = _AWS_SERVICE.fullmatch(lower)
            if service:
                name = "console" in service[1] or service[1] == "signin"
                tool = Tool("AWS Console", automated=False) if name else Tool("AWS service")
            elif lower.startswith("aws internal"):
                tool = Tool("AWS service")
    if tool is None:
        return None
    os = os_family(lower)
    return Client(
        os=os,
        device_kind=_device_kind(os, tool.automated, lower),
        family=tool.name,
        version=version,
        tool=tool.automated,
    )


def _marked(lower: str) -> tuple[Tool | None, int]:
    """The tool that a word anywhere in the text gives away, and where that word ends."""
    for mark, tool in MARKS:
        if mark in lower:
            at = lower.index(mark)
            if at == 0 or not lower[at - 1].isalpha():
                return tool, at + len(mark.rstrip("/"))
    return None, 0


def _by_hint(text: str) -> Client | None:
    """The client of a bare browser name with a version."""
    matched = _HINT.fullmatch(text)
    if not matched:
        return None
    family = _browser(matched[1])
    if family in ("Rich Client", "Other Clients"):
        return Client(family="Rich Client", version=matched[2])
    if family not in KNOWN_BROWSERS:
        return None
    return Client(browser=family, family=family, version=matched[2])


def _by_ua_parser(text: str) -> Client | None:
    if not text:
        return None
    found = _ua_parser().parse(text)
    os = os_family(found.os.family) if found.os is not None else os_family(text)
    if "kali" in text[:MAX_AGENT].lower():
        os = os_family(text)
    agent = found.user_agent
    if agent is None or agent.family == "Other":
        named = _PRODUCT.match(text)
        generic = named is not None and named[1].lower() != "mozilla"
        family = named[1] if named is not None and generic else "Other"
        version = named[2] if named is not None and generic else None
        browser = None
        tool = generic
    else:
        family, version = _browser(agent.family), agent.major
        browser = family if family in KNOWN_BROWSERS else None
        tool = browser is None or family == "Headless Chrome"
    return Client(
        os=os,
        browser=browser,
        device_kind=_device_of(found.device, os, tool, text),
        family=family,
        version=version,
        tool=tool,
    )


def _device_of(device: Any, os: str | None, tool: bool, text: str) -> str | None:
    if os in ("iOS", "Android"):
        big = "iPad" in text or (os == "Android" and "Mobile" not in text and "Safari" in text)
        return "tablet" if big else "mobile"
    if device is not None and device.family == "Spider":
        return None if os is None else _device_kind(os, True, text.lower())
    return _device_kind(os, tool, text.lower())


def _device_kind(os: str | None, tool: bool, lower: str = "") -> str | None:
    if any(mark in lower for mark in _SERVER_MARKS):
        return "server"
    if os in MOBILE_SYSTEMS:
        return "mobile"
    return "desktop" if os in DESKTOP_SYSTEMS and not tool else None


def _browser(family: str) -> str:
    word = family.strip()
    return BROWSERS.get(word.lower(), word)


@cache
def _ua_parser() -> Any:
    """ua-parser's uncached resolver, made on first use: loading its rules takes 0.3 s."""
    from ua_parser import BestAvailableResolver, Parser, load_lazy_builtins

    return Parser(BestAvailableResolver(load_lazy_builtins()))
