"""A settings file as ``quivive serve`` reads it, with everything that is wrong with it at once."""

import os
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from msgspec import Struct

from quivive.app.channels import Settings as Channels
from quivive.app.channels import url_problems
from quivive.app.doctor import Check
from quivive.app.errors import UsageError
from quivive.app.every import every
from quivive.app.located import with_line
from quivive.app.missing_secrets import secrets_in
from quivive.app.registry import actions, notifiers
from quivive.app.responses import Section as Responses
from quivive.app.responses import connect, hinted
from quivive.app.sigma_settings import load_rules
from quivive.model.errors import ConfigurationError
from quivive.model.words import counted
from quivive.notify.channels import Channel

# What is wrong with fetch and kafka is told with how far they are (fetch_health, kafka_health).
SECTIONS = ("server", "responses", "notify", "fetch", "kafka", "sigma")
FILES = ("ca_file", "cert_file", "key_file")


class Read(NamedTuple):
    """What could be read of a file: each part's settings by whose they are, and the problems."""

    settings: dict[str, object]
    problems: list[str]
    said: str


def check(path: Path, server: type[Struct]) -> list[Check]:
    """What is to be said of a settings file; ``server`` is the struct of that section.

    Nothing is asked of anybody, and no secret is told.
    """
    read = read_all(path, server)
    checks = [Check(name="settings", level="missing", text=text) for text in read.problems]
    if not read.problems:
        checks.append(Check(name="settings", level="ok", text=f"{path}: {read.said}"))
    return [*checks, *_secrets(read.settings), *_files(read.settings)]


def read_all(path: Path, server: type[Struct]) -> Read:
    """All sections of a file, as far as they can be read."""
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        return Read({}, [f"{path}: {error.strerror}; check the path"], "")
    except UnicodeDecodeError:
        return Read({}, [f"{path}: not UTF-8 text; settings are a YAML file"], "")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        what = getattr(error, "problem", None) or "check it"
        return Read({}, [f"{path}{line}: broken YAML: {what}"], "")
    if not isinstance(loaded, dict | None):
        return Read({}, [f"{path}: the settings are sections: server:, responses:, notify:"], "")
    found, settings = list[str](), dict[str, object]()
    sections: dict[Any, Any] = loaded or {}
    for name in sections:
        if name not in SECTIONS:
            found.append(f"no section {str(name)[:40]!r}: {', '.join(SECTIONS)}")
    said = [
        *_server(sections.get("server") or {}, server, settings, found),
        *_responses(sections.get("responses") or {}, settings, found),
        *_notify(sections.get("notify") or {}, settings, found),
    ]
    structs = (server, Responses, Channels, Channel)
    known = [name for struct in structs for name in struct.__struct_fields__]
    lines = [with_line(path, f"{path}: {text}", known) for text in dict.fromkeys(found)]
    lines += _sigma(path) if "sigma" in sections else []
    return Read(settings, sorted(lines, key=_line), ", ".join(said) or "empty: the defaults")


def _sigma(path: Path) -> list[str]:
    try:
        load_rules(path)
    except ConfigurationError as error:
        return [str(error)]
    return []


def _line(text: str) -> int:
    number = text.partition(": ")[0].rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def _server(
    section: object, kind: type[Struct], settings: dict[str, object], found: list[str]
) -> Iterator[str]:
    made = every(section, kind)
    found += [f"server{p.place}: {p.what}" for p in made.problems]
    settings["server"] = made.value
    if section:
        yield "server"


