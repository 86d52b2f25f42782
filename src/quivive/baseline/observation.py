"""One login as the baselines see it: who, from where, with what, for what, and how it ended."""

from hashlib import blake2b

from msgspec import Struct

from quivive.model.rule import RuleMatch


class Observation(Struct, frozen=True, kw_only=True, gc=False):
    """The facts of one event, extracted once. None is "not known", never "normal".

    identity: the joined id of the person or machine; kind: "human" or "service".
    log: product and mode ("Entra ID", "Entra ID/background"): what clients and applications
        are conditional on, because each log names them in its own way.
    outcome: "success", "failure", "interrupt"; accepted: the credential was right.
    network: the /24 or /48; network_kind: hosting, vpn, tor, mobile, residential, corporate.
    operation, resource, role, runner: what a credential was used for.
    acting: who acts through the identity, where the log names somebody else (impersonation,
        delegation, credentials given by another account).
    mfa: "fresh", "claim", "single", "phishing-resistant" or None.
    denied: another factor was refused, not answered, or is only asked for (``prompts``).
    around: what surrounds a login ("MFA Challenge", "Password Reset"…), None for a login.
    hour: 0-23 UTC; weekday: 0 is Monday.
    sigma: the operator's rules that its record matched, but for those in shadow.
    facts: all that signals may read of it but its time and session, as 64 bits; 0: not worked out.
    constellation: what makes two logins of one identity the same to an analyst.
    """

    time: int
    identity: str
    kind: str
    log: str
    outcome: str
    accepted: bool
    hour: int
    weekday: int
    guest: bool = False
    around: str | None = None
    interactive: bool = True
    ip: str | None = None
    public: bool = False
    network: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    lat: float | None = None
    long: float | None = None
    asn: str | None = None
    as_name: str | None = None
    network_kind: str | None = None
    bad_address: bool = False
    os: str | None = None
    browser: str | None = None
    tool: bool = False
    device: str | None = None
    managed: bool = False
    tls: str | None = None
    application: str | None = None
    host: str | None = None
    operation: str | None = None
    resource: str | None = None
    role: str | None = None
    runner: str | None = None
    credential: str | None = None
    acting: str | None = None
    session: str | None = None
    protocol: str | None = None
    mfa: str | None = None
    denied: bool = False
    vendor_risk: str | None = None
    count: int = 1
    sigma: tuple[RuleMatch, ...] = ()
    facts: int = 0
    constellation: str = ""

    @property
    def learnable(self) -> bool:
        """Whether this is a login that happened: only those say what is usual."""
        return self.outcome == "success" and self.around in (None, "MFA Challenge")

    @property
    def prompts(self) -> bool:
        """Whether another factor is asked for, and the answer will be a record of its own."""
        return self.denied and self.outcome == "interrupt"


def facts_of(login: Observation) -> int:
    """``Observation.facts`` of a login."""
    said = (
        f"{login.log}|{login.ip}|{login.city}|{login.region}|{login.country}|{login.asn}"
        f"|{login.network_kind}|{login.bad_address}|{login.os}|{login.browser}|{login.tool}"
        f"|{login.device}|{login.managed}|{login.tls}|{login.application}|{login.host}"
        f"|{login.operation}|{login.resource}|{login.role}|{login.runner}|{login.credential}"
        f"|{login.acting}"
        f"|{login.protocol}|{login.mfa}|{login.vendor_risk}|{login.interactive}|{login.guest}"
        f"|{login.around}|{login.kind}"
    )
    return int.from_bytes(blake2b(said.encode(), digest_size=8).digest(), "big")


def constellation_of(login: Observation) -> str:
    """``Observation.constellation`` of a login."""
    return (
        f"{login.country}|{login.asn}|{login.network}|{login.os}|{login.browser}|{login.device}"
        f"|{login.log}|{login.application}|{login.mfa}"
    )
