"""Budgets of findings that were saved in a store: they hold for whatever judges there.

What a command is given on its line goes first, whole: ``--budget`` in place of all that is saved.
"""

from msgspec.structs import replace

from quivive.app.errors import UsageError
from quivive.app.policies import record
from quivive.policy.budget import CLASSES, Budgets, parse_budgets
from quivive.store.database import Store
from quivive.store.models import Author
from quivive.store.policies import Policies


def saved(store: Store) -> Budgets:
    """What is saved. Raises BudgetError for what a later version cannot read."""
    return parse_budgets(f"{of}={text}" for of, text in Policies(store).budgets().items())


def in_force(store: Store, given: Budgets) -> Budgets:
    """The budgets that a command's are, or else those that are saved; how many findings of one
    identity are told is the command's in either case.
    """
    return given if given.by_class else replace(saved(store), alerts=given.alerts)


def save(store: Store, of: str, text: str, author: Author) -> str:
    """Saves the budget of a class of identities, or with an empty text that it has none; gives it
    as it is kept.

    Raises BudgetError for one that cannot be held, UsageError for another class or no change.
    """
    if of not in CLASSES:
        raise UsageError(f"budget of {of[:40]!r}: there are {', '.join(CLASSES)}")
    before = Policies(store).budgets()
    found = parse_budgets([f"{of}={text}"]).by_class[of] if text else None
    said = str(found) if found is not None else ""
    if before.get(of, "") == said:
        what = f"{of}={said} holds already" if said else f"{of} has no budget"
        raise UsageError(f"{what}; nothing was changed")
    Policies(store).hold(of, said, author, record)
    return said
