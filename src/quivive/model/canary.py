"""The canary's reserved identities: names under a domain that can belong to nobody (RFC 6761)."""

DOMAIN = "canary.invalid"
PRODUCT = "Quivive Canary"


def is_canary(identity: str) -> bool:
    """Whether an identity is the canary's: nothing is done to it, and no metric counts it."""
    return identity.endswith(f"@{DOMAIN}")
