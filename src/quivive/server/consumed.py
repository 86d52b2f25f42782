"""How the reading of each Kafka connection stands, for /metrics and /readyz."""

from msgspec import Struct, field

from quivive.app.kafka_places import Partition
from quivive.server.standing import Standing


class Consumed(Standing):
    """One connection. next: the offset of each partition's next record, of what is kept; ends: that
    of the next record to come. taken: records by topic. paused: nothing is taken, because too much
    waits to be judged.
    """

    next: dict[Partition, int] = field(default_factory=dict)
    ends: dict[Partition, int] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    paused: bool = False

    @property
    def lag(self) -> dict[Partition, int]:
        """Records that are at the brokers and not judged, by partition."""
        ends = self.ends
        return {
            each: max(0, ends[each] - offset)
            for each, offset in list(self.next.items())
            if each in ends
        }


class KafkaState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far topics are read: records that are not judged yet by topic and partition, where there
    are any; when the brokers answered the last time that all is well, and why they do not. paused:
    too much waits to be judged.
    """

    lag: dict[str, int] = {}
    last_success: int | None = None
    problem: str | None = None
    paused: bool = False


def states(found: dict[str, Consumed]) -> dict[str, KafkaState]:
    """The same, as it is told."""
    return {
        name: KafkaState(
            lag={str(partition): lag for partition, lag in sorted(each.lag.items()) if lag},
            last_success=each.success,
            problem=each.problem,
            paused=each.paused,
        )
        for name, each in list(found.items())
    }
