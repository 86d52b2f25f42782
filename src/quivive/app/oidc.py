"""Signing in with an identity provider: OpenID Connect's authorization code flow with PKCE.

OpenID Connect Core 1.0 (sections 3.1.2 and 3.1.3.7), Discovery 1.0, RFC 7636. What comes back is
believed only when the provider's own keys signed it, for this client, in answer to this question.
"""

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlencode

import httpx2
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Meta, Struct

from quivive.app.accounts import ROLES
from quivive.app.errors import UsageError
from quivive.respond.client import Client, Clock, system_clock
from quivive.respond.errors import RejectedError, UnavailableError
from quivive.respond.secret import Secret

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]  # never none, never shared
BACK = "/sign-in/oidc/back"
KNOWN_FOR = 3_600_000  # ms for which what the provider says of itself is kept
LEEWAY = 60  # seconds that clocks may differ
PENDING_FOR = 600_000  # ms to sign in at the provider
MOST_PENDING = 1_000
FORM = {"content-type": "application/x-www-form-urlencoded"}
Role = Literal["viewer", "analyst", "responder", "admin"]
Address = Annotated[
    str, Meta(pattern=r"^https://[^\s?#]+$|^http://(localhost|127\.0\.0\.1)[^\s?#]*$")
]


class Oidc(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An identity provider for the console.

    issuer: its address, where /.well-known/openid-configuration is. console: the address under
    which browsers reach this console. title: what the button says. roles: who of the provider's
    groups (values of roles_claim) is what here; without any, only users added with --oidc get in.
    """

    issuer: Address
    client_id: Annotated[str, Meta(min_length=1, max_length=512)]
    console: Address
    client_secret: Secret | None = None
    title: Annotated[str, Meta(min_length=1, max_length=64)] = "single sign-on"
    scopes: str = "openid profile email"
    roles_claim: str = "groups"
    roles: dict[Role, tuple[str, ...]] = {}


class Pending(NamedTuple):
    """A question that was asked of the provider; binding: of the browser it was asked from."""

    state: str
    nonce: str
    verifier: str
    binding: str
    next: str
    until: int

    def __repr__(self) -> str:
        """Without what could answer it."""
        return "Pending()"


class Asked:
    """The questions that wait for the provider's answer."""

    def __init__(self) -> None:
        """None yet."""
        self._waiting: OrderedDict[str, Pending] = OrderedDict()

    def put(self, pending: Pending) -> None:
        """Remembers one; the oldest are forgotten when there are too many."""
        self._waiting[pending.state] = pending
        while len(self._waiting) > MOST_PENDING:
            self._waiting.popitem(last=False)

    def take(self, state: str, binding: str, now: int) -> Pending | None:
        """The question that is answered: once, in time, and by the browser that asked."""
        found = self._waiting.pop(state, None)
        if found is None or now >= found.until:
            return None
        right = hmac.compare_digest(_digest(found.binding), _digest(binding))
        return found if right else None


class Known(NamedTuple):
    """Somebody whom the provider has vouched for. role: by its groups, None for none."""

    subject: str
    name: str
    role: str | None


class _Provider(Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class Provider:
    """One identity provider. It blocks: use it in a thread."""

    def __init__(
        self,
        settings: Oidc,
        *,
        clock: Clock | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """transport: tests give their own. Nothing is asked yet."""
        self.settings = settings
        self.clock = clock or system_clock()
        self._transport = transport
        self._said: tuple[int, _Provider] | None = None

    def begin(self, next_: str) -> tuple[str, Pending]:
        """Where to send the browser, and what is to be remembered of it.

        Raises UsageError when the provider cannot be reached or is another one.
        """
        said = self._discovered()
        state, nonce, verifier, binding = (secrets.token_urlsafe(32) for _ in range(4))
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self._back,
            "scope": self.settings.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        joined = "&" if "?" in said.authorization_endpoint else "?"
        until = self.clock.now() + PENDING_FOR
        address = f"{said.authorization_endpoint}{joined}{urlencode(query)}"
        return address, Pending(state, nonce, verifier, binding, next_, until)

    def finish(self, pending: Pending, code: str) -> Known:
        """Whom a code of the provider stands for. Raises UsageError when it is not believed."""
        said = self._discovered()
        client = self._client(said)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "client_id": self.settings.client_id,
            "code_verifier": pending.verifier,
        }
        if self.settings.client_secret is not None:
            form["client_secret"] = self.settings.client_secret.value()
        try:
            answer = client.send(
                "POST", said.token_endpoint, headers=FORM, content=urlencode(form).encode(),
                repeatable=False,
            ).json()  # fmt: skip
            keys = client.send("GET", said.jwks_uri).json()
        except RejectedError:
            raise UsageError("the identity provider refused the sign-in; try once more") from None
        except UnavailableError:
            raise UsageError("the identity provider cannot be reached; try again later") from None
        finally:
            client.close()
        token = answer.get("id_token") if isinstance(answer, dict) else None
        claims = self._verified(token, keys, pending.nonce)
        return Known(
            subject=f"{self.settings.issuer} {claims['sub']}",
            name=_first(claims, "preferred_username", "email", "sub"),
            role=self._role(claims.get(self.settings.roles_claim)),
        )

    @property
    def _back(self) -> str:
        return f"{self.settings.console.rstrip('/')}{BACK}"

    def _discovered(self) -> _Provider:
        now = self.clock.now()
        if self._said is not None and now < self._said[0]:
            return self._said[1]
        client = self._client()
        try:
            issuer = self.settings.issuer.rstrip("/")
            found = client.send("GET", f"{issuer}/.well-known/openid-configuration").json()
            said = msgspec.convert(found, _Provider)
        except (RejectedError, UnavailableError):
            raise UsageError("the identity provider cannot be reached; try again later") from None
        except msgspec.ValidationError:
            raise UsageError("the identity provider does not say how to sign in") from None
        finally:
            client.close()
        if said.issuer.rstrip("/") != issuer:
            raise UsageError("the identity provider calls itself something else; mend oidc.issuer")
        self._said = (now + KNOWN_FOR, said)
        return said

    def _client(self, said: _Provider | None = None) -> Client:
        also = (said.token_endpoint, said.jwks_uri) if said is not None else ()
        return Client(self.settings.issuer, also=also, clock=self.clock, transport=self._transport)

    def _verified(self, token: object, keys: Any, nonce: str) -> dict[str, Any]:
        """The claims of an ID token (Core 1.0, section 3.1.3.7)."""
        try:
            found = jwt.decode(str(token), KeySet.import_key_set(keys), algorithms=ALGORITHMS)
            claims = dict(found.claims)
        except (JoseError, ValueError, TypeError, KeyError):
            raise UsageError("the identity provider's answer is not signed by it") from None
        now, mine = self.clock.now() / 1000, self.settings.client_id
        audience = claims.get("aud")
        many = audience if isinstance(audience, list) else [audience]
        expires, issued = claims.get("exp"), claims.get("iat")
        right = (
            str(claims.get("iss", "")).rstrip("/") == self.settings.issuer.rstrip("/")
            and mine in many
            and (len(many) == 1 or claims.get("azp") == mine)
            and claims.get("azp", mine) == mine
            and isinstance(expires, int | float)
            and now < expires + LEEWAY
            and isinstance(issued, int | float)
            and issued < now + LEEWAY
            and hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode())
            and isinstance(claims.get("sub"), str)
            and 0 < len(claims["sub"]) <= 255
        )
        if not right:
            raise UsageError("the identity provider's answer is not for this sign-in")
        return claims

    def _role(self, groups: object) -> str | None:
        """The highest role of some groups."""
        mine = {str(g) for g in groups} if isinstance(groups, list | tuple) else {str(groups)}
        for role in reversed(ROLES):
            if mine & set(self.settings.roles.get(role, ())):  # type: ignore[call-overload]
                return role
        return None


def _first(claims: Mapping[str, Any], *names: str) -> str:
    return next((str(claims[name]) for name in names if claims.get(name)), "")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
