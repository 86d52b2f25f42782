"""The pages, a module each; ``quivive.server.console`` says how one is added."""

import importlib
import pkgutil

from quivive.server.console.console import Nav
from quivive.server.console.page import Page


def found() -> tuple[list[Page], list[Nav]]:
    """Every page and menu entry of the modules in ``pages/``."""
    all_pages: list[Page] = []
    menu: list[Nav] = []
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        all_pages += getattr(module, "PAGES", ())
        menu += getattr(module, "NAV", ())
    all_pages.sort(key=lambda page: page.path.endswith("}"))  # what is named comes before any name
    return all_pages, sorted(menu)
