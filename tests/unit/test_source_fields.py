"""The shared getters' treatment of times."""

import pytest

from quivive.model.record import RejectError
from quivive.sources.fields import timestamp

MOMENT = 1_735_787_045_000  # 2025-01-02T03:04:05Z


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("2025-01-02T03:04:05Z", MOMENT),
        ("2025-01-02 03:04:05", MOMENT),
        ("20250102T030405Z", MOMENT),
        ("2025-01-02T05:04:05.123456789+02:00", MOMENT + 123),
        ("1/2/2025 3:04:05 AM", MOMENT),
        ("1735787045.5", MOMENT + 500),
        (1735787045, MOMENT),
        (1735787045123456, MOMENT + 123),
    ],
)
def test_times_of_many_spellings(written: object, ms: int) -> None:
    assert timestamp(written, "t") == timestamp(written, "t", default=7) == ms


@pytest.mark.parametrize("written", [None, ""])
def test_the_default_stands_in_for_an_absent_time(written: object) -> None:
    assert timestamp(written, "t", default=MOMENT) == MOMENT
    with pytest.raises(RejectError, match=r"^t: "):
        timestamp(written, "t")


@pytest.mark.parametrize("written", ["soon", "-", 0, "1999-12-31T23:59:59Z", [], True])
def test_the_default_excuses_no_malformed_time(written: object) -> None:
    with pytest.raises(RejectError, match=r"^t: "):
        timestamp(written, "t", default=MOMENT)
