"""What a response is: one vendor's way to contain an identity, or to tell its people.

A module of this package with a constant ``ACTION`` is one vendor. Its ``perform`` asks the vendor
through a ``Talk``, which says everything in words, keeps what undo needs, and in a dry run asks
nothing at all: no network, no secret is touched.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from quivive.model.response import ResponseRequest, Target
from quivive.respond.client import Answer, Client
from quivive.respond.errors import RefusedError, RejectedError, UnavailableError

MOST_WORDS = 600  # characters of one thing asked
MOST_PAGES = 20  # of a list; more of anything an identity has is refused rather than cut


class Outcome(Struct, frozen=True):
    """What came of a performance: ``nothing_to_do`` when the vendor was there already.

    detail: what is left for people to do, if anything.
    """

    status: Literal["done", "nothing_to_do"]
    detail: str = ""


DONE = Outcome("done")
NOTHING = Outcome("nothing_to_do")


class Talk:
    """One conversation with a vendor.

    asked: what was asked, in words, in order. undo: what taking it back needs; filled in as things
    are done, so that a performance that breaks off half way can be taken back as well.
    """

    def __init__(
        self,
        base: str,
        client: Client | None,
        authorise: Callable[["Talk"], Mapping[str, str]],
        now: int,
        *,
        dry: bool = False,
    ) -> None:
        """With the vendor at ``base``; ``now`` is the time in ms UTC; ``dry``: ask nothing."""
        self.base = base.rstrip("/")
        self.now = now
        self.dry = dry
        self.asked: list[str] = []
        self.undo: dict[str, Any] = {}
        self.request_id: str | None = None
        self._client = client
        self._authorise = authorise
        self._headers: Mapping[str, str] | None = None

    @property
    def client(self) -> Client:
        """The way out. Raises RefusedError in a dry run, which has none."""
        if self.dry or self._client is None:
            raise RefusedError("a dry run asks nothing")
        return self._client

    def look(
        self,
        words: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        stand_in: Any,
        method: str = "GET",
        body: object = None,
        missing: Any = None,
    ) -> Any:
        """What the vendor knows, as JSON. A dry run goes on with ``stand_in``.

        missing: given instead of a 404, where one is to be expected.
        """
        target = path + ("?" + urlencode(params) if params else "")
        self._say(words, method, target, body)
        if self.dry:
            return stand_in
        expect = (200, 404) if missing is not None else (200,)
        content = None if body is None else msgspec.json.encode(body)
        answer = self._send(method, target, headers, content, expect=expect)
        if answer.status == 404:
            return missing
        found = answer.json()
        if isinstance(stand_in, list):
            return entries(found)
        if not isinstance(found, dict):
            raise RejectedError("the vendor answered with something that is no object")
        return found

    def pages(
        self, words: str, path: str, *, params: Mapping[str, str], stand_in: list[Any], size: int
    ) -> list[Any]:
        """Every entry of a list that comes in numbered pages of ``size``."""
        found: list[Any] = []
        for number in range(1, MOST_PAGES + 1):
            page = self.look(
                words if number == 1 else f"{words}, page {number}",
                path,
                params={**params, "per_page": str(size), "page": str(number)},
                stand_in=stand_in,
            )
            found += page
            if self.dry or len(page) < size:
                return found
        raise RefusedError(f"more than {MOST_PAGES * size} entries in {path}; do this one by hand")

    def change(
        self,
        words: str,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        expect: tuple[int, ...] = (200, 201, 202, 204),
        repeatable: bool = True,
    ) -> Answer:
        """Asks the vendor to change something. A dry run says so and goes on.

        body: JSON, or bytes as they are. repeatable: False for what would happen twice.
        """
        self._say(words, method, path, body)
        if self.dry:
            return Answer(expect[0], {}, b"{}")
        content = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        return self._send(method, path, headers, content, expect=expect, repeatable=repeatable)

    def send_only(
        self,
        words: str,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str],
        expect: tuple[int, ...],
    ) -> Answer:
        """Posts a body that is not told in words, such as a signed token. Not for dry runs."""
        self._say(words, "POST", url, None)
        return self._send("POST", url, headers, body, expect=expect)

    def get(self, words: str, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """An answer as it came, with its headers. Not for dry runs."""
        self._say(words, "GET", path, None)
        return self._send("GET", path, headers, None, expect=(200,))

    def call(self, words: str, asked: Callable[[], Any], stand_in: Any = None) -> Any:
        """Something asked through the vendor's own library, which retries by itself."""
        self.asked.append(words[:MOST_WORDS])
        return stand_in if self.dry else asked()

    def publish(
        self, words: str, kind: str, said: Mapping[str, Any], sub_id: Mapping[str, Any], about: str
    ) -> int:
        """Puts a security event into the streams that receivers set up; gives how many want it.

        Raises UnavailableError where streams are not kept.
        """
        self._say(words, "PUT", kind, {"sub_id": sub_id, **said})
        if self.dry:
            return 1
        if self.client.outlet is None:
            raise UnavailableError("streams are not kept here; quivive serve does it")
        return self.client.outlet(kind, said, sub_id, about, self.now)

    def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None,
        content: bytes | None,
        *,
        expect: tuple[int, ...],
        repeatable: bool = True,
    ) -> Answer:
        if self._headers is None:
            self._headers = self._authorise(self)
        kind = {} if content is None else {"Content-Type": "application/json"}
        try:
            answer = self.client.send(
                method,
                path,
                headers={**kind, **self._headers, **(headers or {})},
                content=content,
                expect=expect,
                repeatable=repeatable,
            )
        except RejectedError as error:
            if error.status != 401 or not self.client.kept:
                raise
            self.client.kept.clear()  # a token that was kept is no longer good: once more, anew
            self._headers = self._authorise(self)
            answer = self.client.send(
                method,
                path,
                headers={**kind, **self._headers, **(headers or {})},
                content=content,
                expect=expect,
                repeatable=repeatable,
            )
        self.request_id = answer.request_id or self.request_id
        return answer

    def _say(self, words: str, method: str, path: str, body: object) -> None:
        whole = path if "://" in path else f"{self.base}/{path.lstrip('/')}"
        sent = ""
        if body is not None:
            text = body if isinstance(body, bytes) else msgspec.json.encode(body)
            sent = " " + text.decode("utf-8", "replace")
        said = f"{words}: {method} {whole}{sent}"
        self.asked.append(said if len(said) <= MOST_WORDS else said[: MOST_WORDS - 1] + "…")


