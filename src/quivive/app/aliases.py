"""The operator's own joins: a YAML file of identities and the names they go by."""

from pathlib import Path

import yaml

from quivive.app.errors import UsageError


def load_aliases(path: Path) -> dict[str, str]:
    """Every spelling (lower case) to its identity, from ``identity: [name, id, …]`` lines.

    Raises UsageError for a file that cannot be read, is no such mapping, or gives one spelling to
    two identities.
    """
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; check the path") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 ({error.reason}); save it as UTF-8") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not YAML: {error}") from None
    if not isinstance(loaded, dict):
        raise UsageError(f"{path}: expected 'identity: [other names]' lines")
    aliases: dict[str, str] = {}
    for identity, names in loaded.items():
        if not isinstance(identity, str) or not isinstance(names, list):
            raise UsageError(f"{path}: {identity}: expected a list of names")
        for name in [identity, *names]:
            spelled = str(name).lower()
            if aliases.setdefault(spelled, identity.lower()) != identity.lower():
                raise UsageError(
                    f"{path}: {name} belongs to both {aliases[spelled]} and {identity.lower()}"
                )
    return aliases
