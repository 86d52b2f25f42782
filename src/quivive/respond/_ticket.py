"""The text of a ticket. What a log says is an attacker's to write: it is cut and made harmless."""

from datetime import UTC, datetime

from quivive.model.response import ResponseRequest

MOST = 300  # characters of one value
MOST_TITLE = 120


def plain(text: object, most: int = MOST) -> str:
    """One line of text without control or direction characters, and nobody mentioned by ``@``."""
    clean = "".join(c if c.isprintable() else " " for c in str(text))
    clean = " ".join(clean.split()).replace("@", "@\u200b")
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def title(request: ResponseRequest) -> str:
    """The headline."""
    who = plain(request.target.identity, 80)
    return f"{request.risk_level.capitalize()} risk: login of {who} may not be theirs"[:MOST_TITLE]


def facts(request: ResponseRequest) -> list[tuple[str, str]]:
    """What a ticket tells, by name."""
    target = request.target
    when = datetime.fromtimestamp(request.time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    found = [
        ("Identity", plain(target.identity)),
        ("Login at", when),
        ("Product", plain(target.product or "unknown")),
        ("Risk", f"{request.risk_score:.1f} ({request.risk_level})"),
        ("Why", plain(request.reason, 600)),
        ("Rule", plain(request.rule)),
        ("Event", plain(request.event_id)),
        ("Key", request.key),
    ]
    return [(name, value) for name, value in found if value]


def text(request: ResponseRequest) -> str:
    """The whole text, a fact a line."""
    return "\n".join(f"{name}: {value}" for name, value in facts(request))
