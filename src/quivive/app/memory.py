"""What lives long, and the garbage collector."""

import gc

YOUNG = 1  # generations: what came since the last look


def seldom() -> None:
    """What is remembered lives long and has no cycles: the collector need not walk it so often."""
    gc.set_threshold(50_000, 25, 100)


def settled() -> None:
    """To be called when a batch is kept: profiles and tables that live by now will go on to, and
    the collector need not walk them again. A full collection takes a second where 100,000
    identities are known, and would come in the middle of a login.

    Counting references still frees them; only cycles among them stay, and the state has none.
    """
    gc.collect(YOUNG)
    gc.freeze()