Perform = Callable[[ResponseRequest, Any, Talk], Outcome]
Undo = Callable[[ResponseRequest, dict[str, Any], Any, Talk], Outcome]


class Action(Struct, frozen=True, kw_only=True):
    """One vendor's responses.

    name: the module's name and the ``vendor:`` word of the settings. title: in a phrase. vendor:
        the product as its users call it.
    does: the actions of policy it serves, each with what it means at this vendor.
    undoes: those of them that can be taken back.
    products: the products of logs whose identities it knows by their own ids; ``*`` for all.
    settings: the Struct of its settings, secrets only as ``Secret``.
    privileges: the least that its credential needs, by the vendor's names.
    documentation: where the vendor documents what is asked.
    hosts: the base URLs that may be asked, of the settings; the first is the one that paths follow.
    authorise: headers that prove who asks; may ask for a token. Never called in a dry run.
    perform: does it. Raises RespondError and ConfigurationError, nothing else.
    undo: takes back what ``Talk.undo`` remembered.
    private: whether its host may have an address inside the network.
    """

    name: str
    title: str
    vendor: str
    does: dict[str, str]
    undoes: tuple[str, ...]
    products: tuple[str, ...]
    settings: type[Struct]
    privileges: tuple[str, ...]
    documentation: str
    hosts: Callable[[Any], tuple[str, ...]]
    authorise: Callable[[Any, Talk], Mapping[str, str]]
    perform: Perform
    undo: Undo | None = None
    private: bool = True


