"""What was decided in time and what was not, kept beside the state: no restart forgets it."""

import msgspec
import sqlalchemy as sa

from quivive.incidents.slo import BUCKETS, Burn
from quivive.store import schema
from quivive.store.database import Store
from quivive.store.schema import upsert

NAME = "slo"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Burn)


def load(store: Store) -> Burn:
    """What was counted so far. Nothing where that is damaged: three days bring it again."""
    body = store.load(NAME)
    try:
        found = _decoder.decode(body) if body is not None else Burn()
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Burn()
    whole = not found.good or len(found.good) == len(found.bad) == BUCKETS
    return found if whole else Burn()


def write(connection: sa.Connection, burn: Burn) -> None:
    """Keeps the counts as they are now, in a transaction."""
    statement = upsert(connection, schema.state, ("name", "body"), replace=True)
    connection.exec_driver_sql(statement, (NAME, _encoder.encode(burn)))
