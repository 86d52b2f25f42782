"""sources.md: every log that is read."""

from quivive.app.registry import sources
from scripts.pages.markdown import code, page, table


def sources_page() -> str:
    """Every log source: what it reads and which fields it gives."""
    known = sources()
    overview = table(
        ("`--source`", "log", "format documented at"),
        [
            (f"[`{s.name}`](#{s.name})", s.title, f"<{s.documentation}>" if s.documentation else "")
            for s in known.values()
        ],
    )
    parts = [
        (
            "`--source auto`, the default, recognises each record by its content; one file may mix"
            " logs. Any other JSON or CSV log is read through a field map: see [mapped](mapped.md)."
        ),
        overview,
    ]
    for source in known.values():
        reads = "\n".join(f"* {phrase}" for phrase in source.reads)
        parts.append(
            f"## {source.name}\n\n{source.title}. Reads\n\n{reads}\n\n"
            f"and gives, when a record has them, {code(source.gives)}."
        )
    return page("Log sources", *parts)
