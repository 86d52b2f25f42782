"""What people and programs log in with: devices, browsers and what they say of themselves."""

import random
from dataclasses import dataclass

from quivive.sim.places import DAY

_CHROME_EPOCH = 1_768_262_400  # 13 January 2026: Chrome 144, Firefox 147
_MONTH = 28 * DAY


@dataclass(frozen=True, slots=True)
class Client:
    """A device with one browser. ``lag`` is how late it updates, in seconds."""

    kind: str
    os: str
    browser: str
    device_id: str = ""
    device_name: str = ""
    managed: bool = False
    lag: int = 0
    model: str = ""

    def version(self, time: float) -> int:
        """The browser's main version then."""
        steps = int((time - self.lag - _CHROME_EPOCH) // _MONTH)
        if self.browser.endswith("Safari"):
            return 26 if self.lag < 60 * DAY else 18
        return (147 if self.browser == "Firefox" else 144) + steps

    def label(self, time: float) -> str:
        """Browser and version as an identity provider prints them; empty if unknown."""
        if not self.browser:
            return ""
        version = self.version(time)
        tail = ".0" if self.browser in ("Firefox", "Safari", "Mobile Safari") else ".0.0"
        return f"{self.browser} {version}{tail}"

    def agent(self, time: float) -> str:
        """The User-Agent header."""
        version = self.version(time)
        chrome = f"AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0"
        system = _SYSTEMS.get(self.os, "")
        match self.browser:
            case "Chrome":
                return f"Mozilla/5.0 ({system}) {chrome} Safari/537.36"
            case "Chrome Mobile":
                return f"Mozilla/5.0 (Linux; Android 10; K) {chrome} Mobile Safari/537.36"
            case "Edge":
                return f"Mozilla/5.0 ({system}) {chrome} Safari/537.36 Edg/{version}.0.0.0"
            case "Firefox":
                return f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
            case "Safari":
                kit = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
                return f"Mozilla/5.0 ({system}) {kit} Version/{version}.0 Safari/605.1.15"
            case "Mobile Safari":
                kit = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
                return (
                    f"Mozilla/5.0 ({system}) {kit} Version/{version}.0 Mobile/15E148 Safari/604.1"
                )
        return self.model


_SYSTEMS = {
    "Windows10": "Windows NT 10.0; Win64; x64",
    "Windows11": "Windows NT 10.0; Win64; x64",
    "MacOs": "Macintosh; Intel Mac OS X 10_15_7",
    "Linux": "X11; Linux x86_64",
    "Ios 18": "iPhone; CPU iPhone OS 18_7 like Mac OS X",
    "Ios 26": "iPhone; CPU iPhone OS 18_7 like Mac OS X",
    "Android 14": "Linux; Android 10; K",
    "Android 15": "Linux; Android 10; K",
}


_FIXED = (0xF000 << 64) | (0xC000 << 48)
_VERSION_4 = (4 << 76) | (0x8000 << 48)


def uuid(rng: random.Random) -> str:
    """A random UUID out of the generator."""
    bits = rng.getrandbits(128) & ~_FIXED | _VERSION_4
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def pick(rng: random.Random, table: dict[str, float]) -> str:
    """One key of the table, by weight."""
    return rng.choices(list(table), list(table.values()))[0]


def laptop(rng: random.Random, *, engineer: bool = False, os: str = "") -> Client:
    """A new company laptop, enrolled in device management."""
    mix = {"MacOs": 6.0, "Windows11": 2.5, "Linux": 1.5} if engineer else {
        "Windows11": 6.5, "Windows10": 1.5, "MacOs": 2.0}  # fmt: skip
    os = os or pick(rng, mix)
    browsers = {
        "MacOs": {"Chrome": 6.0, "Safari": 2.5, "Firefox": 1.0, "Edge": 0.5},
        "Linux": {"Chrome": 5.0, "Firefox": 5.0},
    }.get(os, {"Edge": 6.0, "Chrome": 3.5, "Firefox": 0.5})
    tag = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=7))
    return Client(
        kind="laptop",
        os=os,
        browser=pick(rng, browsers),
        device_id=uuid(rng),
        device_name=f"{'MBP' if os == 'MacOs' else 'NF'}-{tag}",
        managed=os != "Linux" or rng.random() < 0.5,
        lag=rng.randrange(0, 21) * DAY,
    )


def phone(rng: random.Random) -> Client:
    """A phone, registered in two cases of three, managed in one of four."""
    apple = rng.random() < 0.58
    os = rng.choice(("Ios 26", "Ios 26", "Ios 18")) if apple else rng.choice(
        ("Android 14", "Android 15"))  # fmt: skip
    registered = rng.random() < 0.66
    return Client(
        kind="phone",
        os=os,
        browser="Mobile Safari" if apple else "Chrome Mobile",
        device_id=uuid(rng) if registered else "",
        device_name="iPhone" if registered and apple else "Android" if registered else "",
        managed=registered and rng.random() < 0.4,
        lag=rng.randrange(0, 30) * DAY,
    )


def personal(rng: random.Random) -> Client:
    """Somebody's own computer: no device id, often behind with its updates."""
    os = pick(rng, {"Windows11": 4.0, "Windows10": 2.5, "MacOs": 3.0, "Linux": 0.5})
    browser = pick(rng, {"Chrome": 6.5, "Firefox": 1.0, "Edge": 2.0 if os[0] == "W" else 0.01,
                         "Safari": 3.0 if os == "MacOs" else 0.0001})  # fmt: skip
    return Client(kind="pc", os=os, browser=browser, lag=rng.randrange(0, 45) * DAY)


def script(agent: str, os: str = "") -> Client:
    """A program that names itself with ``agent``."""
    return Client(kind="script", os=os, browser="", model=agent)


UNKNOWN = Client(kind="unknown", os="", browser="")
"""A client that says nothing an identity provider can read."""
