"""The ``server`` section of the settings file: limits, and where an edge check finds its facts."""

from pathlib import Path
from typing import Annotated

import msgspec
import yaml
from msgspec import Meta, Struct

from quivive.app.errors import UsageError
from quivive.app.located import located
from quivive.app.oidc import Oidc
from quivive.app.settings_check import SECTIONS

Header = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Bytes = Annotated[int, Meta(ge=1_024, le=1 << 30)]
Seconds = Annotated[float, Meta(gt=0, le=3_600)]
Count = Annotated[int, Meta(ge=1, le=10_000_000)]


class Edge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a proxy tells of a login, by the header that says it.

    identity, address, agent, service: headers with the name of who is signed in, the client's
    address (the first of a list), its user agent, and what is asked for. product: what such logins
    are called. remember: seconds for which the same client of an identity is answered from memory,
    so that a page with a hundred pictures is one login. anonymous: what a request without an
    identity is answered: allow or deny.
    """

    identity: Header = "X-Forwarded-User"
    address: Header = "X-Forwarded-For"
    agent: Header = "User-Agent"
    service: Header = "X-Forwarded-Host"
    product: Annotated[str, Meta(min_length=1, max_length=64)] = "Edge"
    remember: Annotated[float, Meta(ge=0, le=3_600)] = 300.0
    anonymous: Annotated[str, Meta(pattern=r"^(allow|deny)$")] = "deny"


class ServerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of the server; every one of them holds by default.

    assess_bytes, events_bytes: the longest bodies. waiting_events: bulk events that may wait
    before callers are told to come later. answer_seconds: after which a login asked about is
    answered by the caller's fallback. requests_per_second: of one token without a limit of its
    own. connections: at a time. slow_seconds: for a request to come in whole, more for a long
    body. cost_seconds: of the processor that judging and keeping a million logins may take,
    before what is done beside it is left out a step at a time. stop_seconds: for requests to
    end when the server stops. behind_tls: a proxy with TLS stands before it, so the console's
    cookies go over https alone. oidc: an identity provider for the console.
    """

    assess_bytes: Bytes = 256 << 10
    events_bytes: Bytes = 16 << 20
    waiting_events: Count = 50_000
    answer_seconds: Seconds = 2.0
    requests_per_second: Annotated[float, Meta(gt=0)] = 2_000.0
    connections: Count = 1_000
    slow_seconds: Seconds = 10.0
    stop_seconds: Seconds = 20.0
    cost_seconds: Annotated[float, Meta(gt=0)] | None = None
    behind_tls: bool = False
    oidc: Oidc | None = None
    edge: Edge = Edge()


@located(ServerSettings, Edge, Oidc)
def read_settings(path: Path) -> ServerSettings:
    """The section of a YAML file. Raises UsageError naming file and setting."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise UsageError(f"{path}{line}: no YAML; mend it there") from None
    if not isinstance(found, dict | None):
        raise UsageError(f"{path}: the settings are sections: {', '.join(SECTIONS)}")
    sections = found or {}
    for name in sections:
        if name not in SECTIONS:
            raise UsageError(f"{path}: no section {str(name)[:40]!r}: {', '.join(SECTIONS)}")
    try:
        return msgspec.convert(sections.get("server") or {}, ServerSettings)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$")
        raise UsageError(f"{path}: server{place.strip('`')}: {problem}") from None
