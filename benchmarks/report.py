"""The figures of ``make bench`` as the tables of docs/performance.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.kept import KEEPING
from benchmarks.pages import described, table
from benchmarks.speed import KEPT, PARTS, SCORE, TITLES

RATIO_GOAL, RATIO_FLOOR = 6.0, 12.0  # score of an Entra log, times the decoding of its JSON
SECOND_GOAL = 11_600  # logins a second on one core, store on: a billion a day
GROWTH_GOAL = 1.3  # a login with the most identities known, to one with the fewest
MEMORY_GOAL = 2048.0  # MiB, a million identities
INLINE_GOAL = 10.0  # ms, 99 of 100 answers at 500 a second

Figures = Mapping[str, Any]


def generated(found: Figures) -> str:
    """Everything between the markers; a part that was not measured is left out."""
    shape = found["machine"]
    logins = ", ".join(f"{name} {count:,}" for name, count in found["logins"].items())
    parts = [
        f"`make bench`, on {described(shape)}.\n",
        "### Where it stands\n",
        table(["target", "goal", "here", ""], goals(found)),
        "### What a login costs, by what\n",
        f"Of `score --state` over all logs merged ({found['logins']['all']:,} logins).\n",
        costs(found),
        "### Each stage\n",
        f"{logins} logins.\n",
        stages(found["rows"]),
        "### Logins a second on one core\n",
        seconds(found),
    ]
    if dense := found.get("dense"):
        parts += ["### The short road\n", short_road(dense)]
    if jobs := found.get("jobs"):
        parts += ["### Several processes\n", several(jobs)]
    if groups := found.get("groups"):
        parts += ["### One at a time, or several\n", grouped(groups)]
    if growth := found.get("growth"):
        parts += ["### More identities\n", growing(growth)]
    if inline := found.get("inline"):
        parts += ["### In the login's own path\n", waiting(inline)]
    return "\n".join(parts)


def row_of(rows: Sequence[Figures], stage: str, log: str) -> Figures:
    """The figures of one stage of one log."""
    return next(row for row in rows if (row["stage"], row["log"]) == (stage, log))


def goals(found: Figures) -> list[list[str]]:
    """Each target beside what was measured, with how far off it is."""
    rows = found["rows"]
    ratio = row_of(rows, SCORE, "entra")["ratio"]
    a_second = 1e6 / row_of(rows, KEPT, "all")["microseconds"]
    lines = [
        ["`score` of an Entra log, to decoding its JSON", f"≤ {RATIO_GOAL:g} ×", f"{ratio:.0f} ×",
         "met" if ratio <= RATIO_GOAL else f"{ratio / RATIO_GOAL:.1f} times the goal,"
         f" {ratio / RATIO_FLOOR:.1f} times the floor of {RATIO_FLOOR:g}"],
        ["logins a second on one core, store on", f"≥ {SECOND_GOAL:,}", f"{a_second:,.0f}",
         short_of(a_second)],
    ]  # fmt: skip
    if dense := found.get("dense"):
        fast = dense["logins_a_second_kept"]
        lines.append(["the same of a dense machine log", f"≥ {SECOND_GOAL:,}", f"{fast:,.0f}",
                      short_of(fast)])  # fmt: skip
    if growth := found.get("growth"):
        first, last = growth[0], growth[-1]
        worst = max(one["same_ratio"] for one in growth)
        lines.append([
            f"a login with {last['identities']:,} identities known, to {first['identities']:,}",
            f"≤ {GROWTH_GOAL:g} ×", f"{worst:.2f} ×", met(worst <= GROWTH_GOAL),
        ])  # fmt: skip
        if last["identities"] >= 1_000_000:
            most = last["most_mib"]
            lines.append(["memory with a million identities", f"≤ {MEMORY_GOAL:,.0f} MiB",
                          f"{most:,.0f} MiB", met(most <= MEMORY_GOAL)])  # fmt: skip
    if inline := found.get("inline"):
        kept = inline[0]
        lines.append([f"99 of 100 answers at {kept['rate']:g} a second, store on",
                      f"< {INLINE_GOAL:g} ms", f"{kept['p99_ms']:g} ms",
                      met(kept["p99_ms"] < INLINE_GOAL)])  # fmt: skip
    return lines


def met(fine: bool) -> str:
    return "met" if fine else "missed"


def short_of(a_second: float) -> str:
    return "met" if a_second >= SECOND_GOAL else f"{SECOND_GOAL / a_second:.1f} times too slow"


def costs(found: Figures) -> str:
    """The parts of a login, dearest first, as shares of the whole."""
    rows, logins = found["rows"], found["logins"]
    whole = row_of(rows, KEPT, "all")["microseconds"]
    parts = {part: row_of(rows, part, "all")["microseconds"] for part in (*PARTS, *KEEPING)}
    for stage in ("order by time", "rest of the engine", "encode output"):
        parts[stage] = row_of(rows, stage, "all")["microseconds"]
    for stage in (TITLES["frame"], TITLES["parse"]):
        spent = sum(r["microseconds"] * logins[r["log"]] for r in rows if r["stage"] == stage)
        parts[stage] = spent / logins["all"]
    parts["garbage collection, and what is not watched"] = whole - sum(parts.values())
    dearest = sorted(parts.items(), key=lambda part: -part[1])
    return table(
        ["part", "µs a login", "share"],
        [[part, f"{spent:.1f}", f"{100 * spent / whole:.0f} %"] for part, spent in dearest],
    )


def stages(rows: Sequence[Figures]) -> str:
    return table(
        ["stage", "log", "µs a login", "ratio to decoding"],
        [
            [row["stage"], row["log"], f"{row['microseconds']:.1f}", times(row["ratio"])]
            for row in rows
        ],
        texts=2,
    )


def times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.1f}"


def seconds(found: Figures) -> str:
    """Without and with the store, each log alone; and opening a store, which is once a run."""
    rows = found["rows"]
    lines = []
    for log in found["logins"]:
        bare, kept = (row_of(rows, stage, log)["microseconds"] for stage in (SCORE, KEPT))
        lines.append([log, f"{1e6 / bare:,.0f}", f"{1e6 / kept:,.0f}", f"{kept / bare:.2f}"])
    return (
        table(["log", "`score`", "`score --state --out`", "cost with the store, ratio"], lines)
        + f"\nMaking a new store, once a run and in these figures, takes"
        f" {found['opening_ms']:.0f} ms.\n"
    )


def short_road(dense: Figures) -> str:
    each = dense["microseconds"]
    roads = [
        [road, f"{dense[f'{road}_logins']:,}", f"{dense[f'{road}_judge_us']:.1f}",
         f"{dense[f'{road}_write_us']:.1f}"]
        for road in ("short", "long")
    ]  # fmt: skip
    whole = [
        ["decode JSON", "decode"],
        ["score, end to end", "score"],
        ["score, every login on the long road", "long alone"],
        ["score --state, end to end", "kept"],
    ]
    return (
        f"{dense['services']} services of {dense['calls_an_hour']:.0f} calls an hour each,"
        f" {dense['logins']:,} logins, days of settling included. Once settled"
        f" {100 * dense['share_short']:.1f} % take the short road; of the same log without its"
        f" refused calls ({1000 * dense['denied']:g} in a thousand)"
        f" {100 * dense['share_short_undenied']:.1f} %.\n\n"
        + table(["road", "logins", "engine, µs", "output, µs"], roads)
        + "\n"
        + table(
            ["the whole log", "µs a login", "ratio to decoding", "logins a second"],
            [
                [
                    title,
                    f"{each[name]:.1f}",
                    times(dense["ratio"][name]),
                    "" if name == "decode" else f"{1e6 / each[name]:,.0f}",
                ]
                for title, name in whole
            ],
        )
    )


def several(jobs: Sequence[Figures]) -> str:
    """Elapsed and CPU time by the number of processes, without and with a store."""
    same = all(one["same"] for one in jobs)
    return f"{jobs[0]['logins']:,} logins of people.\n\n" + table(
        ["", "--jobs", "elapsed, s", "times as fast", "CPU of all, s", "ratio", "logins a second"],
        [
            ["score --state" if one["kept"] else "score", str(one["jobs"]),
             f"{one['elapsed_s']:.1f}", f"{one['faster']:.2f}", f"{one['cpu_s']:.1f}",
             f"{one['cpu_ratio']:.2f}", f"{one['logins'] / one['elapsed_s']:,.0f}"]
            for one in jobs
        ],
    ) + ("\nThe lines were the same.\n" if same else "\n**The lines differed.**\n")  # fmt: skip


def grouped(groups: Sequence[Figures]) -> str:
    return table(
        ["logins a commit", "CPU, µs a login", "elapsed, µs a login", "CPU, ratio to the last"],
        [
            [str(one["group"]), f"{one['cpu_us']:.0f}", f"{one['elapsed_us']:.0f}",
             f"{one['ratio']:.2f}"]
            for one in groups
        ],
    )  # fmt: skip


def growing(growth: Sequence[Figures]) -> str:
    head = [
        "identities", "same logins, µs", "ratio", "all after Zipf, µs", "ratio", "memory, MiB",
        "most, MiB", "store, MiB", "cold start, s", "first answer, s",
    ]  # fmt: skip
    return table(
        head,
        [
            [f"{one['identities']:,}", f"{one['same_us']:.0f}", f"{one['same_ratio']:.2f}",
             f"{one['all_us']:.0f}", f"{one['all_ratio']:.2f}", f"{one['memory_mib']:.0f}",
             f"{one['most_mib']:.0f}", f"{one['store_mib']:.0f}", f"{one['loaded_s']:.2f}",
             f"{one['first_s']:.2f}"]
            for one in growth
        ],
    )  # fmt: skip


def waiting(inline: Sequence[Figures]) -> str:
    return table(
        ["store", "requests a second", "p50, ms", "p99, ms", "longest, ms", "fallbacks", "failed"],
        [
            [one["store"], f"{one['rate']:g}", f"{one['p50_ms']:g}", f"{one['p99_ms']:g}",
             f"{one['most_ms']:g}", str(one["fallbacks"]), str(one["failed"])]
            for one in inline
        ],
    )  # fmt: skip
