"""The ``sigma`` section of a settings file: whose rules are held against every record."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from quivive.app.located import located
from quivive.app.responses import convert, sections_of
from quivive.app.sigma import Marking, marking

Text = Annotated[str, Meta(min_length=1, max_length=4_096)]


class SigmaSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """folder: of Sigma rules, seen from the settings file. shadow: ids of those that only count."""

    folder: Text
    shadow: tuple[Text, ...] = ()


@located(SigmaSettings)
def load_rules(path: Path) -> Marking | None:
    """The rules of a settings file; None where it names none.

    Raises UsageError naming the file and the setting, or what keeps the folder from being used.
    """
    section = sections_of(path).get("sigma")
    if section is None:
        return None
    wanted = convert(section, SigmaSettings, f"{path}: sigma")
    return marking(path.parent / wanted.folder, wanted.shadow)
