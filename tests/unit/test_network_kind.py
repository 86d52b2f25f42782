"""Kinds of network without a network database, where only what is odd is named by the vendor."""

from msgspec.structs import replace

from quivive.app.registry import signals
from quivive.engine.engine import Engine
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.event import Endpoint, Unmapped
from tests.scenario.company import TORONTO, at, login, ordinary


def spoken(kind: str, *before: str) -> list[float]:
    """What the kind of the network weighs at the last of some logins."""
    engine = Engine(State(), Enricher(None, None), signals(), shortens=False)
    for event in ordinary(0, 3):
        engine.step(event)
    *_, last = [
        engine.step(
            replace(
                login("dana", at(5 + n, 15), TORONTO),
                src_endpoint=Endpoint(ip="1.1.7.9"),
                unmapped=Unmapped(network_kind=named),
            )
        )
        for n, named in enumerate((*before, kind))
    ]
    assert last is not None
    return [round(w.weight, 6) for w in last.gathered.weighed if w.feature.signal == "network_kind"]


def test_a_kind_speaks_for_nobody_where_none_was_ever_known() -> None:
    for kind in ("tor", "mobile", "hosting"):
        assert spoken(kind) == [0.0]


def test_tor_and_what_nobody_was_seen_by_reassure_nobody() -> None:
    for kind, before in (("tor", ("tor",) * 6), ("mobile", ("vpn",)), ("proxy", ("vpn",))):
        (weight,) = spoken(kind, *before)
        assert weight >= 0
    (weight,) = spoken("mobile", *["mobile"] * 6)
    assert weight < 0
