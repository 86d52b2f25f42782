"""attacks.md: the simulator's attacks."""

from quivive.sim.attacks import attacks
from scripts.pages.markdown import code, page, table
from scripts.pages.names import CASES, TECHNIQUES, technique


def attacks_page() -> str:
    """Every attack that the simulator stages, and which use cases and scenarios it stands for."""
    known = attacks()
    kinds = [
        (
            f"`{name}`",
            attack.story,
            ", ".join(technique(t) for t in attack.techniques),
            ", ".join(attack.covers),
            code(attack.logs),
        )
        for name, attack in known.items()
    ]
    cases = [
        (number, words, code(n for n, a in known.items() if number in a.covers))
        for number, words in CASES.items()
    ]
    used = sorted({t for attack in known.values() for t in attack.techniques})
    techniques = [
        (technique(t), TECHNIQUES[t], code(n for n, a in known.items() if t in a.techniques))
        for t in used
    ]
    return page(
        "Attacks",
        f"The {len(known)} kinds of incident that [`quivive simulate`](../simulator.md) stages, one"
        " module each in `src/quivive/sim/attacks/`. `--kind NAME` limits it to those named.",
        f"## Kinds\n\n{table(('kind', 'story', 'ATT&CK', 'stands for', 'logs'), kinds)}",
        "## Use cases and scenarios\n\n" + table(("id", "use case or scenario", "kinds"), cases),
        f"## ATT&CK techniques\n\n{table(('id', 'technique', 'kinds'), techniques)}",
    )