def _responses(section: object, settings: dict[str, object], found: list[str]) -> Iterator[str]:
    made = every(section, Responses)
    found += [f"responses{p.place}: {hinted(p.what)}" for p in made.problems]
    if made.value is None:
        return
    names: set[str] = set()
    given: Any = section
    wanted = made.value.connections
    for number, one in zip(made.left.get(".connections", range(len(wanted))), wanted, strict=True):
        where = f"responses.connections[{number}]"
        known = actions().get(one.vendor)
        inner = every(one.settings, known.settings) if known is not None else None
        if inner is not None and inner.problems:
            found += [f"{where}.settings{p.place}: {hinted(p.what)}" for p in inner.problems]
            settings[f"connection {one.name or one.vendor}"] = inner.value
            continue
        try:
            connection = connect(one, where)
        except UsageError as error:
            found.append(str(error))
            continue
        if connection.name in names:
            found.append(
                f"{where}.name: {connection.name} is there twice; give each a name of its own"
            )
        names.add(connection.name)
        settings[f"connection {connection.name}"] = (connection.settings, connection.http)
    if given:
        yield f"responses ({counted(len(wanted), 'connection')})"


def _notify(section: object, settings: dict[str, object], found: list[str]) -> Iterator[str]:
    made = every(section, Channels)
    found += [f"notify{p.place}: {p.what}" for p in made.problems]
    if made.value is None:
        return
    found += [f"notify.{name}: {text}" for name, text in url_problems(made.value)]
    names: set[str] = set()
    channels = made.value.channels
    places = made.left.get(".channels", range(len(channels)))
    for number, channel in zip(places, channels, strict=True):
        where = f"notify.channels[{number}]"
        if channel.name in names:
            found.append(f"{where}.name: {channel.name!r} is there twice; rename one")
        names.add(channel.name)
        notifier = notifiers().get(channel.kind)
        if notifier is None:
            kinds = ", ".join(notifiers())
            found.append(f"{where}.kind: no kind {channel.kind!r}; one of {kinds}")
            continue
        inner = every(channel.settings, notifier.settings)
        found += [f"{where}.settings{p.place}: {hinted(p.what)}" for p in inner.problems]
        settings[f"channel {channel.name}"] = inner.value
    if section:
        yield f"notify ({counted(len(channels), 'channel')})"


def _secrets(settings: Mapping[str, object]) -> Iterator[Check]:
    there = 0
    for name, value in settings.items():
        for secret in secrets_in(value):
            try:
                secret.value()
                there += 1
            except ConfigurationError as error:
                yield Check(
                    name="secret",
                    level="missing",
                    text=f"{name}: {error}",
                    remedy="the server starts without it, and cannot do what needs it",
                )
    if there:
        yield Check(name="secrets", level="ok", text=f"{counted(there, 'secret')} can be read")


def _files(settings: Mapping[str, object]) -> Iterator[Check]:
    for name, value in settings.items():
        for setting, file in _named(value):
            try:
                with Path(file).open("rb") as stream:
                    stream.read(1)
                if setting == "ca_file":
                    ssl.create_default_context(cafile=file)
            except ssl.SSLError:
                text = f"{name}: {setting}: {file}: no certificates in it; name a PEM file"
            except OSError as error:
                text = f"{name}: {setting}: {file}: {error.strerror}; check the path"
            else:
                continue
            yield Check(name="file", level="missing", text=text)


def _named(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Struct):
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            if name in FILES and isinstance(inner, str):
                yield name, inner
            else:
                yield from _named(inner)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _named(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for inner in value:
            yield from _named(inner)


def port(host: str, number: int) -> Check:
    """Whether a server could listen there now. Nothing is sent."""
    where = f"{host}:{number}"
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        said = error.strerror or str(error)
        remedy = "a server may be at work there already; else name another with --port"
        return Check(name="port", level="warn", text=f"{where}: {said}", remedy=remedy)
    return Check(name="port", level="ok", text=f"{where} is free")


def new_state(state: str) -> Check | None:
    """What is to be said of a state folder that is not there: a server makes it, where it can."""
    folder = Path(state)
    if "://" in state or (folder / "quivive.sqlite").exists():
        return None
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        text = f"{state}: no store yet; quivive serve makes one"
        return Check(name="state", level="ok", text=text)
    text = f"{state}: no store, and none can be made: {there} is not writable"
    return Check(name="state", level="missing", text=text)
