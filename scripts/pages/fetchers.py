"""fetchers.md: every vendor whose log is fetched from its API."""

import inspect

import msgspec

from quivive.app.registry import fetchers
from quivive.fetch.fetcher import DAY_MS, MINUTE_MS, Fetcher
from scripts.pages.markdown import code, one_line, page, setting, table


def fetchers_page() -> str:
    """Every vendor's log: its settings, what its key may do, how late records are waited for."""
    known = fetchers()
    overview = [
        (
            f"[`{fetcher.name}`](#{fetcher.name})",
            fetcher.vendor,
            fetcher.title,
            f"[`{fetcher.source}`](sources.md#{fetcher.source})",
        )
        for fetcher in known.values()
    ]
    parts = [
        (
            "`quivive fetch` and `quivive serve` ask these vendors for their logs."
            " [Running the server](../howto/server.md#fetching-logs) shows how to connect them."
        ),
        table(("`vendor:`", "product", "log", "read by"), overview),
        *(_fetcher(fetcher) for fetcher in known.values()),
    ]
    return page("Fetchers", *parts)


def _fetcher(fetcher: Fetcher) -> str:
    settings = [
        (
            f"`{f.encode_name}`",
            setting(f.type) if not str(f.type).startswith("tuple") else "a list of texts",
            "no" if f.default is not msgspec.NODEFAULT
            or f.default_factory is not msgspec.NODEFAULT else "yes",
        )
        for f in msgspec.structs.fields(fetcher.settings)
    ]  # fmt: skip
    about = inspect.cleandoc(fetcher.settings.__doc__ or "")
    return (
        f"## {fetcher.name}\n\n{fetcher.title} of {fetcher.vendor}: {_how(fetcher)}"
        f" [Documentation of the vendor]({fetcher.documentation}).\n\n"
        f"Settings:\n\n{table(('name', 'value', 'required'), settings)}\n\n{one_line(about)}\n\n"
        "Least privilege:\n\n" + "\n".join(f"* {words}" for words in fetcher.privileges)
    )


def _how(fetcher: Fetcher) -> str:
    days = fetcher.keeps // DAY_MS
    minutes = fetcher.overlap // MINUTE_MS
    if fetcher.window is None:
        how = (
            "gone on with from the vendor's own cursor, so that late records are not missed;"
            f" where that is lost, from {minutes} minutes before the newest record"
        )
    else:
        how = f"asked for by time, the last {minutes} minutes each time again for late records"
        longer = [f"{late // MINUTE_MS} of `{name}`" for name, late in fetcher.late.items()]
        how += f" ({', '.join(longer)})" if longer else ""
    late = f", {fetcher.delay // MINUTE_MS} minutes after the fact" if fetcher.delay else ""
    return f"{how}{late}. Nothing older than {days} days is asked for.{_streams(fetcher)}"


def _streams(fetcher: Fetcher) -> str:
    field = next(
        (f for f in msgspec.structs.fields(fetcher.settings) if f.encode_name == "logs"), None
    )
    return f" Logs: {code(field.default)}." if field is not None else ""
