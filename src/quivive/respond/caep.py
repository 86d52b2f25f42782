"""CAEP: tell other services what became of a session, by signed security event tokens.

Each receiver of the settings is sent one token (RFC 8935). Streams that receivers set up themselves
are ``ssf/streams.py``; the server keeps those.
"""

import re
from typing import Annotated

from msgspec import Meta, Struct

from quivive.model.response import ResponseRequest
from quivive.respond.response import DONE, Action, Outcome, Talk
from quivive.respond.secret import Secret
from quivive.respond.ssf.tokens import OF_ACTION, Signer, claims, event, subject

_ORIGIN = re.compile(r"https://[A-Za-z0-9.\[\]:-]{1,255}/?")


class Receiver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: where tokens are pushed. audience: who it is. token: bearer token that it asks for."""

    url: str
    audience: str
    token: Secret | None = None


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """issuer: this transmitter's URL. key: EC P-256 or RSA private key in PEM.

    receivers: who is told by push. streams: whether receivers may set up streams of their own with
    ``quivive serve``, to be pushed to or to poll; issuer is the server's origin then. old_keys:
    keys that signed before, whose public halves are published until no receiver needs them.
    credential_type: what ``rotate`` concerns, in CAEP's words. poll_seconds: how long a poll waits
    for an event.
    """

    issuer: str
    key: Secret
    receivers: tuple[Receiver, ...] = ()
    streams: bool = False
    old_keys: tuple[Secret, ...] = ()
    credential_type: str = "password"
    poll_seconds: Annotated[float, Meta(ge=0, le=60)] = 15.0

    def __post_init__(self) -> None:
        """Raises ValueError where nobody could be told."""
        if not self.receivers and not self.streams:
            raise ValueError("name receivers, or set streams: true")
        if self.streams and not _ORIGIN.fullmatch(self.issuer):
            raise ValueError("issuer must be https://host, without a path, for streams")


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Tells every stream and every receiver; one that knows already takes it again unharmed."""
    kind, said = event(request, credential_type=settings.credential_type)
    sub_id = subject(request.target)
    signer = None if talk.dry else Signer(settings.key.value())
    word = kind.rpartition("/")[2]
    told_of = f"{word} of {request.target.identity}"
    streams = 0
    if settings.streams:
        streams = talk.publish(f"tell streams {told_of}", kind, said, sub_id, request.key)
    for receiver in settings.receivers:
        told = claims(
            settings.issuer,
            receiver.audience,
            sub_id,
            {kind: said},
            now=talk.now,
            about=request.key,
        )
        words = f"tell {receiver.audience} {told_of}"
        if signer is None:
            talk.change(words, "POST", receiver.url, told)
            continue
        headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
        if receiver.token is not None:
            headers["Authorization"] = f"Bearer {receiver.token.value()}"
        token = signer.sign(told).encode("ascii")
        talk.send_only(words, receiver.url, token, headers=headers, expect=(202, 200))
    if not settings.receivers and not streams:
        return Outcome("nothing_to_do", "no receiver has a stream that wants it")
    return DONE


ACTION = Action(
    name="caep",
    title="Tells other services by signed security events",
    vendor="CAEP receivers",
    does={
        action: f"Pushes `{uri.rpartition('/')[2]}` to every receiver."
        for action, uri in OF_ACTION.items()
    },
    undoes=(),
    products=("*",),
    settings=Settings,
    privileges=("the bearer token that each receiver gives its transmitters",),
    documentation="https://openid.net/specs/openid-caep-1_0-final.html",
    hosts=lambda settings: tuple(r.url for r in settings.receivers) or (settings.issuer,),
    authorise=lambda settings, talk: {},
    perform=perform,
    private=False,
)
