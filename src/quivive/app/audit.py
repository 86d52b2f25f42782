"""Signing, verifying and exporting the audit trail."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
import sqlalchemy as sa
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from msgspec import Struct

from quivive.app.errors import UsageError
from quivive.app.keys import kept, keys_of
from quivive.app.outputs import beside_store
from quivive.model.audit import (
    Broken,
    Checkpoint,
    Entry,
    Record,
    against_checkpoints,
    first_broken,
)
from quivive.store import audit
from quivive.store.audit import Filters, Trail, now
from quivive.store.database import Store

KEY_NAMED = "QUIVIVE_AUDIT_KEY"
KEY_FILE = "audit.jwk"
ALGORITHM = "Ed25519"
EVERY_RECORDS = 1000  # a checkpoint at least so often…
EVERY_MS = 60_000  # …or, where anything was recorded, after so long
_json = msgspec.json.Encoder(order="deterministic")


class Verified(Struct, frozen=True, kw_only=True):
    """What ``verify`` found: the first broken place, or None and how far the trail is signed for.

    signed: the newest record that a checkpoint of a trusted key names; 0 for none.
    """

    broken: Broken | None
    records: int
    checkpoints: int
    signed: int


class Exported(Struct, frozen=True, kw_only=True):
    """An export's manifest: what is in it, and the digests that show it is whole."""

    format: str
    records: int
    first: int
    last: int
    last_digest: str
    file: str
    sha256: str
    checkpoints: tuple[dict[str, Any], ...]
    public_key: dict[str, Any]
    filtered: dict[str, Any]


def named_key() -> Path | None:
    """The file that QUIVIVE_AUDIT_KEY names."""
    return Path(os.environ[KEY_NAMED]) if os.environ.get(KEY_NAMED) else None


def signing_key(store: Store, given: Path | None = None) -> OKPKey:
    """The key that signs checkpoints: ``given``, the file that QUIVIVE_AUDIT_KEY names, or
    keys/audit.jwk in the state directory, made at first use.

    Raises UsageError for a file that is no Ed25519 key.
    """
    named = given or named_key()
    if named is not None:
        return load_key(named)
    path = keys_of(store) / KEY_FILE
    if not path.exists():
        kept(path, _json.encode(OKPKey.generate_key("Ed25519").as_dict(private=True)))
    return load_key(path)


def checking_key(store: Store) -> OKPKey:
    """The same to check with: none is made. Raises UsageError, too, where it is not there though
    something was signed.
    """
    path = keys_of(store) / KEY_FILE
    if named_key() is None and not path.exists() and audit.Trail(store).checkpoints():
        raise UsageError(
            f"{path}: not here, and the trail was signed with it; bring back the folder keys of the"
            " backup, or name its public half with --key"
        )
    return signing_key(store)


def load_key(path: Path) -> OKPKey:
    """An Ed25519 key, private or public, of a JWK file. Raises UsageError for anything else."""
    try:
        found = msgspec.json.decode(path.read_bytes())
        key = OKPKey.import_key(found)
        if found.get("crv") != "Ed25519":
            raise ValueError
        key.thumbprint()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except Exception:  # noqa: BLE001 - whatever it is, what it holds must not be shown
        raise UsageError(
            f"{path}: no Ed25519 key as a JWK (RFC 8037); quivive audit key writes the public half"
        ) from None
    return key


def checkpoint(
    connection: sa.Connection, key: OKPKey, when: int | None = None
) -> Checkpoint | None:
    """Signs for the newest record and keeps that, in the transaction of ``connection``.

    None for an empty trail. ``when`` is ms UTC, the wall clock when not given.
    """
    seq, digest = audit.newest(connection)
    if seq == 0:
        return None
    at = now() if when is None else when
    name = key.thumbprint()
    signature = jws.serialize_compact(
        {"alg": ALGORITHM, "kid": name, "typ": "quivive-audit+jws"},
        _json.encode({"seq": seq, "time": at, "digest": digest.hex()}),
        key,
        algorithms=[ALGORITHM],
    )
    signed = Checkpoint(seq=seq, time=at, digest=digest, key=name, signature=signature)
    audit.keep_checkpoint(connection, signed)
    return signed


class Recorder:
    """Appends to the trail inside others' transactions, and signs for it every now and then."""

    def __init__(self, key: OKPKey) -> None:
        """``key`` signs; :func:`signing_key` gives it."""
        self.key = key
        self._signed_seq = 0
        self._signed_at = 0

    def append(self, connection: sa.Connection, entries: list[Entry], at: int) -> None:
        """Records entries; a checkpoint follows when one is due at ``at`` (ms UTC, wall clock)."""
        if not entries:
            return
        last = audit.append(connection, entries)
        if last - self._signed_seq >= EVERY_RECORDS or at - self._signed_at >= EVERY_MS:
            checkpoint(connection, self.key, at)
            self._signed_seq, self._signed_at = last, at


def sign(store: Store, key: OKPKey | None = None) -> Checkpoint | None:
    """Signs for all that was recorded so far. For people's acts, right after them."""
    signed_with = key or signing_key(store)
    with store.transaction() as connection:
        return checkpoint(connection, signed_with)


def check_signature(found: Checkpoint, key: OKPKey) -> str | None:
    """What is wrong with a checkpoint's signature, or None."""
    if found.key != key.thumbprint():
        return f"checkpoint {found.seq} was signed with another key ({found.key})"
    try:
        said = jws.deserialize_compact(found.signature, key, algorithms=[ALGORITHM])
        body = msgspec.json.decode(said.payload)
    except (JoseError, ValueError, msgspec.DecodeError):
        return f"checkpoint {found.seq}: its signature is not valid"
    if body != {"seq": found.seq, "time": found.time, "digest": found.digest.hex()}:
        return f"checkpoint {found.seq} is not what was signed"
    return None


def verify(store: Store, key: OKPKey | None, kept_elsewhere: Iterable[Checkpoint] = ()) -> Verified:
    """Reads the whole trail and names the first record that is not as it was written.

    key: whose checkpoints are believed; None checks the chain alone. kept_elsewhere: checkpoints
    that were put where nobody with access to the store could change them.
    """
    trail = Trail(store)
    signed = sorted([*trail.checkpoints(), *kept_elsewhere], key=lambda c: c.seq)
    wanted = {c.seq for c in signed}
    found: dict[int, bytes] = {}

    def watched() -> Iterator[Record]:
        for record in trail.records():
            if record.seq in wanted:
                found[record.seq] = record.digest
            yield record

    broken, last, _ = first_broken(watched())
    if broken is None and key is not None:
        for one in signed:
            if (wrong := check_signature(one, key)) is not None:
                broken = Broken(seq=one.seq, what=wrong)
                break
        broken = broken or against_checkpoints(signed, found.get, last)
    good = max((c.seq for c in signed), default=0) if key is not None and broken is None else 0
    return Verified(broken=broken, records=last, checkpoints=len(signed), signed=good)


def exported(store: Store, out: Path, key: OKPKey, filters: Filters | None = None) -> Exported:
    """Writes records as NDJSON to ``out``, and ``out``.manifest.json with the digests beside it.

    Both appear under their names only when they are whole. Raises UsageError when they cannot be
    written, and for a file of the store itself.
    """
    beside_store(out, store.folder)
    trail, chosen = Trail(store), filters or Filters()
    count, first, last, last_digest = 0, 0, 0, b""
    whole = hashlib.sha256()
    partial = out.with_name(out.name + ".partial")
    try:
        with partial.open("wb") as stream:
            for record in trail.records(chosen):
                line = line_of(record) + b"\n"
                whole.update(line)
                stream.write(line)
                count, first = count + 1, first or record.seq
                last, last_digest = record.seq, record.digest
        partial.replace(out)
        manifest = Exported(
            format="quivive.audit.1",
            records=count,
            first=first,
            last=last,
            last_digest=last_digest.hex(),
            file=out.name,
            sha256=whole.hexdigest(),
            checkpoints=tuple(as_json(c) for c in trail.checkpoints()),
            public_key=dict(key.as_dict(private=False)),
            filtered={k: v for k, v in chosen._asdict().items() if v is not None},
        )
        beside = out.with_name(out.name + ".manifest.json")
        beside.write_bytes(msgspec.json.format(_json.encode(manifest)) + b"\n")
    except OSError as error:
        raise UsageError(f"{out}: cannot be written ({error.strerror}); name another") from None
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def line_of(record: Record) -> bytes:
    """A record as one JSON object: ``details`` as the very text that was signed for."""
    return _json.encode(
        {
            "seq": record.seq,
            "time": record.time,
            "actor": record.actor,
            "action": record.action,
            "subject": record.subject,
            "details": record.details,
            "previous": record.previous.hex(),
            "digest": record.digest.hex(),
        }
    )


def as_json(found: Checkpoint) -> dict[str, Any]:
    """A checkpoint as plain JSON values."""
    return {
        "seq": found.seq,
        "time": found.time,
        "digest": found.digest.hex(),
        "key": found.key,
        "signature": found.signature,
    }


def read_checkpoints(stream: IO[bytes], where: str) -> list[Checkpoint]:
    """Checkpoints of JSON lines. Raises UsageError naming the line that is none."""
    found = []
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            fields = msgspec.json.decode(line, type=dict[str, Any])
            fields["digest"] = bytes.fromhex(fields["digest"])
            found.append(msgspec.convert(fields, Checkpoint))
        except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError, ValueError):
            raise UsageError(
                f"{where}:{number}: no checkpoint; quivive audit checkpoint prints them"
            ) from None
    return found
