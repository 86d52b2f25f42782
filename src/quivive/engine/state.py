"""All that is remembered, and how the parts of it that one login touches are found.

What is known of identities, addresses and networks may be more than memory holds: resident.py.
"""

from typing import Any

from msgspec import Struct, field

from quivive.baseline.backoff import Levels
from quivive.baseline.directory import Directory
from quivive.baseline.monitor import Monitor
from quivive.baseline.novelty import Novelty
from quivive.baseline.observation import Observation
from quivive.baseline.profile import (
    GROUP_CATEGORIES,
    GUESTS,
    PLACES_KEPT,
    SHARED_HALF_LIFE,
    AddressState,
    Organisation,
    Profile,
    Scene,
)
from quivive.baseline.tables import DAY_MS, Level
from quivive.baseline.windows import HOUR_MS
from quivive.engine.resident import Backing, Resident
from quivive.engine.seen import Seen
from quivive.engine.shared import Pending
from quivive.policy.budget import Thresholds
from quivive.policy.spending import Spent
from quivive.scoring.calibrate import Calibration

STATE_VERSION = 3
ADDRESS_IDLE = 45 * DAY_MS  # an address nobody came from is forgotten after this
STRAY_IDLE = 2 * DAY_MS  # and one where nobody ever succeeded, after this
PROFILES_IN_MEMORY = 20_000
ADDRESSES_IN_MEMORY = 40_000
PLACES_IN_MEMORY = 40_000


_NO_PEERS = Level(SHARED_HALF_LIFE, GROUP_CATEGORIES)  # of a group nobody is in yet


class KnownPlace(Struct, frozen=True, cache_hash=True, gc=False):
    """Place and operator of an address as a vendor stated it, for logs that state none."""

    country: str | None
    region: str | None
    city: str | None
    lat: float | None
    long: float | None
    asn: str | None
    as_name: str | None
    day: int = 0  # on which it was last stated, since 1970


def group_before(profile: Profile, login: Observation) -> str:
    """The peer group of the identity at its login; of one without history, who else began so."""
    return profile.group or (GUESTS if login.guest else login.kind)


def _profile_until(profile: Profile) -> int | None:
    if profile.successes or profile.held or profile.judged:
        return None
    return max(profile.first_seen, profile.failures.hour * HOUR_MS) + STRAY_IDLE


def _address_until(address: AddressState) -> int:
    return address.last_seen + (ADDRESS_IDLE if address.good or address.hostile else STRAY_IDLE)


def _rebase(profile: Profile, swept: int) -> None:
    if profile.own.anchor:
        profile.own.rebase(swept)


def _profiles() -> Resident[Profile]:
    return Resident("profiles", Profile, _profile_until, _rebase, PROFILES_IN_MEMORY)


def _addresses() -> Resident[AddressState]:
    return Resident("addresses", AddressState, _address_until, lambda *_: None, ADDRESSES_IN_MEMORY)


def _networks() -> Resident[AddressState]:
    return Resident("networks", AddressState, _address_until, lambda *_: None, ADDRESSES_IN_MEMORY)


def _places() -> Resident[KnownPlace]:
    return Resident(
        "places",
        KnownPlace,
        lambda place: (place.day + 1) * DAY_MS + ADDRESS_IDLE,
        lambda *_: None,
        PLACES_IN_MEMORY,
        frozen=True,
    )


class State(Struct):
    """The whole state of one organisation: a fold over its events."""

    version: int = STATE_VERSION
    organisation: Organisation = field(default_factory=Organisation)
    profiles: Resident[Profile] = field(default_factory=_profiles)
    addresses: Resident[AddressState] = field(default_factory=_addresses)
    networks: Resident[AddressState] = field(default_factory=_networks)
    places: Resident[KnownPlace] = field(default_factory=_places)
    directory: Directory = field(default_factory=Directory)
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    monitor: Monitor = field(default_factory=Monitor)
    novelty: Novelty = field(default_factory=Novelty)
    thresholds: Thresholds = field(default_factory=Thresholds)
    spent: Spent = field(default_factory=Spent)
    pending: Pending = field(default_factory=Pending)

    @property
    def tables(self) -> tuple[Resident[Any], ...]:
        """What is kept apart from the rest, an entry at a time."""
        return self.profiles, self.addresses, self.networks, self.places

    @property
    def is_over_bounds(self) -> bool:
        """Whether more is in memory than should be."""
        return any(table.in_memory > table.bound for table in self.tables)

    def back_by(self, backing: Backing, *, empty: bool = False) -> None:
        """Reads what is not in memory from ``backing`` from now on. ``empty``: it is new."""
        for table in self.tables:
            table.back_by(backing, self.organisation.swept, empty=empty)

    def profile(self, identity: str) -> Profile:
        """The profile of an identity, made when first asked for."""
        profile = self.profiles.get(identity)
        if profile is None:
            profile = self.profiles[identity] = Profile()
        return profile

    def scene(self, login: Observation, profile: Profile) -> tuple[Scene, Levels]:
        """What the signals may look at for this login, with its three levels."""
        organisation = self.organisation
        peers = organisation.groups.get(group_before(profile, login), _NO_PEERS)
        scene = Scene(
            profile,
            self.addresses.get(login.ip) if login.ip else None,
            self.networks.get(login.network) if login.network else None,
            organisation,
        )
        time = login.time
        levels = Levels(
            profile.own,
            peers,
            organisation.everyone,
            profile.own.scale(time),
            peers.worth(time),
            organisation.everyone.worth(time),
        )
        return scene, levels

    def merge_profile(self, former: str, identity: str) -> int:
        """Moves what was learned under a bare name to the identity it turned out to be.

        Gives by how many there are fewer identities now with a login that was learned.
        """
        moved = self.profiles.pop(former, None)
        if moved is None:
            return 0
        profile = self.profile(identity)
        fewer = bool(moved.successes and profile.successes)
        profile.own.merge(moved.own)
        profile.first_seen = min(profile.first_seen or moved.first_seen, moved.first_seen)
        profile.last_seen = max(profile.last_seen, moved.last_seen)
        profile.successes += moved.successes
        profile.waiting = sorted([*moved.waiting, *profile.waiting], key=lambda w: w.time)
        profile.judged = {**moved.judged, **profile.judged}
        profile.places = (moved.places + profile.places)[-PLACES_KEPT:]
        return int(fewer)

    def is_to_sweep(self, time: int) -> bool:
        """Whether a day of event time has passed since the last sweep."""
        return time - self.organisation.swept >= DAY_MS

    def sweep(self, time: int) -> None:
        """Forgets idle addresses and names, rebases counts."""
        organisation = self.organisation
        organisation.swept = time
        for table in self.tables:
            table.sweep(time)
        for level in (organisation.everyone, *organisation.groups.values()):
            if level.anchor:
                level.rebase(time)
