"""The section kafka of a settings file: what is wrong is said with file and line."""

from pathlib import Path

import pytest

from quivive.app.errors import UsageError
from quivive.app.kafka_topics import load_topics

ONE = "kafka:\n  connections:\n  - servers: ['k:1']\n"
TWICE = "    topics:\n    - topic: a\n    - "
AT = "kafka.connections[0]"
PASSWORD = """    protocol: sasl_ssl
    mechanism: PLAIN
    user: q
    password: s3cret
    topics: [{topic: a}]
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kafka:\n  connections:\n  - servers: [k]\n", f":3: {AT}.servers"),
        (f"{ONE}    topics: []", f":4: {AT}.topics: Expected `array` of length >= 1"),
        (ONE, f":3: {AT}: Object missing required field `topics`"),
        (f"{ONE}{TWICE}{{topic: b, source: my}}", f":6: {AT}.topics[1].source: no log source 'my'"),
        (f"{ONE}{TWICE}topic: a", f":6: {AT}.topics[1].topic: a is there twice"),
        (f"{ONE}    topics: [{{topic: a b}}]", f":4: {AT}.topics[0].topic: "),
        (
            f"{ONE}    topics: [{{topic: a}}]\n  - servers: ['k:1']\n    topics: [{{topic: b}}]",
            ":5: kafka.connections[1].name: kafka is there twice; give each a name of its own",
        ),
        (f"{ONE}    topics: [{{topic: a, begn: latest}}]", "unknown field `begn`; is begin meant?"),
        (
            f"{ONE}    topics: [{{topic: a, begin: now}}]",
            f":4: {AT}.topics[0].begin: Invalid enum value 'now'",
        ),
        (
            f"{ONE}    protocol: sasl_ssl\n    topics: [{{topic: a}}]",
            f":3: {AT}: sasl_ssl needs mechanism, user and password",
        ),
        (f"{ONE}{PASSWORD}", f":7: {AT}.password: Expected `object | null`, got `str`; of a secre"),
        ("kafka: [1]", ":1: kafka: Expected `object`, got `array`"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "quivive.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as told:
        load_topics(path)
    assert said in str(told.value)
    assert str(told.value).startswith(f"{path}:")
    assert "s3cret" not in str(told.value)


def test_what_is_not_said(tmp_path: Path) -> None:
    path = tmp_path / "quivive.yaml"
    path.write_text(f"{ONE}    topics: [{{topic: a}}]")
    (found,) = load_topics(path)
    assert (found.name, found.protocol, found.group) == ("kafka", "ssl", "quivive")
    assert (found.sources, found.begins) == ({"a": None}, {"a": "earliest"})
    path.write_text("server: {}")
    assert load_topics(path) == ()
