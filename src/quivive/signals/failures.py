"""What failed before: guesses on the identity, on the address, across the organisation."""

from collections.abc import Sequence
from math import log

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import AddressState, Profile, Scene
from quivive.baseline.tables import DAY_MS
from quivive.baseline.tails import tail
from quivive.model.assessment import Evidence
from quivive.model.words import counted
from quivive.signals.signal import Signal, familiarity

GUESSING = ("T1110",)
SPRAYING = ("T1110.003", "T1110.004")
FATIGUE = ("T1621",)
PROBING = ("T1526", "T1087.004")
# Weights of the aggregates against the features (science: .25 to .7).
IDENTITY_WEIGHT = 0.35
ADDRESS_WEIGHT = 0.6
STRAY_WEIGHT = 0.25
DENIAL_WEIGHT = 0.7
REFUSAL_WEIGHT = 0.4
GUESSES_USUAL = 0.5
GUESSES_ABOVE = 1.0
DAILY = 14 / log(2)  # a decayed count with a half-life of 14 days, per day of it


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """Evidence from the last 24 hours, each against what is usual for its subject."""
    profile, time = scene.profile, login.time
    found = [
        _identity(profile, time) if profile.failures.counts else None,
        _address(login, scene.address, scene.network) if login.ip is not None else None,
        _denials(login, profile) if profile.denials.counts else None,
        _refusals(profile, time) if profile.refusals.counts else None,
        _strays(login, scene, levels),
    ]
    return [evidence for evidence in found if evidence is not None]


def _identity(profile: Profile, time: int) -> Evidence | None:
    count = profile.failures.total(time)
    if not count:
        return None
    mean = 0.05 + profile.failure_rate.at(profile.failures.hour * 3_600_000 - DAY_MS) / DAILY
    weight = IDENTITY_WEIGHT * (tail(count, mean) - tail(1, mean))
    networks = len(profile.failing_networks.members(time))
    places = f" from {networks} networks" if networks > 1 else ""
    return Evidence(
        signal="failures",
        weight=min(4.0, weight + 0.4 * log(max(1, networks))),
        text=f"{count} failed logins of this identity in 24 h{places}, usually {mean:.1f} a day",
        attack=GUESSING,
    )


def _address(
    login: Observation, address: AddressState | None, network: AddressState | None
) -> Evidence | None:
    best = _guessed(login, address)
    for state, name in ((address, "address"), (network, "network")):
        if state is None or not state.failing.last_seen:
            continue
        failing = [m for m in state.failing.members(login.time) if m != login.identity]
        if not failing:
            continue
        mean = 0.05 + 0.08 * len(state.good)
        weight = min(5.0, ADDRESS_WEIGHT * tail(len(failing), mean))
        if best is None or weight > best.weight:
            where = login.ip if name == "address" else login.network
            best = Evidence(
                signal="address_failures",
                weight=weight,
                text=f"{len(failing)} other identities failed from {name} {where} in 24 h,"
                f" {len(state.good)} are at home there",
                attack=SPRAYING,
            )
    return best


def _guessed(login: Observation, address: AddressState | None) -> Evidence | None:
    """Success after guesses from the same address, where the identity is not at home."""
    if address is None or not address.failures.counts or login.identity in address.good:
        return None
    count = address.failures.total(login.time)
    weight = ADDRESS_WEIGHT * tail(count, GUESSES_USUAL * (1 + len(address.good)))
    if weight < GUESSES_ABOVE:
        return None
    return Evidence(
        signal="address_failures",
        weight=min(5.0, weight),
        text=f"{count} failed logins from address {login.ip} in 24 h before this one",
        attack=GUESSING,
    )


def _denials(login: Observation, profile: Profile) -> Evidence | None:
    """Prompts before this login. The newest may still be answered, perhaps by this very login,
    unless it is yet another prompt.
    """
    time = login.time
    count = profile.denied(time, 6) + (login.prompts and profile.prompted(time))
    if not count:
        return None
    mean = 0.03 + profile.denial_rate.at(time - DAY_MS) / DAILY
    return Evidence(
        signal="mfa_denials",
        weight=min(6.0, DENIAL_WEIGHT * tail(count, mean)),
        text=f"{count} MFA prompts refused or unanswered in 6 h, usually {mean:.1f} a day",
        attack=FATIGUE,
    )


def _refusals(profile: Profile, time: int) -> Evidence | None:
    count = profile.refusals.total(time, 3)
    if not count:
        return None
    mean = 0.1 + profile.refusal_rate.at(time - DAY_MS) / DAILY
    weight = REFUSAL_WEIGHT * (tail(count, mean) - tail(1, mean))
    return Evidence(
        signal="refused_calls",
        weight=min(4.0, weight),
        text=f"{count} calls not authorised in 3 h, usually {mean:.1f} a day",
        attack=PROBING,
    )


def _strays(login: Observation, scene: Scene, levels: Levels) -> Evidence | None:
    """Failures across the organisation from operators their identities never used."""
    if login.asn is None or login.mfa == "phishing-resistant":
        return None
    if familiarity(levels, "operator", login.asn) == "own":
        return None
    organisation = scene.organisation
    if not organisation.stray_identities.last_seen:
        return None
    count = len(organisation.stray_identities.members(login.time))
    mean = 0.5 + organisation.stray_rate.at(login.time - DAY_MS) / DAILY
    if count <= mean:
        return None
    return Evidence(
        signal="campaign",
        weight=min(2.5, STRAY_WEIGHT * tail(count, mean, 1.0)),
        text=f"{counted(count, 'identity', 'identities')} failed from networks new to them in 24 h,"
        f" usually {mean:.1f}; this login comes from a network new to its identity",
        attack=SPRAYING,
    )


SIGNAL = Signal(
    name="failures",
    group="around",
    title="What failed before",
    tells={
        "failures": "Failed logins of the identity in 24 hours against its usual.",
        "address_failures": "Other identities that failed from the address or its network.",
        "mfa_denials": "MFA prompts refused or left unanswered.",
        "refused_calls": "Calls that the credential was not authorised for.",
        "campaign": "Failures across the organisation from networks new to their identities.",
    },
    attack=GUESSING + SPRAYING + FATIGUE + PROBING,
    evidence=evidence,
)
