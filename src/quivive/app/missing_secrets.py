"""Whether the secrets that settings name are there: told at the start, not when they are due."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from quivive.app.channels import notifier_of
from quivive.app.channels import read_settings as read_channels
from quivive.app.fetches import load_fetches
from quivive.app.kafka_topics import load_topics
from quivive.app.responses import load_responses
from quivive.model.errors import ConfigurationError
from quivive.notify.notifier import Secret as ChannelSecret
from quivive.respond.secret import Secret


def missing_secrets(path: Path, others: Mapping[str, object] | None = None) -> list[str]:
    """What is wrong with each secret that cannot be read now, with whose it is; no secret itself.

    others: settings that are read elsewhere, by whose they are.

    Raises UsageError for settings that cannot be used.
    """
    whose: list[tuple[str, object]] = list((others or {}).items())
    whose += [(f"connection {c.name}", c.settings) for c in load_responses(path).connections]
    whose += [(f"fetch {c.name}", c.settings) for c in load_fetches(path)]
    whose += [(f"kafka {c.name}", c) for c in load_topics(path)]
    channels = read_channels(path).channels
    whose += [(f"channel {c.name}", notifier_of(c, str(path))[1]) for c in channels]
    return [f"{name}: {text}" for name, settings in whose for text in unreadable(settings)]


def unreadable(settings: object) -> list[str]:
    """What is wrong with each secret of some settings that cannot be read now."""
    found = []
    for secret in secrets_in(settings):
        try:
            secret.value()
        except ConfigurationError as error:
            found.append(str(error))
    return found


def secrets_in(value: object) -> Iterator[Secret]:
    """Every secret that some settings name."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, ChannelSecret):
        yield Secret(env=value.env, file=value.file)
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from secrets_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from secrets_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from secrets_in(inner)
