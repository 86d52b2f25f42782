"""Which of our log sources a Sigma rule's ``logsource`` means."""

from collections.abc import Collection
from difflib import get_close_matches

from quivive.sigma.flaw import SigmaFlaw
from quivive.sigma.rule import LogSource

NORMALISED = "*"  # every login, by the names of OCSF
AUTHENTICATION = "authentication"
# Products and services as the specification's taxonomy and its users call them; a product that is
# called as a source of ours needs no line.
SERVICES: dict[str, dict[str, str]] = {
    "okta": {"okta": "okta"},
    "azure": {
        "signinlogs": "entra",
        "auditlogs": "entra",
        "activitylogs": "azure_activity",
        "azureactivity": "azure_activity",
    },
    "m365": {"audit": "m365"},
    "aws": {"cloudtrail": "cloudtrail"},
    "gcp": {
        "gcp.audit": "gcp",
        "google_workspace.login": "google_workspace",
        "google_workspace.admin": "google_workspace",
    },
    "github": {"audit": "github"},
    "gitlab": {"audit": "gitlab"},
    "windows": {"security": "windows"},
    "linux": {"sshd": "sshd", "auth": "sshd"},
    "onelogin": {"onelogin.events": "onelogin"},
    "kubernetes": {"audit": "kubernetes"},
    "cisco": {"duo": "duo"},
}
_CATEGORIES = (AUTHENTICATION, "application")
_ABOUT = "Quivive reads logs of logins alone; leave such rules to the SIEM"


def resolve(asked: LogSource, sources: Collection[str]) -> frozenset[str]:
    """The names of the sources, of those that there are. Raises SigmaFlaw where it is none."""
    category, product, service = asked.category, asked.product, asked.service
    if category is not None and category not in _CATEGORIES:
        raise SigmaFlaw(f"logsource: category {category}", _ABOUT)
    if product is None and service is None:
        if category == AUTHENTICATION:
            return frozenset({NORMALISED})
        raise SigmaFlaw("logsource: no product", "write product: and service:")
    if product is None:
        assert service is not None
        found = {s[service] for s in SERVICES.values() if service in s}
        if not found:
            raise SigmaFlaw(f"logsource: service {service} of no product", "write product:")
        return frozenset(found)
    services = SERVICES.get(product)
    if services is None:
        own = product.replace("-", "_").replace(" ", "_")
        if own in sources:
            return frozenset({own})
        near = get_close_matches(own, [*SERVICES, *sources], 1, 0.75)
        hint = f"did you mean {near[0]}?" if near else _ABOUT
        raise SigmaFlaw(f"logsource: product {product} is read by no source", hint)
    if service is None:
        return frozenset(services.values())
    if service not in services:
        raise SigmaFlaw(
            f"logsource: service {service} of {product} is no log of logins that is read",
            f"{product} has {', '.join(services)}; {_ABOUT}",
        )
    return frozenset({services[service]})
