"""The operator's own joins of names."""

from pathlib import Path

import pytest

from quivive.app.aliases import load_aliases
from quivive.app.errors import UsageError


def write(folder: Path, text: str) -> Path:
    path = folder / "aliases.yaml"
    path.write_text(text)
    return path


def test_every_spelling_leads_to_its_identity(tmp_path: Path) -> None:
    aliases = load_aliases(
        write(tmp_path, "Anna.Weber@example.com: [aweber, S-1-5-21-7-1104, 1234]\n")
    )
    assert aliases == {
        "anna.weber@example.com": "anna.weber@example.com",
        "aweber": "anna.weber@example.com",
        "s-1-5-21-7-1104": "anna.weber@example.com",
        "1234": "anna.weber@example.com",
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a@example.com: [root]\nb@example.com: [root]\n", "belongs to both"),
        ("- a\n- b\n", "expected 'identity: "),
        ("a@example.com: root\n", "expected a list of names"),
        ("a: [b\n", "not YAML"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        load_aliases(write(tmp_path, text))
    assert "aliases.yaml" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        load_aliases(tmp_path / "nowhere.yaml")
