"""OpenSSH daemon lines of several hosts, as rsyslog writes them: with full or with BSD dates."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

from quivive.sim.action import Outcome, ShellLogin
from quivive.sim.emit.emitter import Emitter, Line, stamp

MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_RECENT = frozenset({"app-3", "bastion-2", "backup-1"})


def emit(action: ShellLogin, rng: Random) -> Iterator[Line]:
    """The lines of one login attempt."""
    yield from _lines(action, rng, stamp(action.time, 6).replace("Z", "+00:00"))


def emit_3164(action: ShellLogin, rng: Random) -> Iterator[Line]:
    """The same under dates of RFC 3164: no year, no zone, whole seconds."""
    moment = datetime.fromtimestamp(action.time, UTC)
    month = MONTHS[3 * moment.month - 3 : 3 * moment.month]
    yield from _lines(action, rng, f"{month} {moment.day:2} {moment:%H:%M:%S}")


def _lines(action: ShellLogin, rng: Random, when: str) -> Iterator[Line]:
    program = "sshd-session" if action.host in _RECENT else "sshd"
    head = f"{when} {action.host} {program}[{rng.randrange(900, 4_000_000)}]: "
    tail = f"from {action.spot.ip} port {rng.randrange(1_025, 65_535)}"
    user = action.user
    if action.outcome is Outcome.UNKNOWN_USER:
        yield Line(f"{head}Invalid user {user} {tail}")
        yield Line(f"{head}Failed password for invalid user {user} {tail} ssh2")
    elif action.outcome is Outcome.SUCCESS and action.fingerprint:
        yield Line(f"{head}Accepted publickey for {user} {tail} ssh2: {action.fingerprint}")
    elif action.outcome is Outcome.SUCCESS:
        yield Line(f"{head}Accepted password for {user} {tail} ssh2")
    elif action.fingerprint:
        yield Line(f"{head}Failed publickey for {user} {tail} ssh2: {action.fingerprint}")
    else:
        yield Line(f"{head}Failed password for {user} {tail} ssh2")
    if action.outcome is Outcome.SUCCESS and rng.random() < 0.3:
        yield Line(f"{head}pam_unix(sshd:session): session opened for user {user}", None, False)


EMITTER = Emitter("sshd", "sshd.log", (ShellLogin,), emit)
EMITTER_3164 = Emitter("sshd-3164", "sshd-3164.log", (ShellLogin,), emit_3164, dated=False)
