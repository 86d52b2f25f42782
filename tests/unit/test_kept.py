"""What is kept of a login for verdicts: the lesson, packed, as it was."""

import msgspec
import pytest

from quivive.app.errors import UsageError
from quivive.app.kept import _features, decode_kept, row_of
from quivive.signals.signal import Feature, spoken
from tests.scenario.company import BUCHAREST, DANA, UNKNOWN_CLIENT, at, company, login, usual


def test_the_kept_lesson_is_what_was_taught_byte_for_byte() -> None:
    there = company()
    said = there.sees(
        [usual(DANA, at(42, 14 + n / 3), app=app) for n, app in enumerate("ABC")],
        [login("dana", at(42, 18), BUCHAREST, agent=UNKNOWN_CLIENT)],
    )
    held = []
    for scored in said:
        row = row_of("id", scored, b"{}", 3, 7)
        assert scored.taught is not None
        lesson = scored.taught.lesson(scored.login)
        assert len(lesson.features) > 15
        assert row.lesson == msgspec.msgpack.encode([lesson])
        assert decode_kept(row.lesson, "x").lesson == lesson
        assert (row.run, row.position, row.body) == (3, 7, b"{}")
        assert row.kind == (lesson.alike if lesson.held else None)
        held.append(row.kind)
    assert str(held[3]).startswith("RO|")


def test_a_login_that_taught_nothing_keeps_no_lesson() -> None:
    (scored,) = company().sees([login("dana", at(42, 15), BUCHAREST, status=2)])
    assert scored.taught is None
    assert row_of("id", scored, b"{}").lesson is None


def test_what_stores_of_before_kept_beside_the_lesson_is_left_unread() -> None:
    (scored,) = company().sees([usual(DANA, at(42, 15))])
    former = msgspec.msgpack.encode([scored.lesson, [["country", "place", 1.5, 0.2]], "human"])
    assert decode_kept(former, "x").lesson == scored.lesson
    assert decode_kept(msgspec.msgpack.encode([None, [], "human"]), "x").lesson is None
    with pytest.raises(UsageError, match="login x: damaged lesson"):
        decode_kept(b"\x91\x01", "login x")


@pytest.mark.parametrize("families", [0, 1, 3, 9])
@pytest.mark.parametrize("features", [0, 2, 15, 16, 40])
def test_what_is_packed_family_by_family_is_one_array(families: int, features: int) -> None:
    one = spoken(*(Feature(signal="s", factor=f"f{n}", key=str(n)) for n in range(features)))
    body = bytes(_features([one] * families))
    expected = [[f"f{n}", str(n), True] for n in range(features)] * families
    assert msgspec.msgpack.decode(body) == expected
