"""One server with a small company behind it and one browser, for all tests here."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.site import browser, make_state, serving


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server."""
    folder = tmp_path_factory.mktemp("site")
    state = make_state(folder)
    with serving(state, folder) as base:
        yield base


@pytest.fixture(scope="session")
def chrome() -> Iterator[Any]:
    """The browser."""
    with browser() as found:
        yield found
