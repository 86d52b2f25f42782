"""The words of Google Cloud's audit logs: methods, status codes, user agents, places."""

import re
from functools import lru_cache

from quivive.model.event import Endpoint, HttpRequest, Location, Service

# https://cloud.google.com/apis/design/errors: the canonical codes of google.rpc.Code.
CODES = {
    1: "CANCELLED",
    2: "UNKNOWN",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    10: "ABORTED",
    11: "OUT_OF_RANGE",
    12: "UNIMPLEMENTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    15: "DATA_LOSS",
    16: "UNAUTHENTICATED",
}
BAD_CREDENTIAL = frozenset({"UNAUTHENTICATED", "401"})
TOKEN_SERVICE = "sts.googleapis.com"  # noqa: S105
CREDENTIALS = "iamcredentials.googleapis.com"
PROXY = "iap.googleapis.com"
KUBERNETES = "k8s.io"
# What a token that is exchanged says of the protocol that it came by.
PROTOCOLS = {
    "id_token": ("OpenID", 4),
    "jwt": ("OpenID", 4),
    "saml2": ("SAML", 5),
    "aws4_request": ("AWS Signature", 99),
}
_INSIDE = frozenset({"private", "gce-internal-ip"})
_VERSION = re.compile(r"(?:v\d\w*|alpha|beta)")
_FRONT_END = ",gzip(gfe)"
_ZONE = re.compile(r"([a-z]+-[a-z]+\d+)-[a-z]")
# Stored objects, jobs and versions are without number: what they belong to says where somebody was.
_WITHIN = re.compile(r"/(?:objects|jobs|operations|versions)/")


@lru_cache(maxsize=4096)
def service_name(full: str | None, method: str) -> str:
    """ "storage" of "storage.googleapis.com"; of a method, where that is all there is."""
    if full is None and method.startswith("io.k8s."):
        return "k8s"
    if full is None:
        words = [word for word in method.split(".") if word and not _VERSION.fullmatch(word)]
        return words[0] if len(words) > 1 and words[0] not in ("google", "io") else "gcp"
    return "k8s" if full == KUBERNETES else full.partition(".")[0] or full


@lru_cache(maxsize=16384)
def operation_of(service: str, method: str) -> str:
    """What was done, alike in all versions of an API.

    "iam:CreateServiceAccountKey" of "google.iam.admin.v1.CreateServiceAccountKey",
    "compute:instances.insert" of "v1.compute.instances.insert", and "create pods/exec" of
    "io.k8s.core.v1.pods.exec.create".
    """
    words = method.split(".")
    if words[:2] == ["io", "k8s"]:
        at = next((i for i, word in enumerate(words) if _VERSION.fullmatch(word)), 1)
        rest = words[at + 1 :]
        return f"{rest[-1]} {'/'.join(rest[:-1])}" if len(rest) > 1 else f"k8s:{method}"
    if words[0] == "google":
        return f"{service}:{words[-1]}"
    if len(words) > 1 and _VERSION.fullmatch(words[0]):
        words = words[1:]
    if len(words) > 1 and words[0] == service:
        words = words[1:]
    return f"{service}:{'.'.join(words)}"


@lru_cache(maxsize=16384)
def resource_of(name: str | None) -> str | None:
    """What it was done to: of a stored object its bucket, of a secret's version the secret."""
    return _WITHIN.split(name, maxsplit=1)[0] or None if name else None


@lru_cache(maxsize=16384)
def request_of(agent: str | None) -> HttpRequest | None:
    """The client's own words, without those that Google's front end adds behind them."""
    while agent and agent.endswith(_FRONT_END):
        agent = agent.removesuffix(_FRONT_END)
    return HttpRequest(user_agent=agent) if agent and agent not in ("(gzip)", "gzip(gfe)") else None


@lru_cache(maxsize=4096)
def service_of(name: str) -> Service:
    """The API that was called."""
    return Service(name=name)


@lru_cache(maxsize=4096)
def destination_of(service: str | None, region: str | None) -> Endpoint | None:
    """The API's address and where the resource is: "europe-west1" also of "europe-west1-b"."""
    zone = _ZONE.fullmatch(region) if region else None
    region = zone[1] if zone else region
    if service is None and region is None:
        return None
    return Endpoint(svc_name=service, location=Location(region=region) if region else None)


@lru_cache(maxsize=65536)
def inside(word: str | None) -> Endpoint | None:
    """A caller within Google's network, of which only that is said."""
    return Endpoint(svc_name=word) if word in _INSIDE else None
