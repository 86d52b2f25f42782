"""A Kafka cluster in settings: where its brokers are, and how they know us."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from quivive.notify.notifier import Read, Secret, Security

Server = Annotated[str, Meta(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")]
TopicName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,249}$")]


class Cluster(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """servers: brokers to begin with, ``host:port``. protocol, mechanism, user, password: how the
    brokers know us. ca_file, cert_file, key_file: PEM files, of the authorities to trust and of a
    certificate of our own.
    """

    servers: Annotated[tuple[Server, ...], Meta(min_length=1, max_length=32)]
    protocol: Literal["ssl", "plaintext", "sasl_ssl", "sasl_plaintext"] = "ssl"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    user: str | None = None
    password: Secret | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError where a protocol lacks what it needs."""
        known = (self.mechanism, self.user, self.password)
        if self.protocol.startswith("sasl") and None in known:
            raise ValueError(f"{self.protocol} needs mechanism, user and password")
        if not self.protocol.startswith("sasl") and known != (None, None, None):
            raise ValueError("mechanism, user and password go with sasl_ssl or sasl_plaintext")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")


def security(cluster: Cluster, read: Read) -> Security:
    """The same with its password. Raises ConfigurationError where that cannot be read."""
    return Security(
        cluster.protocol,
        cluster.mechanism,
        cluster.user,
        read(cluster.password) if cluster.password is not None else None,
        cluster.ca_file,
        cluster.cert_file,
        cluster.key_file,
    )
