"""Signing in to the console: accounts, passwords, second factors, lock-out, sessions.

Passwords are kept as argon2id (RFC 9106, the second recommended option); a session's id has 256
random bits and is kept as its SHA-256. A name that fails waits, longer each time, whether there is
such an account or not, so that nothing tells which names exist.
"""

import base64
import hashlib
import hmac
import secrets
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from quivive.app import totp
from quivive.app.errors import UsageError
from quivive.app.keys import random_key
from quivive.model.audit import Entry
from quivive.store.accounts import Account, Accounts, Failures, Session
from quivive.store.database import Store

ROLES = ("viewer", "analyst", "responder", "admin")  # each may do what those before it may
SHORTEST, LONGEST = 12, 256  # characters of a password
MOST_NAME = 64
SHORT_NAME = 3  # a name no longer than this is part of too many words
FREE_TRIES = 5
FIRST_WAIT = 30_000  # ms after the fifth failure, doubled with every further one
LONGEST_WAIT = 3_600_000
IDLE = 4 * 3_600_000  # ms after which a session that was not used ends
ABSOLUTE = 12 * 3_600_000  # ms after which any session ends
RECOVERY_CODES = 8
TOTP_KEY = "totp"  # the key file that second factors are sealed with


class Tried(NamedTuple):
    """What came of signing in: the account and the session's id, or how long to wait (ms)."""

    account: Account | None = None
    session: str = ""
    wait: int = 0

    def __repr__(self) -> str:
        """Without the session's id."""
        return f"Tried({self.account!r}, wait={self.wait})"


def may(role: str, needed: str) -> bool:
    """Whether a role may do what another one may."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)


class SignIn:
    """Everything about who may use the console of a store. It blocks: use it in a thread."""

    def __init__(self, store: Store, hasher: PasswordHasher | None = None) -> None:
        """``hasher``: cheaper ones for tests."""
        self.kept = Accounts(store)
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)
        self._nobody = ""  # what unknown names are compared with
        self._seal = OctKey.import_key(random_key(store, TOTP_KEY)[:32])

    # --- accounts

    def add(
        self, name: str, role: str, by: str, now: int, *, password: str | None = None,
        subject: str | None = None,
    ) -> str:  # fmt: skip
        """Makes an account; gives the password that was made for it when none was given, which
        must be changed at the first sign-in.

        Raises UsageError for a name, role or password that cannot be, StoreError for a name that
        is taken.
        """
        name = _name(name)
        _role(role)
        made = "" if password is not None or subject else _made()
        if password is not None:
            good(password, name)
        hashed = self._hasher.hash(password or made) if password or made else ""
        account = Account(name, role, hashed, now, bool(made), subject=subject)
        details: dict[str, object] = {"role": role, "oidc": subject is not None}
        self.kept.add(account, _entry(now, by, "user:added", name, details))
        return made

    def set_role(self, name: str, role: str, by: str, now: int) -> None:
        """Gives a role; the sessions of the account end."""
        _role(role)
        entry = _entry(now, by, "user:role", name, {"role": role})
        self.kept.change(name, entry, end=True, role=role)

    def reset(self, name: str, by: str, now: int) -> str:
        """A new password to be changed at once, and no second factor any more; for somebody who
        has lost either. Sessions end. Gives the password.
        """
        made = _made()
        entry = _entry(now, by, "user:reset", name)
        self.kept.change(
            name, entry, end=True, password=self._hasher.hash(made), must_change=True, totp="",
            recovery="",
        )  # fmt: skip
        self.kept.forgive(_digest(name))
        return made

    def disable(self, name: str, by: str, now: int, *, again: bool = False) -> None:
        """Nobody signs in by this name any more; with ``again`` they may."""
        entry = _entry(now, by, "user:enabled" if again else "user:disabled", name)
        self.kept.change(name, entry, end=True, disabled=None if again else now)

    def set_password(self, name: str, password: str, now: int) -> None:
        """Somebody's own new password; other sessions end. Raises UsageError for a poor one."""
        good(password, name)
        entry = _entry(now, name, "user:password", name)
        hashed = self._hasher.hash(password)
        self.kept.change(name, entry, end=True, password=hashed, must_change=False)

    def is_password(self, account: Account, password: str) -> bool:
        """Whether it is the account's password."""
        if not self._nobody:
            self._nobody = self._hasher.hash(secrets.token_urlsafe())
        try:
            return self._hasher.verify(account.password or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False

    # --- second factors

    def enrol(self, name: str, secret: bytes, given: str, now: int) -> list[str] | None:
        """Takes a second factor into use if ``given`` is its code; gives recovery codes."""
        step = totp.matching_step(secret, given.replace(" ", ""), now)
        if step is None:
            return None
        codes = [_code() for _ in range(RECOVERY_CODES)]
        digests = " ".join(_code_digest(code) for code in codes)
        entry = _entry(now, name, "user:second-factor", name)
        sealed = self._sealed(secret)
        self.kept.change(name, entry, totp=sealed, totp_step=step, recovery=digests)
        return codes

    def _second(self, account: Account, given: str, now: int) -> bool:
        """Whether a code is right: of the authenticator, or one of those for recovery."""
        given = given.strip().replace(" ", "")
        try:
            secret = jwe.decrypt_compact(account.totp, self._seal).plaintext or b""
        except (JoseError, ValueError):  # the key was lost: recovery codes need none
            secret = b""
        step = totp.matching_step(secret, given, now) if secret else None
        if step is not None:
            return self.kept.step(account.name, step)
        digest, left = _code_digest(given), account.recovery.split()
        if digest not in left:
            return False
        left.remove(digest)
        entry = _entry(now, account.name, "user:recovery-code", account.name, {"left": len(left)})
        self.kept.change(account.name, entry, recovery=" ".join(left))
        return True

    def _sealed(self, secret: bytes) -> str:
        return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, secret, self._seal)

    # --- signing in

    def sign_in(self, name: str, password: str, code: str, now: int, where: str = "") -> Tried:
        """Tries a name with a password, and a code where the account has a second factor."""
        name, password = name.strip()[:MOST_NAME], password[: LONGEST + 1]
        digest = _digest(name)
        known = self.kept.failures(digest)
        if now < known.until:
            return Tried(wait=known.until - now)
        account = self.kept.get(name)
        right = self.is_password(account or Account(name, "", "", 0), password)
        right = right and account is not None and account.disabled is None
        if right and account is not None and account.totp:
            right = self._second(account, code, now)
        if not right or account is None:
            return Tried(wait=self._failed(known, name, now, where))
        if known.times:
            self.kept.forgive(digest)
        if self._hasher.check_needs_rehash(account.password):
            self.kept.change(name, None, password=self._hasher.hash(password))
        return Tried(account, self.begin(account, now, where))

    def begin(self, account: Account, now: int, where: str = "", how: str = "password") -> str:
        """A new session of somebody who has signed in; gives its id."""
        session_id = secrets.token_urlsafe(32)
        form = secrets.token_urlsafe(32)
        session = Session(session_digest(session_id), account.name, now, now, form)
        details: dict[str, object] = {"from": where, "how": how}
        entry = _entry(now, account.name, "session:began", account.name, details)
        self.kept.begin(session, entry, now - ABSOLUTE)
        return session_id

    def who(self, session_id: str, now: int, *, use: bool = True) -> tuple[Account, Session] | None:
        """Whose session an id is. use: it counts as used, and lasts longer for it."""
        session = self.kept.session(session_digest(session_id))
        if session is None:
            return None
        if now - session.created >= ABSOLUTE or now - session.seen >= IDLE:
            self.kept.end(session.digest)
            return None
        account = self.kept.get(session.name)
        if account is None or account.disabled is not None:
            return None
        if use and now - session.seen >= 60_000:
            self.kept.touch(session.digest, now)
        return account, session

    def sign_out(self, session: Session, now: int) -> None:
        """Ends a session."""
        self.kept.end(session.digest, _entry(now, session.name, "session:ended", session.name))

    def _failed(self, known: Failures, name: str, now: int, where: str) -> int:
        count = known.times + 1
        over = count - FREE_TRIES
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(over, 12)) if over >= 0 else 0
        entry = _entry(now, "console", "session:refused", name, {"from": where, "failures": count})
        self.kept.failed(Failures(known.name, count, now, now + wait), entry)
        return wait


