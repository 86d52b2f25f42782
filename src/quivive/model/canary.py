"""The canary's reserved identities: names under a domain that can belong to nobody (RFC 6761)."""

DOMAIN = "canary.invalid"
PRODUCT = "Quivive Canary"
STRATUM = f"human/{PRODUCT}"  # its logins in a store, by kind of identity and product


def is_canary(identity: str) -> bool:
    """Whether an identity is the canary's: nothing is done to it, and no metric counts it."""
    return identity.endswith(f"@{DOMAIN}")
