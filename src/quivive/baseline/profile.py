"""What is remembered of one identity, one address and the organisation, all of it bounded."""

from msgspec import Struct, field

from quivive.baseline.tables import DAY_MS, Level
from quivive.baseline.windows import HOURS, DistinctWindow, Window

OWN_HALF_LIFE = 30.0 * DAY_MS
SHARED_HALF_LIFE = 60.0 * DAY_MS
FAILURE_HALF_LIFE = 14.0 * DAY_MS
OWN_CATEGORIES = 48
GROUP_CATEGORIES = 512
EVERYONE_CATEGORIES = 4096
PLACES_KEPT = 8
SESSIONS_KEPT = 24
SIGNED_IN_KEPT = 48
CONSTELLATIONS_KEPT = 48
SETTLED_AFTER = 4 * DAY_MS
ANSWERED_WITHIN = 10 * 60_000  # vendors' pushes and codes are good for 5 to 15 minutes
ENOUGH_LOGINS = 5.0  # decayed
GUESTS = "human:guests"


class Fading(Struct, gc=False):
    """One decayed number with its own half-life."""

    half_life_ms: float
    value: float = 0.0
    time: int = 0

    def at(self, time: int) -> float:
        """The value decayed to ``time`` (ms UTC)."""
        if self.value == 0.0:
            return 0.0
        faded: float = self.value * 2.0 ** (-max(0, time - self.time) / self.half_life_ms)
        return faded

    def add(self, time: int, amount: float = 1.0) -> None:
        """Adds ``amount`` at ``time``."""
        self.value = self.at(time) + amount
        self.time = max(self.time, time)

    def settle(self, time: int, amount: float) -> None:
        """Adds or takes back an ``amount`` of ``time``, which may be long past; never below 0."""
        if time >= self.time:
            self.add(time, amount)
        else:
            self.value += amount * 2.0 ** ((time - self.time) / self.half_life_ms)
        self.value = self.value if self.value > 1e-12 else 0.0


class Place(Struct, frozen=True, gc=False):
    """Where an identity logged in from at a time."""

    time: int
    lat: float
    long: float
    ip: str | None
    asn: str | None
    label: str


class SessionOrigin(Struct, frozen=True, gc=False):
    """Where a session was first seen, to notice it moving."""

    time: int
    ip: str | None
    asn: str | None
    country: str | None
    os: str | None
    browser: str | None = None
    device: str | None = None


class Recovery(Struct, frozen=True, gc=False):
    """A reset or an enrolment that happened around an account."""

    time: int
    what: str
    network: str | None
    familiar: bool


class Prompt(Struct, frozen=True, array_like=True, gc=False):
    """A prompt for another factor that may still be answered: in which product and session, and
    for whom (the network of its client).
    """

    time: int
    product: str
    network: str | None
    session: str | None


class Held(Struct, frozen=True, gc=False):
    """Logins kept out of the baseline: of which kind, since when, and on how many days."""

    kind: str
    since: int
    last: int
    days: int


class Waiting(Struct, frozen=True, array_like=True, gc=False):
    """What an odd login will teach once its probation is over: the fields are a Lesson's."""

    time: int
    constellation: str
    group: str
    trust: float
    features: tuple[tuple[str, str, bool], ...]


class Judged(Struct, frozen=True, gc=False):
    """What an analyst said of a kind of logins: hostile or in order, and from which login on.

    network: where the kind is the owner's own anyway, it is said of this network only.
    """

    hostile: bool
    time: int
    network: str | None = None


class ToldOf(Struct, frozen=True, gc=False):
    """When a kind of finding last came, its risk (undamped) at the worst, whether it got in, when
    it was last news (told in full, or above the line in spite of what was told before), and the
    address it last came from.
    """

    time: int
    risk: float = 0.0
    success: bool = True
    news: int = 0
    ip: str | None = None


class Passed(Struct, frozen=True, array_like=True, gc=False):
    """An ordinary login of this hour: its score, the share of signals that spoke, what was not
    evaluable, a count of what others did around its address, and the score by a model in shadow.
    """

    score: float
    share: float
    missing: tuple[str, ...]
    around: int
    beside: float | None = None


