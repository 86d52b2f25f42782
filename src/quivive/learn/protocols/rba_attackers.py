"""The attackers of Wiefling et al. (TOPS 2022), each knowing more of the victim than the last.

All hold the right password. Their addresses and clients are taken from other users' rows of the
same data, seen before the attack:

* naive: address and client of the attack population (rows whose address the data flag).
* VPN: an address in the victim's country, the client of the attack population.
* targeted: an address in the victim's country, a client of the victim's system and kind of device.
* very targeted: an address of the victim's own network operator, the victim's own client.

What differs from the paper: it lets the targeted attacker choose the victim's city, which the
public data made up, and its very targeted attackers were the service's real takeovers, which the
protocol reports apart.
"""

from typing import Generic, NamedTuple, TypeVar
from zlib import crc32

from quivive.learn.protocols.rba_data import Login

RING = 256
RINGS = 50_000


class Address(NamedTuple):
    """What an address brings with it, and whose it was."""

    user: str
    ip: str | None
    country: str | None
    region: str | None
    city: str | None
    asn: str | None


class Client(NamedTuple):
    """What a user agent brings with it, and whose it was."""

    user: str
    agent: str | None
    browser: str | None
    os: str | None
    device: str | None


Item = TypeVar("Item", Address, Client)


class _Rings(Generic[Item]):
    """The last ``RING`` items under each of at most ``RINGS`` keys."""

    def __init__(self) -> None:
        self._rings: dict[str, list[Item]] = {}
        self._added: dict[str, int] = {}

    def add(self, key: str, item: Item) -> None:
        ring = self._rings.get(key)
        if ring is None:
            if len(self._rings) < RINGS:
                self._rings[key], self._added[key] = [item], 1
            return
        if len(ring) < RING:
            ring.append(item)
        else:
            ring[self._added[key] % RING] = item
        self._added[key] += 1

    def draw(self, key: str, seed: str, victim: str) -> Item | None:
        """One item that was not the victim's, the same for the same seed; None without one."""
        ring = self._rings.get(key)
        if not ring:
            return None
        start = crc32(seed.encode())
        for step in range(len(ring)):
            item = ring[(start + step) % len(ring)]
            if item.user != victim:
                return item
        return None


class Pool:
    """Addresses and clients that attackers can come from: grows row by row, bounded."""

    def __init__(self) -> None:
        self._attack_addresses: _Rings[Address] = _Rings()
        self._attack_clients: _Rings[Client] = _Rings()
        self._addresses: _Rings[Address] = _Rings()
        self._clients: _Rings[Client] = _Rings()

    def flagged(self, login: Login) -> None:
        """A row of the attack population."""
        self._attack_addresses.add("", _address(login))
        self._attack_clients.add("", _client(login))

    def ordinary(self, login: Login) -> None:
        """A legitimate login: others' neighbours come from such."""
        address = _address(login)
        self._addresses.add(f"{login.country}", address)
        self._addresses.add(f"{login.country}|{login.asn}", address)
        self._clients.add(system_of(login), _client(login))

    def attacks(self, victim: Login, time: int) -> list[tuple[str, Login]]:
        """One attack each on the user of a login, by attacker; those the pool can make.

        ``victim``: the user's last login, which attackers know more or less of; ``time``: when
        they come, in ms UTC.
        """
        user, seed = victim.user, f"{victim.user}/{victim.uid}"
        country = f"{victim.country}"
        operator = f"{victim.country}|{victim.asn}"
        abroad = self._attack_addresses.draw("", seed + "/address", user)
        nearby = self._addresses.draw(country, seed + "/country", user)
        neighbour = self._addresses.draw(operator, seed + "/operator", user)
        any_client = self._attack_clients.draw("", seed + "/client", user)
        similar = self._clients.draw(system_of(victim), seed + "/system", user)
        pairs = (
            (NAIVE, abroad, any_client),
            (VPN, nearby, any_client),
            (TARGETED, nearby, similar),
            (VERY_TARGETED, neighbour, _client(victim)),
        )
        return [
            (name, _as(victim, time, address, client))
            for name, address, client in pairs
            if address is not None and client is not None
        ]


NAIVE = "naive"
VPN = "VPN"
TARGETED = "targeted"
VERY_TARGETED = "very targeted"
ATTACKERS = (NAIVE, VPN, TARGETED, VERY_TARGETED)


def system_of(login: Login) -> str:
    """The system without its version, and the kind of device: "Windows|desktop"."""
    name = (login.os or "?").rstrip("0123456789.,_ ")
    return f"{name}|{login.device or '?'}"


def _address(login: Login) -> Address:
    return Address(login.user, login.ip, login.country, login.region, login.city, login.asn)


def _client(login: Login) -> Client:
    return Client(login.user, login.agent, login.browser, login.os, login.device)


def _as(victim: Login, time: int, address: Address, client: Client) -> Login:
    """A login to the victim's account from somebody else's address and client."""
    return victim._replace(
        uid="",
        time=time,
        ip=address.ip,
        country=address.country,
        region=address.region,
        city=address.city,
        asn=address.asn,
        agent=client.agent,
        browser=client.browser,
        os=client.os,
        device=client.device,
    )
