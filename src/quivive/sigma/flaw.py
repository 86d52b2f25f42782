"""What keeps a Sigma rule from being used."""


class SigmaFlaw(Exception):  # noqa: N818  (it is a finding about a rule, not a fault)
    """Why a rule cannot be used, at which line of its file (from 1), and what to do."""

    def __init__(self, text: str, remedy: str, line: int = 1) -> None:
        super().__init__(f"{text}; {remedy}")
        self.text, self.remedy, self.line = text, remedy, line