def segment(text: object) -> str:
    """A piece of a path, quoted. Raises RefusedError for one that would lead elsewhere."""
    piece = str(text)
    if piece in ("", ".", "..") or any(not c.isprintable() for c in piece):
        raise RefusedError(f"{piece!r} cannot be asked about: not an id")
    return quote(piece, safe="")


def needed(value: str | None, what: str) -> str:
    """The value itself. Raises RefusedError when the login does not show it."""
    if not value:
        raise RefusedError(f"the login shows no {what}, which this vendor needs")
    return value


def own_uid(target: Target, products: tuple[str, ...]) -> str | None:
    """The target's id, where it is one of the vendor's own products."""
    return target.uid if target.product in products else None


def login_name(target: Target) -> str:
    """The e-mail or login name of a person. Raises RefusedError where none is known."""
    at = target.identity if "@" in target.identity else None
    return needed(target.email or at or target.name, "e-mail address or login name")


def entries(found: object) -> list[Any]:
    """A list of objects out of an answer. Raises RejectedError for anything else."""
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise RejectedError("the vendor answered with something that is no list of objects")
    return found


def member(found: object, key: str, of: type = str) -> Any:
    """A member of an object in an answer. Raises RejectedError where it lacks one of the type."""
    value = found.get(key) if isinstance(found, dict) else None
    if not isinstance(value, of):
        raise RejectedError(f"the vendor's answer holds no {key}")
    return value


def only(request: ResponseRequest, known: Mapping[str, Any]) -> Any:
    """What belongs to the request's action. Raises RefusedError where the vendor does not do it."""
    if request.action not in known:
        raise RefusedError(
            f"{request.action} is not what this vendor does; it does {sorted(known)}"
        )
    return known[request.action]


def static(header: str, form: str) -> Callable[[Any, Talk], Mapping[str, str]]:
    """An ``authorise`` that puts the settings' ``token`` into a header: ``Bearer {}``."""

    def authorise(settings: Any, talk: Talk) -> Mapping[str, str]:
        return {header: form.format(settings.token.value())}

    return authorise


def kept_token(talk: Talk, name: str, fetch: Callable[[], tuple[str, float]]) -> str:
    """A token that is fetched (with its life in seconds) and used for three quarters of it."""
    known = talk.client.kept.get(name)
    if known is None or known[0] <= talk.now:
        token, life = fetch()
        known = (talk.now + int(max(0.0, min(life, 86_400.0)) * 750), token)
        talk.client.kept[name] = known
    return known[1]


def client_credentials(
    talk: Talk, url: str, client_id: str, secret: str, scope: str | None = None
) -> Mapping[str, str]:
    """A bearer token by OAuth 2.0 client credentials (RFC 6749, section 4.4)."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    if scope is not None:
        form["scope"] = scope
    return {"Authorization": "Bearer " + kept_token(talk, url, lambda: token_of(talk, url, form))}


def token_of(talk: Talk, url: str, form: Mapping[str, str]) -> tuple[str, float]:
    """An access token and its life in seconds, from a token endpoint."""
    answer = talk.client.send(
        "POST",
        url,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        content=urlencode(form).encode("ascii"),
        expect=(200, 201),
    ).json()
    life = answer.get("expires_in") if isinstance(answer, dict) else None
    seconds = float(life) if isinstance(life, int | float) and not isinstance(life, bool) else 300.0
    return member(answer, "access_token"), seconds


def signed_jwt(key_pem: str, claims: Mapping[str, Any], algorithm: str = "RS256") -> str:
    """A signed JWT (RFC 7519). Raises RefusedError for a key that is none."""
    from joserfc import jwk, jwt

    try:
        key = jwk.import_key(key_pem, "EC" if algorithm.startswith("ES") else "RSA")
        return jwt.encode({"alg": algorithm}, dict(claims), key, [algorithm])
    except Exception:  # noqa: BLE001  of any kind: and none of their texts may be told
        raise RefusedError(f"the private key is none for {algorithm}; give it in PEM") from None
