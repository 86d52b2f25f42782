"""One module an attack kind, each ending in its ``ATTACK``."""

import importlib
import pkgutil

from quivive.sim.scene import Attack


def attacks() -> dict[str, Attack]:
    """Every attack by its module's name."""
    found: dict[str, Attack] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        found[module.name] = importlib.import_module(f"{__name__}.{module.name}").ATTACK
    return found
