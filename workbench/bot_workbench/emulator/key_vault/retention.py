"""Retention: how long a vault keeps deleted objects, and whether they can be purged earlier."""

from dataclasses import dataclass

MAX_DAYS = 90


@dataclass(frozen=True)
class Retention:
    """The soft-delete settings of a vault's resource.

    Attributes:
        days: from a deletion until the vault purges the object itself, 7 to 90.
        is_protected: purge protection: nobody can purge earlier.
    """

    days: int = MAX_DAYS
    is_protected: bool = False

    @property
    def level(self) -> str:
        """`recoveryLevel` (REST reference, DeletionRecoveryLevel)."""
        level = "Recoverable" if self.days == MAX_DAYS else "CustomizedRecoverable"
        return level if self.is_protected else f"{level}+Purgeable"
