"""notifiers.md: every channel that tells people."""

import inspect

import msgspec

from quivive.app.registry import notifiers
from quivive.notify.channels import Channel
from scripts.pages.markdown import page, setting, table


def notifiers_page() -> str:
    """Every channel: its settings, and the settings that all have."""
    known = notifiers()
    overview = [
        (
            f"[`{n.name}`](#{n.name})",
            n.title,
            "folded by its key" if n.repeats == "folded" else "says that it may be one",
            "told" if n.closes else "if `closings: true`",
        )
        for n in known.values()
    ]
    parts = [
        (
            "Whom incidents are told, and how: the section `notify` of the settings file."
            " [The identity team's page](../howto/identity-team.md#tell-people) shows how to"
            " connect them."
        ),
        table(("`kind:`", "channel", "a repeat after a crash", "that one closed"), overview),
        f"## Of every channel\n\n{inspect.cleandoc(Channel.__doc__ or '')}\n\n" + _fields(Channel),
    ]
    for n in known.values():
        about = inspect.cleandoc(n.settings.__doc__ or "")
        parts.append(
            f"## {n.name}\n\n{n.title}: [format]({n.documentation}). {about}\n\n"
            + _fields(n.settings)
        )
    return page("Notifiers", *parts)


def _fields(of: type[msgspec.Struct]) -> str:
    """The settings of a Struct with their defaults."""
    rows = []
    for field in msgspec.structs.fields(of):
        if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT:
            default = "required"
        elif field.default is msgspec.NODEFAULT:
            default = "empty"
        else:
            value = field.default
            if isinstance(value, tuple):
                value = ", ".join(map(str, value)) or None
            default = "none" if value is None else f"`{value}`"
        listed = str(field.type).startswith("tuple")
        kind = "a list" if listed else setting(field.type)
        rows.append((f"`{field.encode_name}`", kind, default))
    return table(("setting", "type", "default"), rows)
