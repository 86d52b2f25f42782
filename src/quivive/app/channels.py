"""The channels by which people are told: the ``notify`` section of the settings file."""

from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from quivive.app.errors import UsageError
from quivive.app.located import located
from quivive.app.registry import notifiers
from quivive.notify.channels import Channel
from quivive.notify.notifier import Notifier


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``notify`` section of the settings file.

    console: the address of the console, for links and buttons; runbooks: where the runbooks are
    read, when not there.
    """

    console: str | None = None
    runbooks: str | None = None
    channels: tuple[Channel, ...] = ()


@located(Settings, Channel)
def read_settings(path: Path) -> Settings:
    """The ``notify`` section of a YAML file, checked down to each channel's own settings.

    Raises UsageError naming file, channel and setting.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark is not None else ""
        raise UsageError(f"{path}{where}: no YAML; mend it there") from None
    section = (found or {}).get("notify", {}) if isinstance(found, dict | None) else None
    if section is None:
        raise UsageError(f"{path}: the settings are a map with a section notify")
    return settings_of(section, str(path))


def settings_of(section: object, where: str) -> Settings:
    """The settings of plain values. Raises UsageError naming the channel and the setting."""
    try:
        settings = msgspec.convert(section, Settings)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{where}: notify: {error}; docs/howto/identity-team.md has them"
        ) from None
    names = [channel.name for channel in settings.channels]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{where}: notify: two channels are called {name!r}; rename one")
    for channel in settings.channels:
        notifier_of(channel, where)
    for _, problem in url_problems(settings):
        raise UsageError(f"{where}: notify: {problem}")
    return settings


def url_problems(settings: Settings) -> list[tuple[str, str]]:
    """What is wrong with the addresses in the settings, by setting."""
    urls = {"console": settings.console, "runbooks": settings.runbooks}
    return [
        (name, f"{url!r}: write https://…")
        for name, url in urls.items()
        if url is not None and not url.startswith(("https://", "http://"))
    ]


def notifier_of(channel: Channel, where: str = "settings") -> tuple[Notifier, Struct]:
    """A channel's notifier and its checked settings. Raises UsageError."""
    known = notifiers()
    if channel.kind not in known:
        raise UsageError(
            f"{where}: notify: channel {channel.name}: no kind {channel.kind!r};"
            f" one of {', '.join(known)}"
        )
    notifier = known[channel.kind]
    try:
        return notifier, msgspec.convert(channel.settings, notifier.settings)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: notify: channel {channel.name}: settings: {error}") from None
