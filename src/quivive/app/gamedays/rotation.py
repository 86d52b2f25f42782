"""What S2, S4 and S6 share: a machine is robbed, and its secret lies in a vault that rotates it."""

from collections.abc import Sequence
from typing import Any

from quivive.app.gamedays.fakes import Vault
from quivive.app.gamedays.path import Path, connection
from quivive.app.responses import Connection
from quivive.sim.gamedays import Plan, Rehearsal

FUNCTION_SECRET = "database/rotate-role/invoice-render"  # noqa: S105  a path of Vault's


def stolen_function(seed: int) -> Plan:
    """Two weeks of a small company's cloud; on the twelfth day a function's identity is stolen."""
    return Plan(seed, 30, 26, ("cloudtrail",), (("function_identity", 12),), ends=14)


def names_of_victim(rehearsal: Rehearsal) -> tuple[str, ...]:
    """The names that the attacked machine goes by: the service's and its role's."""
    whose = rehearsal.incidents[0].identity
    service = next(s for s in rehearsal.organisation.services if s.name == whose)
    return tuple(name for name in (service.name, service.role) if name)


def vault_connection(
    path: Path, vault: Vault, names: Sequence[str], secret: str, **given: Any
) -> Connection:
    """The vault that rotates ``secret``, a path of its own, for identities of these names."""
    settings = {
        "url": vault.url,
        "token": {"file": str(path.folder / "shared.secret")},
        "rotate": dict.fromkeys(names, secret),
    }
    return connection("vault", settings, **given)
