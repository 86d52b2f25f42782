"""High-precision rules outside the score: each sets a floor under the risk."""

from collections.abc import Sequence

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.model.assessment import Evidence
from quivive.signals.signal import Signal, familiarity

CONFIRMED_ADDRESS = 90.0
LEAKED_CREDENTIAL = 85.0
INTERACTIVE_SERVICE = 80.0
CAMPAIGN_SUCCESS = 85.0
GUESSED = 20  # failures within 24 hours from such an address before a success
SPRAYED = 8  # identities failing from an address that nobody calls home
BROWSERS = frozenset({"Chrome", "Firefox", "Edge", "Safari", "Opera"})


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """Floors for a listed address, a leaked credential, a machine with a browser, a spray hit."""
    found: list[Evidence] = []
    if login.bad_address:
        found.append(
            _pin(
                "bad_address",
                f"address {login.ip} is on the list of confirmed-bad addresses",
                CONFIRMED_ADDRESS,
                ("T1078",),
            )
        )
    if login.vendor_risk == "leakedCredentials":
        found.append(
            _pin(
                "leaked_credential",
                "the vendor knows this credential as leaked",
                LEAKED_CREDENTIAL,
                ("T1589.001",),
            )
        )
    if login.kind == "service" and login.interactive and login.browser in BROWSERS:
        client = levels.own.tables.get("client")
        met = client is not None and any(key.endswith(f"/{login.browser}") for key in client.values)
        if not met and scene.profile.successes >= 20:
            found.append(
                _pin(
                    "interactive_service",
                    f"a machine identity logs in with {login.browser}",
                    INTERACTIVE_SERVICE,
                    ("T1078.004",),
                )
            )
    address = scene.address
    if (
        address is not None
        and address.failing.last_seen
        and not address.good
        and login.ip is not None
    ):
        failing = [m for m in address.failing.members(login.time) if m != login.identity]
        if len(failing) >= SPRAYED and familiarity(levels, "address", login.ip) != "own":
            found.append(
                _pin(
                    "spray_success",
                    f"success from {login.ip} after {len(failing)} other"
                    " identities failed there in 24 h; nobody is at home there",
                    CAMPAIGN_SUCCESS,
                    ("T1110.003",),
                )
            )
        elif login.outcome == "success" and familiarity(levels, "address", login.ip) != "own":
            guesses = address.failures.total(login.time)
            if guesses >= GUESSED:
                found.append(
                    _pin(
                        "guessing_success",
                        f"success from {login.ip} after {guesses} failed logins there in 24 h;"
                        " nobody is at home there",
                        CAMPAIGN_SUCCESS,
                        ("T1110.001",),
                    )
                )
    return found


def _pin(signal: str, text: str, floor: float, attack: tuple[str, ...]) -> Evidence:
    return Evidence(signal=signal, weight=0.0, text=text, attack=attack, pinned=floor)


SIGNAL = Signal(
    name="pinned",
    group="around",
    title="What needs no statistics",
    tells={
        "bad_address": "The address is on the operator's list of confirmed-bad addresses.",
        "leaked_credential": "The vendor reports the credential as leaked.",
        "interactive_service": "A machine identity that never used a browser logs in with one.",
        "guessing_success": "Success after many failures from an address where none is at home.",
        "spray_success": "Success from an address where many others failed and none is at home.",
    },
    attack=("T1078", "T1078.004", "T1110.003", "T1589.001"),
    evidence=evidence,
)
