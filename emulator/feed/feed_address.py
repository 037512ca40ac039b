"""FeedAddress: where a bot's processes find the local cloud's feed."""

from collections.abc import Mapping
from dataclasses import dataclass

SETTING = "BOT_FEED"
"""The environment variable with the address."""


@dataclass(frozen=True)
class FeedAddress:
    """A TCP port on loopback, and the secret without which it accepts nothing."""

    port: int
    secret: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "FeedAddress | None":
        """The address in an environment; None if no local cloud listens."""
        port, _, secret = environ.get(SETTING, "").partition(":")
        return cls(int(port), secret) if port.isdecimal() and secret else None

    def settings(self) -> dict[str, str]:
        """The address as environment variables."""
        return {SETTING: f"{self.port}:{self.secret}"}
