"""How findings and explanations look in a terminal."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape

from quivive.cli.shared import printable
from quivive.model.words import counted

COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "green"}
CLIENT_SHOWN = 100  # characters of a user agent
FINDING_LEVELS = frozenset({"critical", "high", "medium"})


def show_findings(lines: list[bytes], logins: int, on_stdout: bool, where: str = "") -> None:
    """The given output lines, best first, with their strongest reasons.

    ``where`` is the option that makes ``quivive explain`` find them again.
    """
    console = Console(stderr=not on_stdout, highlight=False, soft_wrap=True)
    found = [line for line in map(msgspec.json.decode, lines) if is_finding(line)]
    console.print(f"{counted(logins, 'login')} scored")
    if not found:
        console.print("No finding: no login was unusual enough to tell.")
        return
    console.print(
        f"The {len(found)} most unusual, best first:" if len(found) > 1 else "One finding:"
    )
    for line in found:
        console.print()
        console.print(headline(line))
        for reason in line["reasons"][:3]:
            console.print(f"    {reason['weight']:+5.1f}  {_safe(reason['text'])}")
        if where:
            console.print(f"    [dim]quivive explain {_safe(line['id'])}{_safe(where)}[/dim]")


def is_finding(line: dict[str, Any]) -> bool:
    """Whether an output line is told. Those of before there were budgets say it by their level."""
    told: bool = line.get("finding", line["risk_level"] in FINDING_LEVELS)
    return told


def headline(line: dict[str, Any]) -> str:
    """Risk, identity, time, address and place of one output line, as rich markup."""
    event = line["event"]
    source = event.get("src_endpoint", {})
    place = source.get("location", {})
    where = ", ".join(str(place[k]) for k in ("city", "country") if k in place)
    parts = [
        f"[{COLOURS[line['risk_level']]}]{line['risk_score']:5.1f} {line['risk_level']}[/]",
        f"[bold]{_safe(line['identity'])}[/bold]",
        moment(event["time"]),
        _safe(source.get("ip") or source.get("svc_name") or "no address"),
    ]
    if where:
        parts.append(_safe(where))
    parts.append(_safe(event["metadata"]["product"]["name"]))
    return "  ".join(parts)


def explanation(line: dict[str, Any]) -> list[str]:
    """Everything that is known about one scored login, as lines of rich markup."""
    event = line["event"]
    lines = [headline(line), ""]
    lines += [f"  {name:<14}{_safe(value)}" for name, value in _facts(line, event)]
    if line.get("looks_like"):
        lines += [
            "",
            f"  [bold]Looks like[/bold]      {_safe(line['looks_like'])}",
            f"  [bold]Best excuse[/bold]     {_safe(line['otherwise'])}",
        ]
    lines += ["", "  [bold]What speaks for an attacker[/bold] (nats of evidence)"]
    lines += [_reason(reason) for reason in line["reasons"]] or ["    nothing"]
    if line.get("reassuring"):
        lines += ["", "  [bold]What speaks for the identity itself[/bold]"]
        lines += [_reason(reason) for reason in line["reassuring"]]
    if line.get("not_evaluable"):
        lines += ["", "  [bold]Not evaluable[/bold]"]
        lines += [f"           {_safe(missing)}" for missing in line["not_evaluable"]]
    if line.get("counterfactual"):
        lines += ["", f"  [bold]Counterfactual[/bold]  {_safe(line['counterfactual'])}"]
    return lines


def _facts(line: dict[str, Any], event: dict[str, Any]) -> list[tuple[str, str]]:
    user = event.get("user", {})
    service = event.get("service", {})
    decision = line["decision"]
    facts = [
        ("account", str(user.get("name") or user.get("uid") or "?")),
        ("kind", line["identity_kind"]),
        ("outcome", _outcome(event)),
        ("logged in to", str(service.get("name") or service.get("uid") or "?")),
        ("client", _cut(str(event.get("http_request", {}).get("user_agent", "not named")))),
        ("device", str(event.get("device", {}).get("name", "not named"))),
        ("decision", f"{decision['action']} ({decision['mode']}, {decision['rule']})"),
        ("confidence", f"{line['confidence']:.2f}" + _history(line)),
        ("score", f"{line['score']:+.1f} nats"),
    ]
    if not line.get("finding", True) and line["risk_score"] >= line["threshold"]:
        facts.append(("not told", "enough findings on this identity within 24 hours"))
    if line.get("repeated"):
        facts.append(
            (
                "told before",
                f"about {counted(line['repeated'], 'time')} lately, which lowers the risk shown",
            )
        )
    return facts


def _history(line: dict[str, Any]) -> str:
    return ", low history" if line.get("low_history") else ""


def _outcome(event: dict[str, Any]) -> str:
    word = {1: "success", 2: "failure", 99: "interrupted"}.get(event["status_id"], "unknown")
    detail = event.get("status_detail") or event.get("status_code")
    return f"{word} ({detail})" if detail not in (None, "", "0") else word


def _cut(text: str) -> str:
    return text if len(text) <= CLIENT_SHOWN else text[: CLIENT_SHOWN - 1] + "…"


def _reason(reason: dict[str, Any]) -> str:
    attack = f"  [dim]{' '.join(reason['attack'])}[/dim]" if reason.get("attack") else ""
    return f"    {reason['weight']:+5.1f}  {_safe(reason['text'])}{attack}"


def moment(time: int) -> str:
    """A time in ms UTC for people."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _safe(text: object) -> str:
    return escape(printable(str(text)))
