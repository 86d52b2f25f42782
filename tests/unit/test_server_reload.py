"""Changed files are taken over by a running server whole, or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from quivive.app.aliases import load_aliases
from quivive.app.geoip import open_places
from quivive.enrich.enricher import Enricher
from quivive.policy.budget import Budgets
from quivive.scoring.model import Model, encode_model
from quivive.server.judging import Settings
from quivive.server.reload import Fresh
from quivive.server.settings import read_settings
from quivive.store.audit import Trail
from quivive.store.database import Store
from quivive.store.models import Author, Models
from tests.unit.serving import NOW, Served, login
from tests.unit.test_enrich_places import BERLIN, LAGOS, write_mmdb

ADDRESS = {"src_endpoint": {"ip": "203.0.113.7"}}
CONFIG = """
server: {answer_seconds: 2, assess_bytes: 4096}
notify:
  channels:
    - {name: lake, kind: ocsf, settings: {file: /tmp/none.ndjson}}
"""


class Files:
    """The files of a server, and how it reads them."""

    def __init__(self, folder: Path) -> None:
        self.places = folder / "places.mmdb"
        self.config = folder / "config.yaml"
        self.aliases = folder / "aliases.yaml"
        write_mmdb(self.places, {"203.0.113.0/24": BERLIN})
        self.config.write_text(CONFIG)
        self.aliases.write_text("ann@example.com: [ann.old]\n")

    def read(self) -> Fresh:
        enricher = Enricher(open_places([self.places]), None)
        settings = Settings(enricher, Budgets(), None, load_aliases(self.aliases))
        return Fresh(settings, read_settings(self.config))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def served(files: Files, tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path / "state", config=files.config, sending=True, renew=files.read)
    assert found.ask("POST", "/v1/reload").status_code == 200
    yield found
    found.close()


def country(served: Served, number: int) -> Any:
    answer = served.ask("POST", "/v1/assess", json=login(number, **ADDRESS))
    return answer.json()["event"]["src_endpoint"].get("location", {}).get("country")


def entries(served: Served) -> list[tuple[str, str, dict[str, Any]]]:
    with Store(served.state) as store:
        records = list(Trail(store).records())
    return [
        (r.actor, r.action, json.loads(r.details))
        for r in records
        if r.action.startswith("server:")
    ]


def test_places_settings_and_channels_are_taken_over(served: Served, files: Files) -> None:
    assert country(served, 0) == "DE"
    files.places.unlink()
    write_mmdb(files.places, {"203.0.113.0/24": LAGOS})
    files.config.write_text(
        CONFIG.replace("4096", "2048, connections: 5").replace("name: lake", "name: sea")
    )
    files.aliases.write_text("ann@example.com: [ann.new]\n")
    assert country(served, 1) == "DE", "not before it is told to"
    answer = served.ask("POST", "/v1/reload")
    assert answer.json()["after_restart"] == ["connections"]
    assert country(served, 2) == "NG"
    assert served.ask("POST", "/v1/assess", content=b" " * 3_000).status_code == 413
    sender = served.server.sender
    assert sender is not None
    sender.once()
    assert list(sender.notifier.channels) == ["sea"]
    line = served.ask("POST", "/v1/assess", json=login(3, user="ann.new")).json()
    assert line["identity"] == "ann@example.com"
    actor, action, details = entries(served)[-1]
    assert (actor, action) == ("token tests", "server:reloaded")
    assert details["after_restart"] == ["connections"]


@pytest.mark.parametrize(
    ("what", "content", "problem"),
    [
        ("places", "no database", "places.mmdb"),
        ("config", "server: {answer_seconds: soon}", "config.yaml:1: server.answer_seconds"),
        ("config", "notify: {channels: [{name: a, kind: pigeon, settings: {}}]}", "pigeon"),
        ("config", "responses: {connections: [{vendor: nobody}]}", "nobody"),
        ("config", "{", "config.yaml"),
        ("aliases", "- broken", "aliases.yaml"),
    ],
)
def test_bad_files_are_refused_and_the_old_stay(
    served: Served, files: Files, what: str, content: str, problem: str
) -> None:
    before = served.server.context.settings
    path: Path = getattr(files, what)
    good = path.read_bytes()
    if what != "places":
        files.places.unlink()
        write_mmdb(files.places, {"203.0.113.0/24": LAGOS})
    path.unlink()
    path.write_text(content)
    with capture_logs() as logs:
        answer = served.ask("POST", "/v1/reload")
    assert answer.status_code == 422
    assert problem in answer.json()["detail"]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["not reloaded"]
    assert country(served, 0) == "DE", "all of it, or nothing"
    assert served.server.context.settings is before
    ready = served.ask("GET", "/readyz", token="")
    assert (ready.status_code, ready.json()["files"]) == (200, "refused")
    assert problem not in ready.text
    assert problem in served.ask("GET", "/readyz").json()["reload_problem"]
    _, action, details = entries(served)[-1]
    assert action == "server:reload refused"
    assert problem in details["why"]
    path.write_bytes(good)
    assert served.ask("POST", "/v1/reload").status_code == 200
    assert "files" not in served.ask("GET", "/readyz", token="").json()


def learned(served: Served, body: bytes) -> None:
    """A model that ``quivive learn`` put into shadow beside a running server."""
    with Store(served.state) as store:
        models = Models(store)
        author = Author("tests", "to look on", NOW)
        models.add(models.next_name(), body, b"{}", 5, "shadow", author)


def test_a_model_in_shadow_is_taken_up_and_the_state_goes_on(served: Served) -> None:
    first = served.ask("POST", "/v1/assess", json=login(0))
    judge = served.server.judge
    assert judge.judging.live.models.beside is None
    learned(served, encode_model(Model(version="v1", weights={"os": 2.0})))
    assert "models" in served.ask("POST", "/v1/reload").json()["taken"]
    beside = judge.judging.live.models.beside
    assert beside is not None
    assert beside.model.version == "v1"
    assert "models" not in served.ask("POST", "/v1/reload").json()["taken"]
    again = served.ask("POST", "/v1/assess", json=login(0))
    assert again.content == first.content, "what was judged is known still"


def test_a_broken_model_is_refused_and_judging_goes_on(served: Served) -> None:
    learned(served, b'{"version": "v1", "weights": {"os": "much"}}')
    answer = served.ask("POST", "/v1/reload")
    assert answer.status_code == 422
    assert "v1" in answer.json()["detail"]
    assert country(served, 0) == "DE"


def test_a_server_without_files_says_so(tmp_path: Path) -> None:
    found = Served(tmp_path / "other")
    assert found.ask("POST", "/v1/reload").status_code == 409
    found.close()
