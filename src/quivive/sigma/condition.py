"""The ``condition`` of a Sigma rule: from its text to a tree over the names of selections."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple, NoReturn

from quivive.sigma.flaw import SigmaFlaw

MOST_TEXT = 4_096  # characters
MOST_NESTED = 32
_TOKEN = re.compile(r"\s*(?:([()|])|([^\s()|]+))")
_COUNT = re.compile(r"\d+")
_WORDS = ("and", "or", "not", "of", "them")
ONE, ALL = ("1", "any"), "all"


class Name(NamedTuple):
    """A selection holds."""

    name: str


class Not(NamedTuple):
    """What is inside does not hold."""

    of: "Tree"


class And(NamedTuple):
    """All of several hold."""

    of: "tuple[Tree, ...]"


class Or(NamedTuple):
    """One of several holds."""

    of: "tuple[Tree, ...]"


Tree = Name | Not | And | Or


def parse(text: str, selections: Sequence[str]) -> Tree:
    """The tree of a condition over the ``selections`` that there are. Raises SigmaFlaw."""
    if len(text) > MOST_TEXT:
        raise SigmaFlaw(
            f"condition: {len(text):,} characters", f"{MOST_TEXT:,} are the most; make two rules"
        )
    return _Parser(text, selections).whole()


class _Parser:
    """Recursive descent; ``not`` binds closest, then ``and``, then ``or``."""

    def __init__(self, text: str, selections: Sequence[str]) -> None:
        self.words = [sign or word for sign, word in _TOKEN.findall(text)]
        self.selections = selections
        self.at = self.depth = 0

    def whole(self) -> Tree:
        if "|" in self.words:
            self.refuse(
                "an aggregation (|) over several records",
                "Quivive counts over time by itself: see the signals failures and rhythm; keep the"
                " part before | as a rule of its own",
            )
        if "near" in (word.lower() for word in self.words):
            self.refuse("near: an order of several records", "make a rule of each record")
        if not self.words:
            self.refuse("it is empty", "name a selection")
        found = self.either()
        if self.at < len(self.words):
            self.refuse(f"{self.words[self.at]!r} after its end", "join parts with and or or")
        return found

    def refuse(self, text: str, remedy: str) -> NoReturn:
        raise SigmaFlaw(f"condition: {text}", remedy)

    def peek(self) -> str:
        return self.words[self.at].lower() if self.at < len(self.words) else ""

    def either(self) -> Tree:
        found = [self.both()]
        while self.peek() == "or":
            self.at += 1
            found.append(self.both())
        return found[0] if len(found) == 1 else Or(tuple(found))

    def both(self) -> Tree:
        found = [self.single()]
        while self.peek() == "and":
            self.at += 1
            found.append(self.single())
        return found[0] if len(found) == 1 else And(tuple(found))

    def single(self) -> Tree:
        self.depth += 1
        if self.depth > MOST_NESTED:
            self.refuse("nested too deeply", f"{MOST_NESTED} parts within each other are the most")
        found = self.part()
        self.depth -= 1
        return found

    def part(self) -> Tree:
        word = self.peek()
        if not word:
            self.refuse("it breaks off", "end it with the name of a selection")
        self.at += 1
        if word == "not":
            return Not(self.single())
        if word == "(":
            found = self.either()
            if self.peek() != ")":
                self.refuse("a parenthesis that does not close", "write ) where the part ends")
            self.at += 1
            return found
        if self.peek() == "of":
            self.at += 1
            return self.some(word)
        if word in _WORDS or word == ")":
            self.refuse(f"{word!r} where a selection should be named", "see the rule's selections")
        return self.named(self.words[self.at - 1])

    def some(self, count: str) -> Tree:
        which = self.words[self.at] if self.at < len(self.words) else ""
        self.at += 1
        if count not in (*ONE, ALL):
            said = "counts of selections are not read" if _COUNT.fullmatch(count) else "no quantity"
            self.refuse(f"{count} of {which}: {said}", "write 1 of or all of")
        if which.lower() == "them":
            names = [name for name in self.selections if not name.startswith("_")]
        elif not which or which == ")":
            self.refuse(f"{count} of what?", "write them, or a name such as selection_*")
        else:
            if set("?[]") & set(which):
                self.refuse(f"{which!r}: only * stands for other characters", "write selection_*")
            names = [name for name in self.selections if fnmatchcase(name, which)]
        if not names:
            self.refuse(f"no selection is called {which}", self.known())
        parts = tuple(Name(name) for name in names)
        if len(parts) == 1:
            return parts[0]
        return And(parts) if count == ALL else Or(parts)

    def named(self, name: str) -> Tree:
        if name not in self.selections:
            self.refuse(f"no selection is called {name}", self.known())
        return Name(name)

    def known(self) -> str:
        return f"there is {', '.join(self.selections[:8])}" if self.selections else "there is none"
