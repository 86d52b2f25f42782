"""What a log source is: a name, a way to recognise its records, and a pure parser."""

from collections.abc import Callable

from msgspec import Struct

from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord, Skip
from quivive.sources.varying import Varying


class Source(Struct, frozen=True, kw_only=True):
    """A log source.

    name: the ``--source`` word, also the module's name.
    title: the vendor's product, as its users call it.
    reads: the kinds of record understood, a phrase each.
    gives: OCSF paths of the fields it fills when the record has them ("src_endpoint.ip").
    documentation: where the vendor documents the format.
    recognise: cheap and certain test by content; never raises, False for anything unfamiliar.
        For a record of this vendor that holds no login it is True all the same.
    parse: the event of one record, or a Skip with its reason for a record of this vendor that is
        not about authentication. Raises RejectError for one that cannot be read, naming the
        field; raises nothing else, whatever the bytes. Pure: no I/O, no clock.
    foreign: of the records recognised, those that another source may know better (the lines of
        other programs in a syslog): its own only where none does.
    varying: the members that differ between records of the same, for logs that repeat themselves.
    """

    name: str
    title: str
    reads: tuple[str, ...]
    gives: tuple[str, ...]
    documentation: str
    recognise: Callable[[RawRecord], bool]
    parse: Callable[[RawRecord], AuthEvent | Skip]
    foreign: Callable[[RawRecord], bool] | None = None
    varying: Varying | None = None