class Profile(Struct, gc=False):
    """What is usual for one identity. Bounded: see docs/reference/bounds.md."""

    kind: str = "human"
    group: str = ""
    own: Level = field(default_factory=lambda: Level(OWN_HALF_LIFE, OWN_CATEGORIES))
    first_seen: int = 0
    last_seen: int = 0
    successes: int = 0
    failures: Window = field(default_factory=Window)
    failure_rate: Fading = field(default_factory=lambda: Fading(FAILURE_HALF_LIFE))
    failing_networks: DistinctWindow = field(default_factory=lambda: DistinctWindow(32))
    refusals: Window = field(default_factory=Window)
    refusal_rate: Fading = field(default_factory=lambda: Fading(FAILURE_HALF_LIFE))
    denials: Window = field(default_factory=Window)
    denial_rate: Fading = field(default_factory=lambda: Fading(FAILURE_HALF_LIFE))
    prompt: Prompt | None = None  # the newest one, if its answer is not known
    countries: DistinctWindow = field(default_factory=lambda: DistinctWindow(16))
    networks: DistinctWindow = field(default_factory=lambda: DistinctWindow(32))
    network_rate: Fading = field(default_factory=lambda: Fading(FAILURE_HALF_LIFE))
    places: list[Place] = field(default_factory=list)
    sessions: dict[str, SessionOrigin] = field(default_factory=dict)
    recoveries: list[Recovery] = field(default_factory=list)
    learned: dict[str, int] = field(default_factory=dict)
    told: Fading = field(default_factory=lambda: Fading(DAY_MS / 2))
    told_attempts: Fading = field(default_factory=lambda: Fading(DAY_MS / 2))
    told_constellations: dict[str, ToldOf] = field(default_factory=dict)
    told_rules: dict[str, int] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    held_hours: dict[str, int] = field(default_factory=dict)
    main_countries: DistinctWindow = field(default_factory=lambda: DistinctWindow(16))
    main_operators: DistinctWindow = field(default_factory=lambda: DistinctWindow(16))
    signed_in: dict[str, int] = field(default_factory=dict)  # networks and operators, oldest first
    waiting: list[Waiting] = field(default_factory=list)
    matured: int = 0
    explored: DistinctWindow = field(default_factory=lambda: DistinctWindow(32))
    explored_rate: Fading = field(default_factory=lambda: Fading(FAILURE_HALF_LIFE))
    judged: dict[str, Judged] = field(default_factory=dict)
    road: dict[int, Passed] = field(default_factory=dict)
    road_hour: int = -1
    slots_hour: int = -1
    slots: int = 0  # of that hour: a bit for each slot in which a machine came

    @property
    def cold(self) -> bool:
        """Whether nothing at all has been learned yet."""
        return self.own.anchor == 0

    def newcomer(self, time: int) -> bool:
        """Whether it was first seen days ago at most. Who comes seldom, or comes back after months,
        is no newcomer: nobody is about to see them unpack.
        """
        return not self.first_seen or time - self.first_seen < SETTLED_AFTER

    def prompted(self, time: int) -> bool:
        """Whether somebody may be looking for their telephone: asked for another factor within
        ``ANSWERED_WITHIN``, and no answer is known yet.
        """
        prompt = self.prompt
        return prompt is not None and 0 <= time - prompt.time < ANSWERED_WITHIN

    def denied(self, time: int, hours: int = HOURS) -> int:
        """Prompts that were refused or not answered in the last ``hours`` (at most 24)."""
        if not self.denials.counts:
            return 0
        return max(0, self.denials.total(time, hours) - self.prompted(time))

    def effective_logins(self, time: int, scale: float | None = None) -> float:
        """Decayed count of learned logins; ``scale`` is that of ``own`` at the time, if known."""
        table = self.own.tables.get("log")
        if table is None:
            return 0.0
        return table.total / (self.own.scale(time) if scale is None else scale)


class AddressState(Struct, gc=False):
    """What is known of one address: who is at home there, who fails there, and whose login from
    there was somebody else's for certain (``hostile``, with the time of it).
    """

    good: dict[str, int] = field(default_factory=dict)
    failing: DistinctWindow = field(default_factory=lambda: DistinctWindow(64))
    failures: Window = field(default_factory=Window)
    findings: dict[str, int] = field(default_factory=dict)
    last_seen: int = 0
    hostile: dict[str, int] = field(default_factory=dict)

    GOOD_KEPT = 64

    def welcome(self, identity: str, time: int) -> None:
        """Notes an identity whose login from here was learned."""
        self.good.pop(identity, None)
        self.good[identity] = time
        if len(self.good) > self.GOOD_KEPT:
            self.good.pop(next(iter(self.good)))

    def others(self, identity: str) -> int:
        """How many other identities are known good here."""
        return len(self.good) - (identity in self.good)


class Organisation(Struct):
    """What is usual for everyone, and what happens across identities."""

    everyone: Level = field(default_factory=lambda: Level(SHARED_HALF_LIFE, EVERYONE_CATEGORIES))
    groups: dict[str, Level] = field(default_factory=dict)
    stray_identities: DistinctWindow = field(default_factory=lambda: DistinctWindow(512))
    stray_rate: Fading = field(default_factory=lambda: Fading(FAILURE_HALF_LIFE))
    first_seen: int = 0
    swept: int = 0
    known: int = 0  # identities with a login that was learned

    def group(self, name: str) -> Level:
        """The level of a peer group, made when first asked for."""
        level = self.groups.get(name)
        if level is None:
            level = self.groups[name] = Level(SHARED_HALF_LIFE, GROUP_CATEGORIES)
        return level


class Scene(Struct, frozen=True, gc=False):
    """Everything a signal may look at besides the login itself. Signals never change it."""

    profile: Profile
    address: AddressState | None
    network: AddressState | None
    organisation: Organisation
