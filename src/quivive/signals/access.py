"""To what: log, application, host, operation, resource, role, runner."""

from collections.abc import Iterator

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import Feature, Missing, Signal, familiarity, member

VALID = ("T1078",)
CLOUD = ("T1078.004",)
DISCOVERY = ("T1078.004", "T1526")
LATERAL = ("T1021",)
HOST_PRIORS = {"own": 0.3, "colleagues": 0.4, "new": 0.3}
OPERATION_PRIORS = {"own": 0.35, "colleagues": 0.3, "new": 0.35}
RESOURCE_PRIORS = {"own": 0.3, "colleagues": 0.3, "new": 0.4}
ROLE_PRIORS = {"own": 0.3, "colleagues": 0.35, "new": 0.35}
RUNNER_PRIORS = {"own": 0.1, "colleagues": 0.1, "new": 0.8}


def features(login: Observation, scene: Scene, levels: Levels) -> Iterator[Feature | Missing]:
    """The log itself; what was logged in to within it; what for, as which role, on which runner."""
    log = given = ("log", login.log)
    yield Feature(
        signal="log",
        factor="log",
        key=login.log,
        label=f"log {login.log}",
        attack=VALID,
        alarms_only=True,
        weigh=login.around is None,  # a reset or an enrolment is its own evidence (recovery)
    )
    if login.application is not None:
        application = f"{login.log}/{login.application}"
        yield Feature(
            signal="application",
            factor="application",
            key=application,
            label=f"application {login.application}",
            given=given,
            categories=20,
            attack=VALID,
            alarms_only=login.kind == "service",
        )
        # What is done in an application never used before is new anyway: count it once.
        known = f"{login.log}/{familiarity(levels, 'application', application)}"
        yield Feature(signal="application", factor="application?", key=known, weigh=False)
        given = ("application?", known)
    if login.role is not None:
        # A role never taken makes what is done in it new: count it once.
        known = f"{login.log}/{familiarity(levels, 'role', login.role)}"
        yield Feature(signal="role", factor="role given", key=known, weigh=False)
        if not known.endswith("/own"):
            given = ("role given", known)
    if login.operation is not None:
        key = f"{login.log}/{login.operation}"
        label = f"operation {login.operation}"
        yield from member(
            "operation", "operation", key, levels, OPERATION_PRIORS, label, given, DISCOVERY
        )
    elif login.host is not None:
        yield from member(
            "host", "host", login.host, levels, HOST_PRIORS, f"host {login.host}", given, LATERAL
        )
    if login.resource is not None:
        label = f"resource {login.resource}"
        yield from member(
            "resource", "resource", login.resource, levels, RESOURCE_PRIORS, label, given, CLOUD
        )
    if login.role is not None:
        label = f"role {login.role}"
        yield from member("role", "role", login.role, levels, ROLE_PRIORS, label, log, CLOUD)
    if login.runner is not None:
        label = f"runner {login.runner}"
        yield from member(
            "runner", "runner", login.runner, levels, RUNNER_PRIORS, label, given, CLOUD
        )


SIGNAL = Signal(
    name="access",
    group="access",
    title="What the login is for",
    tells={
        "log": "Whether the identity logs in to this product at all.",
        "application": "How usual the application is, given the product.",
        "host": "Whether the identity, or a colleague, has logged in to this host.",
        "operation": "Whether the credential was used for this operation before.",
        "resource": "Whether it was used on this resource before.",
        "role": "Whether the identity has taken this role before.",
        "runner": "Whether the credential was used on this CI runner before.",
    },
    attack=VALID + CLOUD + LATERAL,
    features=features,
)
