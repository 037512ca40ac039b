"""Clock: the time, moved by hand."""


class Clock:
    """A clock that stands still until a test moves it.

    Attributes:
        now: seconds.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds
