"""responses.md: every vendor that can be asked to act."""

import inspect

import msgspec

from quivive.app.registry import actions
from scripts.pages.markdown import code, one_line, page, setting, table


def responses_page() -> str:
    """Every vendor that contains identities: what it does, its settings, what its key may do."""
    known = actions()
    served = sorted({name for action in known.values() for name in action.does})
    overview = [
        (
            f"[`{action.name}`](#{action.name})",
            action.vendor,
            code(action.does),
            code(action.undoes) or "nothing",
        )
        for action in known.values()
    ]
    parts = [
        (
            "What policy decides in `canary` or `enforce` is asked of these vendors."
            " [The identity team's page](../howto/identity-team.md) shows how to connect them."
        ),
        table(("`vendor:`", "product", "does", "takes back"), overview),
        "## By action\n\n"
        + table(
            ("action", "vendors"),
            [(f"`{s}`", code(n for n, a in known.items() if s in a.does)) for s in served],
        ),
    ]
    for action in known.values():
        does = [(f"`{name}`", what) for name, what in action.does.items()]
        settings = [
            (
                f"`{f.encode_name}`",
                setting(f.type),
                "no" if f.default is not msgspec.NODEFAULT
                or f.default_factory is not msgspec.NODEFAULT else "yes",
            )
            for f in msgspec.structs.fields(action.settings)
        ]  # fmt: skip
        about = inspect.cleandoc(action.settings.__doc__ or "")
        parts.append(
            f"## {action.name}\n\n{action.title}. For identities of"
            f" {'every product' if '*' in action.products else code(action.products)};"
            f" [documentation of the vendor]({action.documentation}).\n\n"
            f"{table(('action', 'what it means there'), does)}\n\nSettings:\n\n"
            f"{table(('name', 'value', 'required'), settings)}\n\n{one_line(about)}\n\n"
            "Least privilege:\n\n" + "\n".join(f"* {words}" for words in action.privileges)
        )
    return page("Responses", *parts)
