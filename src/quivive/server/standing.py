"""How a connection that brings records by itself stands."""

from msgspec import Struct


class Standing(Struct):
    """One connection. Times in ms UTC.

    success: when all was well, the last time. problem: why not since; failures: attempts that
    failed, all together and in a row. records: that it brought.
    """

    success: int | None = None
    problem: str | None = None
    records: int = 0
    failures: int = 0
    in_a_row: int = 0

    def failed(self, why: str) -> None:
        """An attempt came to nothing."""
        self.failures += 1
        self.in_a_row += 1
        self.problem = why

    def succeeded(self, now: int) -> int:
        """All is well; how many attempts had failed in a row."""
        before, self.in_a_row = self.in_a_row, 0
        self.success, self.problem = now, None
        return before