def session_digest(session_id: str) -> bytes:
    """What a session is kept by."""
    return hashlib.sha256(session_id.encode("utf-8", "replace")).digest()


def good(password: str, name: str) -> None:
    """Raises UsageError for a password that is too short, too long or the name itself."""
    if len(password) < SHORTEST:
        raise UsageError(f"a password has at least {SHORTEST} characters; a sentence will do")
    if len(password) > LONGEST:
        raise UsageError(f"a password has at most {LONGEST} characters")
    named = len(name) > SHORT_NAME and name.lower() in password.lower()
    if len(set(password)) < 5 or named:
        raise UsageError("that password is guessed at once; choose one without the name in it")


def _name(name: str) -> str:
    name = name.strip()
    if (
        not name
        or len(name) > MOST_NAME
        or not name.isprintable()
        or any(c.isspace() for c in name)
    ):
        raise UsageError(f"a user's name has 1 to {MOST_NAME} printable characters without blanks")
    return name


def _role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(f"no role {role!r}; one of {', '.join(ROLES)}")


def _made() -> str:
    """A password to be changed: 80 random bits, easy to type."""
    code = _code()
    return "-".join(code[at : at + 4] for at in (0, 4, 8, 12))


def _code() -> str:
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


def _code_digest(code: str) -> str:
    return hashlib.sha256(code.strip().lower().replace("-", "").encode()).hexdigest()


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "replace")).digest()


def _entry(
    now: int, by: str, action: str, name: str, details: dict[str, object] | None = None
) -> Entry:
    return Entry(time=now, actor=by, action=action, subject=f"user {name}", details=details or {})


def form_token(secret: str, what: str) -> str:
    """What a form of a session carries."""
    return hmac.digest(secret.encode(), what.encode(), hashlib.sha256).hex()
