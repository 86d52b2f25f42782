"""Templates, and the files that pages load: each under an address that names its content."""

import hashlib
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from quivive import __version__
from quivive.server.console import words

PACKAGE = "quivive.server.console"
ASSETS = "/assets/"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


class Asset(NamedTuple):
    """A file as it is served; ``path`` holds its digest, so that it may be kept for ever."""

    path: str
    kind: str
    body: bytes


def assets() -> dict[str, Asset]:
    """Everything in ``assets/`` that browsers load, by name."""
    found = {}
    for file in resources.files(PACKAGE).joinpath("assets").iterdir():
        name = file.name
        stem, dot, ending = name.rpartition(".")
        kind = KINDS.get(dot + ending)
        if kind is not None:
            body = file.read_bytes()
            digest = hashlib.sha256(body).hexdigest()[:12]
            found[name] = Asset(f"{ASSETS}{stem}.{digest}.{ending}", kind, body)
    return found


def environment(files: dict[str, Asset]) -> Environment:
    """The templates; everything is escaped, and an unknown name is an error."""
    made = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words.install(made)

    def asset(name: str) -> Markup:
        return Markup(files[name].path)  # noqa: S704 - our own file's name

    values: dict[str, Any] = {"asset": asset, "version": __version__, "SAID": words.SAID}
    made.globals |= values
    return made
