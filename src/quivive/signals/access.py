"""To what: log, application, host, operation, resource, role, runner; and who acts through it."""

from collections.abc import Iterator
from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import CACHED, Feature, Signal, Spoken, familiarity, member, spoken

VALID = ("T1078",)
CLOUD = ("T1078.004",)
DISCOVERY = ("T1078.004", "T1526")
LATERAL = ("T1021",)
IMPERSONATION = ("T1548.005", "T1134")
HOST_PRIORS = {"own": 0.3, "colleagues": 0.4, "new": 0.3}
OPERATION_PRIORS = {"own": 0.35, "colleagues": 0.3, "new": 0.35}
RESOURCE_PRIORS = {"own": 0.3, "colleagues": 0.3, "new": 0.4}
ROLE_PRIORS = {"own": 0.3, "colleagues": 0.35, "new": 0.35}
# Who acts through an account that others act through: a stolen key of its own is used by nobody.
ACTING_PRIORS = {"own": 0.2, "nobody": 0.4, "new": 0.4}
_ACTS = {
    "own": "acts through it, as before",
    "nobody": "used directly, not through somebody else",
    "new": "acts through it for the first time",
}
RUNNER_PRIORS = {"own": 0.1, "colleagues": 0.1, "new": 0.8}


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """The log itself; what was logged in to within it; what for, as which role, on which runner."""
    log, application, operation = login.log, login.application, login.operation
    host = login.host if operation is None else None

    def known(factor: str, key: str | None) -> str:
        return "" if key is None else familiarity(levels, factor, key)

    return _features(
        # A reset or an enrolment is its own evidence (recovery).
        (log, login.around is None, login.kind == "service"),
        (application, known("application", application and f"{log}/{application}")),
        (login.role, known("role", login.role)),
        (operation, known("operation", operation and f"{log}/{operation}")),
        (host, known("host", host)),
        (login.resource, known("resource", login.resource)),
        (login.runner, known("runner", login.runner)),
        (login.acting, _acts(login, levels)),
    )


def _acts(login: Observation, levels: Levels) -> str:
    """Whether somebody acts through an account as before; that nobody does says something where
    somebody mostly did.
    """
    if login.acting is not None:
        return "own" if familiarity(levels, "acting", login.acting) == "own" else "new"
    own = levels.own.tables
    acting = own.get("acting")
    if acting is None or login.around is not None or 2 * acting.total < own["log"].total:
        return ""
    return "nobody"


Member = tuple[str | None, str]  # and how familiar it is


@lru_cache(CACHED)
def _features(
    log: tuple[str, bool, bool],
    application: Member,
    role: Member,
    operation: Member,
    host: Member,
    resource: Member,
    runner: Member,
    acting: Member,
) -> Spoken:
    name, weigh_log, service = log
    in_log = given = ("log", name)
    found = [
        Feature(
            signal="log",
            factor="log",
            key=name,
            label=f"log {name}",
            attack=VALID,
            alarms_only=True,
            weigh=weigh_log,
        )
    ]
    if application[0] is not None:
        # What is done in an application never used before is new anyway: count it once.
        known = f"{name}/{application[1]}"
        given = ("application?", known)
        found += (
            Feature(
                signal="application",
                factor="application",
                key=f"{name}/{application[0]}",
                label=f"application {application[0]}",
                given=in_log,
                categories=20,
                attack=VALID,
                alarms_only=service,
            ),
            Feature(
                signal="application", factor="application?", key=known, weigh=False, parent=True
            ),
        )
    if role[0] is not None:
        # A role never taken makes what is done in it new: count it once.
        known = f"{name}/{role[1]}"
        found.append(
            Feature(signal="role", factor="role given", key=known, weigh=False, parent=True)
        )
        if role[1] != "own":
            given = ("role given", known)
    if operation[0] is not None:
        found += _member("operation", operation, OPERATION_PRIORS, given, DISCOVERY, f"{name}/")
    elif host[0] is not None:
        found += _member("host", host, HOST_PRIORS, given, LATERAL)
    if resource[0] is not None:
        found += _member("resource", resource, RESOURCE_PRIORS, given, CLOUD)
    if role[0] is not None:
        found += _member("role", role, ROLE_PRIORS, in_log, CLOUD)
    if runner[0] is not None:
        found += _member("runner", runner, RUNNER_PRIORS, given, CLOUD)
    if acting[1]:
        found += _acting(*acting)
    return spoken(*found)


def _acting(name: str | None, known: str) -> Iterator[Feature]:
    yield Feature(
        signal="acting",
        factor="acting?",
        key=known,
        label=_ACTS[known] if name is None else f"{name} {_ACTS[known]}",
        categories=len(ACTING_PRIORS),
        attacker=ACTING_PRIORS[known],
        attack=IMPERSONATION,
        alarms_only=True,
    )
    if name is not None:
        yield Feature(signal="acting", factor="acting", key=name, weigh=False)


def _member(
    what: str,
    of: Member,
    priors: dict[str, float],
    given: tuple[str, str],
    attack: tuple[str, ...],
    within: str = "",
) -> tuple[Feature, Feature]:
    name, known = of
    return member(what, what, f"{within}{name}", known, priors, f"{what} {name}", given, attack)


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
        "acting": "Who acts through the account (impersonation, delegation): whether they did"
        " before, or nobody does where somebody always did.",
    },
    attack=VALID + CLOUD + LATERAL + IMPERSONATION,
    features=features,
)
