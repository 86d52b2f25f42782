"""CAEP: tell other services what became of a session, by signed security event tokens, pushed.

Each receiver is sent one token (RFC 8935). Streams that receivers set up and poll themselves are
``ssf/streams.py``; the server keeps those.
"""

from typing import Annotated

from msgspec import Meta, Struct

from quivive.model.response import ResponseRequest
from quivive.respond.response import DONE, Action, Outcome, Talk
from quivive.respond.secret import Secret
from quivive.respond.ssf.tokens import OF_ACTION, Signer, claims, event, subject


class Receiver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: where tokens are pushed. audience: who it is. token: bearer token that it asks for."""

    url: str
    audience: str
    token: Secret | None = None


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """issuer: this transmitter's URL. key: EC P-256 or RSA private key in PEM.

    receivers: who is told. credential_type: what ``rotate`` concerns, in CAEP's words.
    """

    issuer: str
    key: Secret
    receivers: Annotated[tuple[Receiver, ...], Meta(min_length=1)]
    credential_type: str = "password"


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Pushes a token to every receiver; one that got it already takes it again unharmed."""
    kind, said = event(request, credential_type=settings.credential_type)
    sub_id = subject(request.target)
    signer = None if talk.dry else Signer(settings.key.value())
    word = kind.rpartition("/")[2]
    for receiver in settings.receivers:
        told = claims(
            settings.issuer,
            receiver.audience,
            sub_id,
            {kind: said},
            now=talk.now,
            about=request.key,
        )
        words = f"tell {receiver.audience} {word} of {request.target.identity}"
        if signer is None:
            talk.change(words, "POST", receiver.url, told)
            continue
        headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
        if receiver.token is not None:
            headers["Authorization"] = f"Bearer {receiver.token.value()}"
        token = signer.sign(told).encode("ascii")
        talk.send_only(words, receiver.url, token, headers=headers, expect=(202, 200))
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
    hosts=lambda settings: tuple(receiver.url for receiver in settings.receivers),
    authorise=lambda settings, talk: {},
    perform=perform,
    private=False,
)
