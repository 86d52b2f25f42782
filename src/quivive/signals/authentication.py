"""How it authenticated: protocol, factor, MFA state, credential."""

from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import CACHED, Feature, Signal, Spoken, familiarity, member, spoken

ATTACK = ("T1078", "T1556")
CREDENTIAL_PRIORS = {"own": 0.5, "colleagues": 0.1, "new": 0.4}
RISK_PRIORS = {"low": 0.15, "medium": 0.25, "high": 0.3}


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """Protocol and MFA state given the log; the credential; the vendor's own risk."""
    credential = login.credential
    known = "" if credential is None else familiarity(levels, "credential", credential)
    return _features(
        login.log, login.application, login.protocol, login.mfa, credential, known,
        login.vendor_risk,
    )  # fmt: skip


@lru_cache(CACHED)
def _features(
    log: str,
    named: str | None,
    protocol: str | None,
    mfa: str | None,
    credential: str | None,
    known: str,
    vendor_risk: str | None,
) -> Spoken:
    given = ("log", log)
    found: list[Feature] = []
    method = f"{protocol or '?'}/{mfa or '?'}"
    if method != "?/?":
        # Each application has its own rules for MFA: the method is usual or not within it.
        application = f"{log}/{named}"
        words = ("authentication", protocol, _MFA.get(mfa))
        found.append(
            Feature(
                signal="auth_method",
                factor="auth_method",
                key=f"{application}/{method}",
                label=" ".join(word for word in words if word),
                given=("application", application) if named else None,
                categories=6,
                attack=ATTACK,
            )
        )
    if credential is not None:
        found += member(
            "credential",
            "credential",
            credential,
            known,
            CREDENTIAL_PRIORS,
            f"credential {credential[:24]}",
            given,
            ("T1078", "T1098.001"),
        )
    if vendor_risk is not None:
        found.append(
            Feature(
                signal="vendor_risk",
                factor="vendor_risk",
                key=f"{log}/{vendor_risk}",
                label=f"vendor's risk {vendor_risk}",
                given=given,
                categories=4,
                attacker=RISK_PRIORS.get(vendor_risk, 0.1),
                attack=("T1078",),
            )
        )
    return spoken(*found)


_MFA: dict[str | None, str] = {
    "fresh": "with a fresh second factor",
    "phishing-resistant": "with a phishing-resistant factor",
    "claim": "with MFA by an earlier claim",
    "single": "with one factor",
}

SIGNAL = Signal(
    name="authentication",
    group="credential",
    title="How the identity proved itself",
    tells={
        "auth_method": "How usual the protocol and the state of MFA are in this log.",
        "credential": "Whether this key, certificate or token was used before.",
        "vendor_risk": "What the vendor's own detection said.",
    },
    attack=ATTACK,
    features=features,
)
