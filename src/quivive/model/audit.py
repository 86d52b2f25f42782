"""The audit trail's records, and the chain of digests that binds each to the one before.

A record's digest is SHA-256 over its canonical encoding: a prefix that names the format, the digest
before it, and the record as a compact JSON array with sorted keys. Whoever changes, removes,
inserts or reorders a record breaks the chain from there on. What a chain alone cannot show, a tail
that was cut off or a whole chain made anew, shows a signed ``Checkpoint``
(docs/adr/0017-audit-chain.md).
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Struct

PREFIX = b"quivive.audit.1\n"
GENESIS = hashlib.sha256(PREFIX).digest()  # what the first record is bound to
MOST_DETAILS = 16_384  # bytes of a record's details
MOST_TEXT = 512  # characters of actor, action and subject

_canonical = msgspec.json.Encoder(order="deterministic")


class Entry(Struct, frozen=True, kw_only=True):
    """Something to be recorded.

    time: ms UTC of what happened; actor: who did it ("policy" and "engine" for the program itself);
    action: "what:how", for example ``verdict:true_positive``; subject: what it was done to, mostly
    an event id or an identity; details: all else, as plain JSON values, never a secret.
    """

    time: int
    actor: str
    action: str
    subject: str
    details: dict[str, Any] = {}


class Record(Struct, frozen=True, kw_only=True):
    """An entry as it is kept: numbered from 1 without a gap, and bound to the one before.

    details: the canonical JSON; previous and digest: 32 bytes each.
    """

    seq: int
    time: int
    actor: str
    action: str
    subject: str
    details: str
    previous: bytes
    digest: bytes


class Checkpoint(Struct, frozen=True, kw_only=True):
    """A signed word that the record ``seq`` had this digest.

    key: the RFC 7638 thumbprint of the key; signature: the word as a compact JWS (Ed25519).
    """

    seq: int
    time: int
    digest: bytes
    key: str
    signature: str


class Broken(Struct, frozen=True, kw_only=True):
    """The first place where a trail is not as it was written: which record, and what is wrong."""

    seq: int
    what: str


def digest_of(
    seq: int, time: int, actor: str, action: str, subject: str, details: str, previous: bytes
) -> bytes:
    """The digest that binds a record to ``previous``. Pure; 32 bytes."""
    body = _canonical.encode((seq, time, actor, action, subject, details))
    return hashlib.sha256(PREFIX + previous + body).digest()


def bind(entries: Iterable[Entry], seq: int, previous: bytes) -> list[Record]:
    """Entries as records after the record ``seq`` with the digest ``previous``.

    Text that is too long is cut and ends in an ellipsis; details that are too long are replaced by
    their length and digest, so that nothing an attacker writes can fill the trail.
    """
    records = []
    for entry in entries:
        seq += 1
        said = (_cut(entry.actor), _cut(entry.action), _cut(entry.subject))
        details = _details(entry.details)
        digest = digest_of(seq, entry.time, *said, details, previous)
        records.append(
            Record(
                seq=seq,
                time=entry.time,
                actor=said[0],
                action=said[1],
                subject=said[2],
                details=details,
                previous=previous,
                digest=digest,
            )
        )
        previous = digest
    return records


def first_broken(
    records: Iterable[Record], seq: int = 0, previous: bytes = GENESIS
) -> tuple[Broken | None, int, bytes]:
    """The first record that does not follow from the one before, with the last good position.

    records: in order of ``seq``, after the record ``seq`` with the digest ``previous``.
    """
    for record in records:
        if record.seq != seq + 1:
            missing = f"record {seq + 1} is missing" if record.seq > seq else "a record comes twice"
            return Broken(seq=seq + 1, what=missing), seq, previous
        if record.previous != previous:
            what = "it is not bound to the record before it: moved, inserted, or the one before"
            return Broken(seq=record.seq, what=f"{what} was replaced"), seq, previous
        found = digest_of(
            record.seq,
            record.time,
            record.actor,
            record.action,
            record.subject,
            record.details,
            record.previous,
        )
        if found != record.digest:
            return Broken(seq=record.seq, what="its content was changed"), seq, previous
        seq, previous = record.seq, record.digest
    return None, seq, previous


def against_checkpoints(
    checkpoints: Iterable[Checkpoint], digest_at: Callable[[int], bytes | None], last: int
) -> Broken | None:
    """The first disagreement of a trail with its (verified) checkpoints.

    digest_at: the digest of a record by number, None where there is none; last: the number of the
    newest record.
    """
    for checkpoint in sorted(checkpoints, key=lambda c: c.seq):
        if checkpoint.seq > last:
            what = f"records {last + 1} to {checkpoint.seq} were cut off: they were signed for"
            return Broken(seq=last + 1, what=what)
        if digest_at(checkpoint.seq) != checkpoint.digest:
            what = "it is not the record that was signed for: the trail was written anew up to here"
            return Broken(seq=checkpoint.seq, what=what)
    return None


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def _details(details: dict[str, Any]) -> str:
    body = _canonical.encode(details)
    if len(body) > MOST_DETAILS:
        body = _canonical.encode(
            {"left_out_bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        )
    return body.decode()
