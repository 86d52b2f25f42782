"""Tuning the policy: its rules and budgets, who they would touch, and what takes their place."""

from typing import Annotated, Literal, NamedTuple

from markupsafe import escape
from msgspec import Meta, Struct
from starlette.responses import Response

from quivive.app import policies
from quivive.app.errors import UsageError
from quivive.app.policy_edit import Edit, edited
from quivive.app.policy_file import PROBLEMS_SHOWN, Checked, checked_text
from quivive.app.preview import Hit, Outcome, Preview, preview
from quivive.model.errors import ConfigurationError
from quivive.model.verdict import MOST_WHY
from quivive.policy.actions import MODES
from quivive.policy.rules import Policy, PolicyError
from quivive.policy.spending import MOST_SPENT
from quivive.server.console.asking import in_words
from quivive.server.console.console import Nav
from quivive.server.console.page import Page
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit
from quivive.server.waiting import act
from quivive.store.models import Author
from quivive.store.policies import Policies

DAY = 86_400_000
NAMED = 60  # identities named of those that would be touched
SLIDER = 60  # the most a slider offers; the text takes more
CHANGES = 30


class Window(Struct, frozen=True):
    """days: how much history to look at; as: rules as if all acted, or as they are written."""

    days: Annotated[int, Meta(ge=1, le=366)] = 14
    written: Literal["yes", "no"] = "no"


class Who(NamedTuple):
    """What one kind of action would have touched, with some of the identities' names."""

    title: str
    hit: Hit
    names: list[str]
    before: Hit


class Seen(NamedTuple):
    """A preview as the page shows it: this policy beside the active one."""

    found: Preview
    who: list[Who]
    mine: Outcome
    active: Outcome
    days: int
    written: bool


async def tuning(visit: Visit) -> Response:
    """The active policy, and what can be changed of it."""
    return await _page(visit)


async def _page(
    visit: Visit,
    *,
    text: str | None = None,
    seen: Seen | None = None,
    problem: str = "",
    window: Window | None = None,
    checked: Checked | None = None,
) -> Response:
    store = visit.store

    def look() -> dict[str, object]:
        kept = Policies(store)
        active, name = policies.active_text(store), kept.active()
        given = (
            checked if checked is not None else checked_text(text or active, "policy", visit.now)
        )
        return {
            "active": name,
            "policy": given.parsed.policy,
            "problems": given.problems[:PROBLEMS_SHOWN],
            "text": escape(text if text is not None else active),
            "changed": text is not None and text != active,
            "flags": _flags(given.parsed.policy, kept.flags()),
            "versions": list(reversed(kept.versions())),
            "history": list(reversed(kept.history()))[:CHANGES],
        }

    return visit.page(
        "tuning.html",
        422 if problem else 200,
        **await visit.aside(look),
        seen=seen,
        problem=problem,
        window=window or Window(),
        modes=MODES,
        slider=SLIDER,
        most=MOST_SPENT,
        most_why=MOST_WHY,
        by_file=_by_file(visit),
    )


def _flags(policy: Policy | None, switched: dict[str, bool]) -> list[tuple[str, bool, list[str]]]:
    """Each flag of the policy, whether it is on, and the rules it concerns."""
    if policy is None:
        return []
    names = sorted({rule.flag for rule in policy.rules if rule.flag is not None})
    flags = policy.flags | switched
    return [(n, flags.get(n, True), [r.id for r in policy.rules if r.flag == n]) for n in names]


def _by_file(visit: Visit) -> str:
    """The file that decides in place of the store's policy, if the server was told one."""
    file = visit.console.context.judge.judging.policy_file
    return str(file) if file is not None else ""


async def look(visit: Visit) -> Response:
    """Decides history anew by what the sliders and fields say. Nothing is kept."""
    fields = await visit.form()
    window = _window(fields)
    try:
        text = await visit.aside(lambda: _text(visit, fields))
    except UsageError as error:
        return await _page(visit, problem=str(error), window=window)
    checked = await visit.aside(lambda: checked_text(text, "policy", visit.now))
    policy = checked.parsed.policy
    if policy is None or checked.errors:
        problem = "It has errors: mend them, then look again."
        return await _page(visit, text=text, problem=problem, window=window, checked=checked)
    since = await visit.newest() - window.days * DAY

    def decide() -> Preview:
        found = policy.with_flags(Policies(visit.store).flags())
        return preview(
            visit.store, found, policies.active(visit.store),
            as_written=window.written == "yes", since=since,
        )  # fmt: skip

    found = await visit.console.context.parsing(decide)
    shown = seen(found, window)
    if visit.fragment:
        active = await visit.aside(lambda: policies.active_text(visit.store))
        return visit.page(
            "tuning_seen.html",
            seen=shown,
            text=escape(text),
            changed=text != active,
            most_why=MOST_WHY,
        )
    return await _page(visit, text=text, seen=shown, window=window, checked=checked)


def seen(found: Preview, window: Window) -> Seen:
    """A preview by what would have been done, the policy in question beside the active one."""
    mine, active = found.outcomes

    def who(title: str, hit: Hit, before: Hit) -> Who:
        return Who(title, hit, sorted(hit.identities)[:NAMED], before)

    return Seen(
        found,
        [
            who("asked for another factor", mine.challenged, active.challenged),
            who("stopped, or their sessions ended", mine.stopped, active.stopped),
            who("told to somebody", mine.told, active.told),
        ],
        mine,
        active,
        window.days,
        window.written == "yes",
    )


def _window(fields: dict[str, str]) -> Window:
    import msgspec

    given = {name: fields[name] for name in ("days", "written") if fields.get(name)}
    try:
        return msgspec.convert(given, Window, strict=False)
    except msgspec.ValidationError as error:
        raise RefusedError(400, "That cannot be asked", in_words(error)) from None


def _text(visit: Visit, fields: dict[str, str]) -> str:
    """The policy that is asked about: the text given, or the active one, as the sliders say."""
    given = _given(fields)
    text = given if given.strip() else policies.active_text(visit.store)
    parsed = checked_text(text, "policy").parsed.policy
    if parsed is None:
        return text
    edits = []
    for rule in parsed.rules:
        amount = fields.get(f"budget.{rule.id}", "")
        share = fields.get(f"share.{rule.id}", "")
        edit = Edit(
            rule.id,
            fields.get(f"mode.{rule.id}") or None,
            _number(amount, rule.id) if amount else None,
            _number(share, rule.id) if share else None,
        )
        if edit[1:] != (None, None, None):
            edits.append(edit)
    return edited(text, edits, parsed.rules)


def _given(fields: dict[str, str]) -> str:
    """The text of a form, whole. Raises UsageError for what would not be seen in it."""
    text = fields.get("text", "").replace("\r\n", "\n")
    for number, line in enumerate(text.split("\n"), 1):
        hidden = next((c for c in line if not c.isprintable() and c != "\t"), None)
        if hidden is not None:
            raise UsageError(f"line {number}: character U+{ord(hidden):04X} is not to be seen")
    return text


def _number(text: str, rule: str) -> int:
    if not text.strip().isdecimal() or len(text) > 6:
        raise UsageError(f"{rule}: {text[:20]!r} is no whole number")
    return int(text)


async def activate(visit: Visit) -> Response:
    """Makes a text the active policy."""
    fields = await visit.form()
    why = _why(fields)
    try:
        text = _given(fields)
    except UsageError as error:
        return await _page(visit, problem=str(error))
    if not why:
        return await _page(visit, text=text, problem="Say why: the history keeps it.")
    author = Author(visit.name, why, visit.now)
    try:
        await visit.aside(lambda: policies.activate_text(visit.store, text, author))
    except PolicyError as error:
        return await _page(visit, text=text, problem=str(error))
    await taken_over(visit)
    return visit.to("/tuning", said="policy")


async def roll_back(visit: Visit) -> Response:
    """Returns to a version, or to the one before."""
    fields = await visit.form()
    author = Author(visit.name, _why(fields) or "rolled back in the console", visit.now)
    to = fields.get("to", "").strip() or None
    try:
        await visit.aside(lambda: policies.roll_back(visit.store, author, to))
    except ConfigurationError as error:
        return await _page(visit, problem=str(error))
    await taken_over(visit)
    return visit.to("/tuning", said="policy")


async def flag(visit: Visit) -> Response:
    """Switches a flag."""
    fields = await visit.form()
    author = Author(visit.name, _why(fields) or "switched in the console", visit.now)
    name, on = fields.get("flag", ""), fields.get("on") == "yes"
    try:
        await visit.aside(lambda: policies.switch(visit.store, name, on, author))
    except UsageError as error:
        return await _page(visit, problem=str(error))
    await taken_over(visit)
    return visit.to("/tuning", said="policy")


async def version(visit: Visit) -> Response:
    """The text of a version."""
    name = visit.path["name"]
    try:
        found = await visit.aside(lambda: Policies(visit.store).version(name))
    except ConfigurationError:
        raise RefusedError(404, "No such version", "See the list of all of them.") from None
    return Response(found.body, media_type="text/plain; charset=utf-8")


async def taken_over(visit: Visit) -> None:
    """Lets the judge take over what changed before anybody is told that it did."""
    await act(visit.console.context.judge, lambda judging: judging.refresh())


def _why(fields: dict[str, str]) -> str:
    return " ".join(fields.get("why", "").split())[:MOST_WHY]


PAGES = (
    Page("/tuning", tuning, "analyst"),
    Page("/tuning/preview", look, "analyst", method="POST"),
    Page("/tuning/activate", activate, "admin", method="POST"),
    Page("/tuning/roll-back", roll_back, "admin", method="POST"),
    Page("/tuning/flag", flag, "admin", method="POST"),
    Page("/tuning/policies/{name}", version, "analyst"),
)
NAV = (Nav(50, "Tuning", "/tuning", "analyst"),)
