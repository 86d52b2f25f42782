"""How it authenticated: protocol, factor, MFA state, credential."""

from collections.abc import Iterator

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import Feature, Missing, Signal, member

ATTACK = ("T1078", "T1556")
CREDENTIAL_PRIORS = {"own": 0.5, "colleagues": 0.1, "new": 0.4}
RISK_PRIORS = {"low": 0.15, "medium": 0.25, "high": 0.3}


def features(login: Observation, scene: Scene, levels: Levels) -> Iterator[Feature | Missing]:
    """Protocol and MFA state given the log; the credential; the vendor's own risk."""
    given = ("log", login.log)
    method = f"{login.protocol or '?'}/{login.mfa or '?'}"
    if method != "?/?":
        # Each application has its own rules for MFA: the method is usual or not within it.
        application = f"{login.log}/{login.application}"
        yield Feature(
            signal="auth_method",
            factor="auth_method",
            key=f"{application}/{method}",
            label=" ".join(
                word for word in ("authentication", login.protocol, _MFA.get(login.mfa)) if word
            ),
            given=("application", application) if login.application else None,
            categories=6,
            attack=ATTACK,
        )
    if login.credential is not None:
        label = f"credential {login.credential[:24]}"
        yield from member(
            "credential",
            "credential",
            login.credential,
            levels,
            CREDENTIAL_PRIORS,
            label,
            given,
            ("T1078", "T1098.001"),
        )
    if login.vendor_risk is not None:
        yield Feature(
            signal="vendor_risk",
            factor="vendor_risk",
            key=f"{login.log}/{login.vendor_risk}",
            label=f"vendor's risk {login.vendor_risk}",
            given=given,
            categories=4,
            attacker=RISK_PRIORS.get(login.vendor_risk, 0.1),
            attack=("T1078",),
        )


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
