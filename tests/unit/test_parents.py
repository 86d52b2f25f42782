"""What a feature is conditional on is counted wherever the feature is: by peers, too."""

from msgspec.structs import replace

from quivive.app.registry import signals
from quivive.engine.engine import Engine
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.event import Unmapped
from quivive.scoring.weigh import usual_of
from quivive.signals.signal import Feature
from tests.scenario.company import TORONTO, at, backup_run, in_order, login, machines, ordinary


def test_peers_count_what_features_are_conditional_on() -> None:
    events = in_order(
        ordinary(0, 4),
        machines(0, 4),
        [backup_run(day) for day in range(4)],
        [
            replace(
                login("dana", at(2, 15 + n / 10), TORONTO),
                unmapped=Unmapped(operation="files:List", resource="plans", role="admin"),
            )
            for n in range(2)
        ],
    )
    engine = Engine(State(), Enricher(None, None), signals(), shortens=False)
    seen = 0
    for event in events:
        said = engine.step(event)
        assert said is not None
        if said.taught is None:
            continue
        found: list[Feature] = [f for one in said.taught.said for f in one.features]
        counted = {(f.factor, f.key) for f in found if f.shared}
        for feature in found:
            if feature.weigh and feature.given is not None:
                assert feature.given in counted, feature
                seen += 1
    assert seen > 1_000


def test_what_no_peer_did_is_told_against_all_that_they_did() -> None:
    """An address that is new to everybody, in a company that has been at work for days."""
    engine = Engine(State(), Enricher(None, None), signals(), shortens=False)
    for event in ordinary(0, 10):
        engine.step(event)
    said = engine.step(login("dana", at(11, 15), TORONTO, ip="198.18.4.4"))
    assert said is not None
    levels = engine.state.scene(said.login, engine.state.profile(said.login.identity))[1]
    (address,) = [w for w in said.gathered.weighed if w.feature.signal == "address"]
    usual = usual_of(address.feature, levels)
    assert usual.peers > 1
    assert usual.peers_total > 2 * usual.peers
