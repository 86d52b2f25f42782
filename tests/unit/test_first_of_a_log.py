"""The first logins of a log: what they leave out is no evidence yet."""

from msgspec.structs import replace

from quivive.app.registry import signals
from quivive.engine.engine import Engine
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from tests.scenario.company import TORONTO, at, login, ordinary


def test_no_device_is_no_evidence_before_the_log_was_read() -> None:
    """That attackers name none says nothing where it is not known whether anybody does."""
    engine = Engine(State(), Enricher(None, None), signals(), shortens=False)
    for event in ordinary(0, 3):
        engine.step(event)
    event = login("dana", at(4, 15), TORONTO)
    weights = []
    for log, day in (("auth", 4), ("auth", 5), ("signIns", 6)):
        metadata = replace(event.metadata, log_name=log)
        said = engine.step(replace(event, time=at(day, 15), metadata=metadata))
        assert said is not None
        (weighed,) = [w for w in said.gathered.weighed if w.feature.signal == "device"]
        assert weighed.feature.label == "no device named"
        weights.append(round(weighed.weight, 6))
    assert weights[0] == 0.0
    assert weights[1] < 0.0
    assert weights[2] > 1.0
