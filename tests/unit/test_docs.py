"""The documentation keeps up with the code, its links lead somewhere, its commands exist."""

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from quivive.app.ingest import Tally
from quivive.app.output import encode_scored
from quivive.app.registry import signals, sources
from quivive.app.scoring import merged, score
from quivive.engine.beside import Beside, Scale
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import Decision
from quivive.policy.budget import Budgets
from quivive.scoring.model import SHIPPED
from quivive.sim.build import simulate
from scripts import reference
from scripts.pages import output
from scripts.pages.cli import cli, commands
from scripts.pages.names import TECHNIQUES
from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
ANY_PAGE = pytest.mark.parametrize("page", PAGES, ids=NAMES)

_FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(page)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found.add(next(s for s in (slug, *(f"{slug}-{n}" for n in range(1, 99))) if s not in found))
    return found


# --- generated pages


@pytest.mark.parametrize("name", sorted(reference.GENERATED))
def test_generated_page_is_fresh(name: str) -> None:
    assert (reference.FOLDER / name).read_text(encoding="utf-8") == reference.GENERATED[name](), (
        f"docs/reference/{name} is stale: make reference"
    )


@pytest.mark.parametrize("name", sorted(sources()))
def test_source_is_documented(name: str) -> None:
    source = sources()[name]
    assert source.title
    assert source.reads
    assert source.gives
    assert source.documentation.startswith("https://")


@pytest.mark.parametrize("family", signals(), ids=lambda family: family.name)
def test_signal_is_documented(family: object) -> None:
    assert family.title
    assert family.tells
    for name, sentence in family.tells.items():
        assert sentence.endswith("."), f"{name}: {sentence!r} is no sentence"
    assert family.attack, f"{family.name} names no ATT&CK technique"
    unnamed = [t for t in family.attack if t not in TECHNIQUES]
    assert not unnamed, f"name these techniques in scripts/pages/names.py: {unnamed}"


def test_commands_are_documented() -> None:
    undocumented = [path for path, command in commands() if not command.help]
    assert not undocumented


def test_every_output_key_is_documented(tmp_path: Path) -> None:
    simulate(tmp_path, seed=1, people=40, services=3, days=30, incidents=6)
    logs = [str(log) for log in sorted(tmp_path.iterdir()) if log.name.startswith(("ent", "clo"))]
    events = merged(logs, None, Tally(), lambda _: None)
    lines = [
        json.loads(encode_scored(scored, log))
        for log, scored in score(
            events,
            State(),
            Enricher(None, None),
            beside=Beside(SHIPPED, SHIPPED, Budgets(), Scale()),
        )
    ]
    assert {key for line in lines for key in line} == set(output.OUTPUT)
    said = {key for line in lines for key in line["decision"]}
    assert {"action", "mode", "rule", "policy"} <= said <= set(output.DECISION)
    assert set(output.DECISION) == set(Decision.__struct_fields__)
    assert {k for line in lines for r in line["reasons"] for k in r} == set(output.REASON)


# --- links


@ANY_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(_CODE.sub("", prose(page))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), f"{target} is not there"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{target}: no such heading"


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    named = {
        (index.parent / target.partition("#")[0]).resolve()
        for target in _LINK.findall(prose(index))
    }
    left_out = [str(p) for p in PAGES if p.parent != ROOT and p != index and p not in named]
    assert not left_out


def test_decisions_are_numbered_and_say_what_follows_from_them() -> None:
    found = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in found] == list(range(len(found)))
    for page in found:
        assert {"context", "decision", "consequences"} <= anchors(page), page.name


# --- commands in examples


def examples(page: Path) -> Iterator[list[str]]:
    """Every command of the page's console and sh examples, as words."""
    for language, body in _FENCE.findall(page.read_text(encoding="utf-8")):
        lines = [line.strip() for line in body.replace("\\\n", " ").splitlines()]
        if language == "console":
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        elif language != "sh":
            continue
        typed = "\n".join(line for line in lines if not line.startswith("#"))
        lexer = shlex.shlex(typed, posix=True, punctuation_chars="|&;<>()\n")
        lexer.whitespace, lexer.commenters, lexer.whitespace_split = " \t", "", True
        command: list[str] = []
        for word in [*lexer, "\n"]:
            if not set(word) <= set("|&;<>()\n"):
                command.append(word)
            elif not set(word) <= set("<>"):
                yield command
                command = []


def check(words: list[str]) -> None:
    """Asserts that a quivive command line uses commands and options that exist."""
    path, command = "quivive", cli
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, f"{path} has no command {rest[0]!r}"
        path, command, rest = f"{path} {rest[0]}", found, rest[1:]
    with click.Context(command, help_option_names=["-h", "--help"]) as context:
        known = {o for p in command.get_params(context) for o in (*p.opts, *p.secondary_opts)}
    for word in rest:
        if word.startswith("-") and word != "-":
            option = word.partition("=")[0]
            assert option in known, f"{path} has no option {option}"


@ANY_PAGE
def test_examples_use_commands_that_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in examples(page):
        if words and words[0].rpartition("/")[2] == "quivive":
            check(words)
        elif words and words[0] == "make":
            assert set(words[1:]) <= targets, f"make has no {words[1:]}"


@pytest.mark.parametrize(
    "typed", ["quivive guess", "quivive score --guess x.log", "quivive geoip guess"]
)
def test_the_check_finds_what_does_not_exist(typed: str) -> None:
    with pytest.raises(AssertionError, match="has no"):
        check(typed.split())
