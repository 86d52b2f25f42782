"""Counts and names in words, as people read them."""

NAME_SHOWN = 64


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 finding", "1,204 findings". ``many``: the plural where it is
    not the singular with an s.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def shortened(text: str, most: int = NAME_SHOWN) -> str:
    """A name of at most ``most`` characters, cut in the middle, where names differ least."""
    if len(text) <= most:
        return text
    head = most * 2 // 3
    return f"{text[:head]}…{text[head - most + 1 :]}"
