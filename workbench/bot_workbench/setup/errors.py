"""The errors of installations."""


class SetUpError(Exception):
    """Something cannot be installed; the text is one line.

    Args:
        reason: what, why and what to do.
        loss: what does not work until then, as a sentence. Losses with one reason share a line.
    """

    def __init__(self, reason: str, loss: str = "") -> None:
        super().__init__(reason, loss)
        self.reason = reason
        self.loss = loss

    def __str__(self) -> str:
        return f"{self.reason} {self.loss}".rstrip()


class WrongPackageError(SetUpError):
    """npm delivered another package than the pinned one."""
