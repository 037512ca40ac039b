"""Retention: how long a vault keeps what was deleted, and whether it can be purged before."""

from dataclasses import dataclass

MAX_DAYS = 90


@dataclass(frozen=True)
class Retention:
    """What a vault as a resource says of it.

    Attributes:
        days: from a deletion until the vault purges by itself, 7 to 90.
        is_protected: purge protection: nobody can purge before.
    """

    days: int = MAX_DAYS
    is_protected: bool = False

    @property
    def level(self) -> str:
        """`recoveryLevel` (REST reference, DeletionRecoveryLevel)."""
        level = "Recoverable" if self.days == MAX_DAYS else "CustomizedRecoverable"
        return level if self.is_protected else f"{level}+Purgeable"
