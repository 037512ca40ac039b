"""BotTokenPress: makes the tokens that Entra gives one bot for another."""

from typing import Any

from bot_workbench.emulator.cloud import Cloud
from tests.support.credentials.token_press import TokenPress

CALLER = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
"""The app id of the bot that calls."""


class BotTokenPress(TokenPress):
    """Presses a caller's tokens, of version 1.0 by default.

    Args:
        cloud: whose Entra's key is used, and whose bot is the audience.
        more: arguments of TokenPress.
    """

    def __init__(self, cloud: Cloud, *more: Any) -> None:
        super().__init__(cloud, {"serviceUrl": "https://parent.example/api/skills"}, *more)
        self.key = cloud.entra.issuer.keys[-1]

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The good claims with changes; a change to None leaves the claim out."""
        registration = self.cloud.registration
        claims = {
            "iss": registration.token_issuer,
            "aud": registration.app_id,
            "appid": CALLER,
            "ver": "1.0",
            "nbf": self.now,
            "exp": self.now + 3600,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def second_version(self, **changes: Any) -> dict[str, Any]:
        """The good claims of a token of version 2.0."""
        issuer = self.cloud.entra.authority.issuer(self.cloud.registration.tenant_id)
        return self.claims(**{"iss": issuer, "ver": "2.0", "azp": CALLER, "appid": None, **changes})
