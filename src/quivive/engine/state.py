"""All that is remembered, and how the parts of it that one login touches are found."""

from msgspec import Struct, field

from quivive.baseline.backoff import Levels
from quivive.baseline.directory import Directory
from quivive.baseline.monitor import Monitor
from quivive.baseline.novelty import Novelty
from quivive.baseline.observation import Observation
from quivive.baseline.profile import PLACES_KEPT, AddressState, Organisation, Profile, Scene
from quivive.baseline.tables import DAY_MS, Level
from quivive.baseline.windows import HOUR_MS
from quivive.policy.budget import Thresholds
from quivive.scoring.calibrate import Calibration, calibration_of

STATE_VERSION = 1
ADDRESS_IDLE = 45 * DAY_MS  # an address nobody came from is forgotten after this
STRAY_IDLE = 2 * DAY_MS  # and one where nobody ever succeeded, after this
ADDRESSES_KEPT = 200_000


class KnownPlace(Struct, frozen=True):
    """Place and operator of an address as a vendor stated it, for logs that state none."""

    country: str | None
    region: str | None
    city: str | None
    lat: float | None
    long: float | None
    asn: str | None
    as_name: str | None


class State(Struct):
    """The whole state of one organisation: a fold over its events."""

    version: int = STATE_VERSION
    organisation: Organisation = field(default_factory=Organisation)
    profiles: dict[str, Profile] = field(default_factory=dict)
    addresses: dict[str, AddressState] = field(default_factory=dict)
    networks: dict[str, AddressState] = field(default_factory=dict)
    places: dict[str, KnownPlace] = field(default_factory=dict)
    directory: Directory = field(default_factory=Directory)
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    monitor: Monitor = field(default_factory=Monitor)
    novelty: Novelty = field(default_factory=Novelty)
    thresholds: Thresholds = field(default_factory=Thresholds)

    def profile(self, identity: str) -> Profile:
        """The profile of an identity, made when first asked for."""
        profile = self.profiles.get(identity)
        if profile is None:
            profile = self.profiles[identity] = Profile()
        return profile

    def calibration(self, login: Observation, profile: Profile) -> Calibration:
        """The calibration of the login's class."""
        return calibration_of(self.calibrations, login, profile.newcomer(login.time))

    def scene(self, login: Observation, profile: Profile) -> tuple[Scene, Levels]:
        """What the signals may look at for this login, with its three levels."""
        organisation = self.organisation
        group = profile.group or login.kind
        peers = organisation.group(group)
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
            peers.scale(time),
            organisation.everyone.scale(time),
        )
        return scene, levels

    def address(self, login: Observation) -> list[AddressState]:
        """The states of the login's address and network, made when first met."""
        found = []
        for table, key in ((self.addresses, login.ip), (self.networks, login.network)):
            if key is not None:
                state = table.get(key)
                if state is None:
                    state = table[key] = AddressState()
                state.last_seen = max(state.last_seen, login.time)
                found.append(state)
        return found

    def merge_profile(self, former: str, identity: str) -> None:
        """Moves what was learned under a bare name to the identity it turned out to be."""
        moved = self.profiles.pop(former, None)
        if moved is None:
            return
        profile = self.profile(identity)
        profile.own.merge(moved.own)
        profile.first_seen = min(profile.first_seen or moved.first_seen, moved.first_seen)
        profile.last_seen = max(profile.last_seen, moved.last_seen)
        profile.successes += moved.successes
        profile.waiting = sorted([*moved.waiting, *profile.waiting], key=lambda w: w.time)
        profile.judged = {**moved.judged, **profile.judged}
        profile.places = (moved.places + profile.places)[-PLACES_KEPT:]

    def sweep(self, time: int) -> None:
        """Once a day of event time: forgets idle addresses, rebases counts, bounds the rest."""
        organisation = self.organisation
        if time - organisation.swept < DAY_MS:
            return
        organisation.swept = time
        for name in ("addresses", "networks"):
            table: dict[str, AddressState] = getattr(self, name)
            kept = {
                key: state
                for key, state in table.items()
                if time - state.last_seen
                < (ADDRESS_IDLE if state.good or state.hostile else STRAY_IDLE)
            }
            if len(kept) > ADDRESSES_KEPT:
                newest = sorted(kept.items(), key=lambda item: (-item[1].last_seen, item[0]))
                kept = dict(newest[:ADDRESSES_KEPT])
            setattr(self, name, kept)
        self.profiles = {
            identity: profile
            for identity, profile in self.profiles.items()
            if profile.successes
            or profile.held
            or profile.judged
            or time - max(profile.first_seen, profile.failures.hour * HOUR_MS) < STRAY_IDLE
        }
        if len(self.places) > ADDRESSES_KEPT:
            self.places = dict(list(self.places.items())[-ADDRESSES_KEPT // 2 :])
        levels: list[Level] = [organisation.everyone, *organisation.groups.values()]
        levels.extend(profile.own for profile in self.profiles.values())
        for level in levels:
            if level.anchor:
                level.rebase(time)
