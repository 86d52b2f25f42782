"""The canary by way of a running server: in through ``/v1/events``, out through what it shows."""

import time
from collections.abc import Callable

import httpx2
import msgspec

from quivive.app.canary import Found, of_line, takeover
from quivive.app.errors import UsageError
from quivive.respond.client import checked_url
from quivive.respond.errors import RefusedError

LOOK_EVERY = 0.25  # seconds


class _Page(msgspec.Struct):
    assessments: list[msgspec.Raw] = []


class _Identity(msgspec.Struct):
    incidents: list[str] = []


def over_http(
    url: str,
    token: str,
    deadline: float,
    now: int,
    *,
    transport: httpx2.BaseTransport | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Found]:
    """Puts a canary into a server, and looks for it until ``deadline`` (seconds) is over.

    now: ms UTC. transport, sleep: tests give their own. Raises UsageError for a URL that is none.
    """
    try:
        base = checked_url(url)
    except RefusedError as error:
        raise UsageError(f"--url: {error}") from None
    _, identity, body = takeover(now)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(
        base_url=base, headers=headers, transport=transport, trust_env=False, timeout=deadline
    ) as client:
        try:
            sent = client.post("/v1/events", params={"source": "ocsf"}, content=body + b"\n")
            if sent.status_code >= 300:
                return [Found("taken in", False, f"/v1/events answered {sent.status_code}")]
            return [Found("taken in", True, "by /v1/events"), *_out(client, identity, deadline,
                                                                    sleep)]  # fmt: skip
        except httpx2.HTTPError as error:
            return [Found("server", False, f"cannot be asked ({type(error).__name__})")]


def _out(
    client: httpx2.Client, identity: str, deadline: float, sleep: Callable[[float], None]
) -> list[Found]:
    line: bytes | None = None
    incidents: list[str] = []
    for _ in range(max(1, round(deadline / LOOK_EVERY))):
        answer = client.get("/v1/assessments", params={"identity": identity, "limit": "1"})
        if answer.status_code == 200:
            page = msgspec.json.decode(answer.content, type=_Page)
            line = bytes(page.assessments[0]) if page.assessments else None
        if line is not None:
            known = client.get(f"/v1/identities/{identity}")
            if known.status_code == 200:
                incidents = msgspec.json.decode(known.content, type=_Identity).incidents
            if incidents:
                break
        sleep(LOOK_EVERY)
    said = incidents[0] if incidents else "none was opened"
    return [*of_line(line), Found("incident", bool(incidents), said)]
