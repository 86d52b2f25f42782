"""Secrets in settings: always a reference, never the secret itself."""

import os
from pathlib import Path

from msgspec import Struct

from quivive.model.errors import ConfigurationError

MOST = 64 << 10  # bytes of a secret's file


class Secret(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a secret is kept: an environment variable or a file. One of the two is set."""

    env: str | None = None
    file: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError unless exactly one place is named."""
        if (self.env is None) == (self.file is None):
            raise ValueError("write {env: NAME} or {file: PATH}, one of the two")

    def value(self) -> str:
        """The secret, read anew each time, so that it can be rotated without a restart.

        Raises ConfigurationError, naming the place, when there is none.
        """
        if self.env is not None:
            found = os.environ.get(self.env, "")
            if not found.strip():
                raise ConfigurationError(f"environment variable {self.env}: not set; put it there")
        else:
            found = self._read(Path(self.file or ""))
        if "-----BEGIN" in found:
            return found
        found = found.strip()
        if any(not c.isprintable() for c in found):
            raise ConfigurationError(f"{self.place}: holds a control character; write one line")
        return found

    @property
    def place(self) -> str:
        """Where it is kept, in words."""
        return f"environment variable {self.env}" if self.env else str(self.file)

    def _read(self, path: Path) -> str:
        try:
            with path.open("rb") as opened:
                body = opened.read(MOST + 1)
            if len(body) > MOST:
                raise ConfigurationError(f"{path}: more than {MOST} bytes; not a secret")
            found = body.decode("utf-8")
        except OSError as error:
            raise ConfigurationError(f"{path}: {error.strerror}; put the secret there") from None
        except UnicodeDecodeError:
            raise ConfigurationError(f"{path}: not UTF-8 text; put the secret there") from None
        if not found.strip():
            raise ConfigurationError(f"{path}: empty; put the secret there")
        return found
