"""What is wrong with a filter of a page, in words, with the filter's name."""

import re

import msgspec

_AT = re.compile(r"(.*) - at `\$\.?([^`]*)`", re.DOTALL)
_LENGTH = re.compile(r"Expected `str` of length <= (\d+)")
_WANTED = re.compile(r"Expected `(\w+)[^`]*`(?: ([<>]=?) ([\d.]+))?")
_NOUNS = {"float": "a number", "int": "a whole number", "bool": "true or false", "str": "a text"}
_LIMITS = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}


def in_words(error: msgspec.ValidationError) -> str:
    """ "min_risk: a number of at most 100 is wanted", from msgspec's words for it."""
    found = _AT.fullmatch(str(error))
    if found is None:
        return str(error)
    what, name = found[1], found[2].replace("_", " ")
    if what.startswith("Invalid enum value "):
        return f"{name}: {what.removeprefix('Invalid enum value ')} is none of the choices"
    if (longest := _LENGTH.match(what)) is not None:
        return f"{name}: at most {int(longest[1]):,} characters are read"
    wanted = _WANTED.match(what)
    if wanted is None or "matching regex" in what:
        return f"{name}: not written as it should be"
    limit = f" {_LIMITS[wanted[2]]} {float(wanted[3]):g}" if wanted[2] else ""
    return f"{name}: {_NOUNS.get(wanted[1], 'something else')}{limit} is wanted"
