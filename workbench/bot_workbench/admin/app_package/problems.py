"""PackageRefused: why there is no app package."""

from dataclasses import dataclass

from bot_workbench.admin.migrate.managed_identity.json_text import Path as Place


@dataclass(frozen=True)
class Problem:
    """Something that Teams would reject, or that people should not see.

    Attributes:
        place: where it is in the manifest; empty: nowhere in particular.
        text: what is wrong, and what is right.
        is_example: it is an example's value: Teams takes it in a test, but not from a publisher.
    """

    place: Place
    text: str
    is_example: bool = False

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901); no name in a manifest needs escapes."""
        return "".join(f"/{part}" for part in self.place)


class PackageRefused(Exception):
    """The package cannot be built.

    Args:
        reasons: all of them, a line each.
    """

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons
