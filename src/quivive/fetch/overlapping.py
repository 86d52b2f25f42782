"""What is asked for again because others come late, and was given before: it is left out.

By digests of the records' own bytes: one that the vendor has changed meanwhile is given again.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

from quivive.fetch.fetcher import Cursor, Fetcher

DIGEST = 12  # bytes: two of all records alike are as likely as a broken disk
MOST = 5_000  # digests kept; of more records in an overlap the oldest are given again


def fresh(cursor: Cursor, records: Sequence[bytes]) -> list[bytes]:
    """The records that were not given before."""
    known = {*_split(cursor.seen), *_split(cursor.seeing)}
    return [record for record in records if _digest(record) not in known]


def seeing(fetcher: Fetcher, cursor: Cursor, records: Sequence[bytes], reach: int) -> bytes:
    """The digests so far of the window's records that the next one asks for again.

    reach: from which time on it does, ms UTC. One that states no time is kept.
    """
    known = dict.fromkeys(_split(cursor.seeing))
    for record in records:
        time = fetcher.time(record)
        if time is None or time >= reach:
            known[_digest(record)] = None
    return b"".join(list(known)[-MOST:])


def _digest(record: bytes) -> bytes:
    return blake2b(record, digest_size=DIGEST).digest()


def _split(digests: bytes) -> Iterator[bytes]:
    return (digests[start : start + DIGEST] for start in range(0, len(digests), DIGEST))
