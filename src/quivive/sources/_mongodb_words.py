"""What MongoDB's logs call things: mechanisms, error codes, who its own users are."""

from functools import lru_cache

from msgspec import Struct

from quivive.model.event import AuthFactor, FactorType, User, UserType
from quivive.sources.fields import email

_MOST_NAME = 256


class Mechanism(Struct, frozen=True):
    """How somebody proves to be a user of the database."""

    factors: tuple[AuthFactor, ...] | None = None
    protocol: str | None = None
    protocol_id: int | None = None


def _shown(kind: FactorType, word: str) -> tuple[AuthFactor, ...]:
    return (AuthFactor(factor_type_id=kind, factor_type=word),)


_UNSAID = Mechanism()
_PASSWORD = _shown(FactorType.PASSWORD, "Password")
_MECHANISMS = {
    "SCRAM-SHA-1": Mechanism(_PASSWORD, "SCRAM-SHA-1", 99),
    "SCRAM-SHA-256": Mechanism(_PASSWORD, "SCRAM-SHA-256", 99),
    "MONGODB-CR": Mechanism(_PASSWORD, "MONGODB-CR", 99),
    "PLAIN": Mechanism(_PASSWORD, "LDAP", 12),
    "GSSAPI": Mechanism(None, "Kerberos", 2),
    "MONGODB-X509": Mechanism(_shown(FactorType.OTHER, "Certificate"), "MONGODB-X509", 99),
    "MONGODB-AWS": Mechanism(_shown(FactorType.OTHER, "AWS IAM"), "MONGODB-AWS", 99),
    "MONGODB-OIDC": Mechanism(None, "OpenID", 4),
}
# The members of a cluster among themselves, and the agents of Atlas and Cloud Manager.
_PLATFORM = frozenset({"__system", "mms-automation", "mms-monitoring-agent", "mms-backup-agent"})
_EXTERNAL = "$external"
_NO_PERSON = ("CN=", "arn:")


@lru_cache(256)
def mechanism_of(word: str | None) -> Mechanism:
    """What a mechanism means; one that is not known is a protocol of its own name."""
    if word is None:
        return _UNSAID
    return _MECHANISMS.get(word.upper()) or Mechanism(None, word, 99)


@lru_cache(4096)
def user_of(name: str, database: str | None, member: bool = False) -> User:
    """A user, with the database that it is defined in as its domain.

    member: the other side is a member of the same cluster.
    """
    platform = member or name in _PLATFORM
    # Whoever an identity provider vouches for: its id in Atlas, and the name that it gives.
    plain = name.rpartition("/")[2] if database == _EXTERNAL else name
    return User(
        name=name[:_MOST_NAME],
        domain=database,
        email_addr=email(plain) if not name.startswith(_NO_PERSON) else None,
        type_id=UserType.SYSTEM if platform else None,
    )
