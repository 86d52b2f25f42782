"""The ``responses:`` section of a settings file: which vendor contains whose identities."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from msgspec import Meta, Struct

from quivive.app.errors import UsageError
from quivive.app.located import located
from quivive.app.registry import actions
from quivive.model.response import ACTIONS, ResponseRequest
from quivive.respond.client import HttpSettings
from quivive.respond.errors import RefusedError
from quivive.respond.performing import client_for
from quivive.respond.response import Action

HOUR_MS = 3_600_000
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]


class _Connection(Struct, kw_only=True, forbid_unknown_fields=True):
    vendor: str
    name: Word | None = None
    products: tuple[str, ...] | None = None
    serves: tuple[str, ...] | None = None
    instead: dict[str, str] = {}
    tenants: tuple[str, ...] = ()
    also: bool = False
    settings: dict[str, Any] = {}
    http: HttpSettings = HttpSettings()


class Section(Struct, kw_only=True, forbid_unknown_fields=True):
    """The section as it is written."""

    connections: tuple[_Connection, ...] = ()
    protect: tuple[str, ...] = ()
    attempts: Annotated[int, Meta(ge=1, le=50)] = 8
    oldest_hours: Annotated[float, Meta(gt=0, le=720)] = 24.0
    page_after_minutes: Annotated[float, Meta(gt=0, le=1440)] = 5.0
    dry_run: bool = False


class Connection(Struct, frozen=True, kw_only=True):
    """One vendor as it is connected.

    serves: the actions of policy it is used for, each with the vendor's own that is done.
    products: whose identities; ``*`` for all. tenants: whose only, where any is named.
    also: it is asked beside the one that is responsible, not instead of it.
    """

    name: str
    action: Action
    settings: Any
    http: HttpSettings
    serves: dict[str, str]
    products: tuple[str, ...]
    tenants: tuple[str, ...] = ()
    also: bool = False

    def responsible(self, request: ResponseRequest) -> bool:
        """Whether it serves this action for this identity."""
        target = request.target
        if request.action not in self.serves:
            return False
        if self.tenants and not {target.tenant, target.account} & set(self.tenants):
            return False
        return "*" in self.products or target.product in self.products


class Responses(Struct, frozen=True, kw_only=True):
    """All connections, in order of preference, and the rules for all of them.

    protect: identities (lower case) that nothing is ever done to. attempts: before a response is
    given up. oldest: ms after a login at which it is too late to act by itself. page_after: ms
    after the decision at which a person is called, though attempts go on. dry_run: ask nobody.
    """

    connections: tuple[Connection, ...] = ()
    protect: frozenset[str] = frozenset()
    attempts: int = 8
    oldest: int = 24 * HOUR_MS
    page_after: int = 300_000
    dry_run: bool = False

    def choose(self, request: ResponseRequest) -> list[Connection]:
        """Who is asked: the first connection that is responsible, then those that are ``also``."""
        found = [c for c in self.connections if c.responsible(request)]
        return [c for c in found if not c.also][:1] + [c for c in found if c.also]

    def named(self, name: str) -> Connection | None:
        """The connection of a name."""
        return next((c for c in self.connections if c.name == name), None)


@located(Section, _Connection, HttpSettings)
def load_responses(path: Path) -> Responses:
    """The section of a settings file; none of it is an empty one.

    Raises UsageError naming the file and the setting, and never what a setting holds.
    """
    section = convert(sections_of(path).get("responses") or {}, Section, f"{path}: responses")
    connections: list[Connection] = []
    for number, wanted in enumerate(section.connections):
        made = connect(wanted, f"{path}: responses.connections[{number}]")
        if any(made.name == known.name for known in connections):
            raise UsageError(
                f"{path}: responses.connections[{number}].name: {made.name} is there twice;"
                " give each a name of its own"
            )
        connections.append(made)
    return Responses(
        connections=tuple(connections),
        protect=frozenset(name.strip().lower() for name in section.protect),
        attempts=section.attempts,
        oldest=round(section.oldest_hours * HOUR_MS),
        page_after=round(section.page_after_minutes * 60_000),
        dry_run=section.dry_run,
    )


def sections_of(path: Path) -> dict[Any, Any]:
    """The sections of a settings file. Raises UsageError for a file that has none."""
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; check the path") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text; settings are a YAML file") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{path}{line}: broken YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UsageError(f"{path}: broken YAML; check it") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise UsageError(f"{path}: expected sections such as 'responses:'")
    return loaded


def connect(wanted: _Connection, where: str) -> Connection:
    """One connection as it is written, checked. Raises UsageError that begins with ``where``."""
    known = actions()
    if wanted.vendor not in known:
        raise UsageError(
            f"{where}.vendor: no vendor {wanted.vendor!r}; one of {', '.join(sorted(known))}"
        )
    action = known[wanted.vendor]
    settings = convert(wanted.settings, action.settings, f"{where}.settings")
    serves = {name: name for name in (wanted.serves or tuple(action.does))}
    serves |= wanted.instead
    for name, done in serves.items():
        if name not in ACTIONS:
            raise UsageError(f"{where}.serves: no action {name!r}; one of {', '.join(ACTIONS)}")
        if done not in action.does:
            raise UsageError(
                f"{where}.serves: {action.vendor} does not {done};"
                f" it does {', '.join(sorted(action.does))}"
            )
    try:
        client_for(action, settings, wanted.http)
    except RefusedError as error:
        raise UsageError(f"{where}.settings: {error}") from None
    except ValueError:
        raise UsageError(f"{where}.settings: a URL that cannot be read") from None
    return Connection(
        name=wanted.name or action.name,
        action=action,
        settings=settings,
        http=wanted.http,
        serves=serves,
        products=wanted.products or action.products,
        tenants=wanted.tenants,
        also=wanted.also,
    )


def convert(found: object, kind: type[Any], where: str) -> Any:
    """Plain values as settings. Raises UsageError naming the setting, and never what it holds."""
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        place = where + path.strip("`")
        raise UsageError(f"{place}: {hinted(problem)}") from None


def hinted(problem: str) -> str:
    """A problem of a conversion, with what to write where a secret itself was written."""
    if "object" in problem and "got `str`" in problem:
        written = "of a secret write {env: NAME} or {file: PATH}, never the secret itself"
        return f"{problem}; {written}"
    return problem
