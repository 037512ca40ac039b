"""BotCallers: the other bots that may call this one: parents of a skill, and skills of a parent.

A bot calls another bot with its own token from Entra, whose audience is the other bot's app id.
Sources: Microsoft Entra's access token claims reference; botframework-connector's SkillValidation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auth.errors import CallerForbidden, TokenRejected

APP_ID_CLAIMS = {"1.0": "appid", "2.0": "azp"}
"""The claim that names the caller's app id, by the token's version (`ver`)."""

DELEGATED_CLAIM = "scp"
"""Only in tokens that an app gets for a user: whoever has the user's token could send them."""


@dataclass(frozen=True)
class BotCallers:
    """Which bots may call this one.

    Args:
        app_ids: lower-case GUIDs of the allowed bots; empty allows none.
        versions: the version of Entra's tokens by their issuer. Both issuers are the tenant that
            this bot signs in at: Microsoft supports skills within one tenant only, and the
            administrator of any other tenant can sign in there as each multi-tenant app.
    """

    app_ids: frozenset[str]
    versions: Mapping[str, str]

    def sent(self, claims: Mapping[str, Any]) -> bool:
        """Whether a verified token is Entra's, and not the channel's."""
        return claims.get("iss") in self.versions

    def app_id(self, claims: Mapping[str, Any]) -> str:
        """The app id (lower-case GUID) of the bot that sent a token of Entra's; empty: none."""
        claim = APP_ID_CLAIMS[self.versions[claims["iss"]]]
        return str(claims.get(claim, "")).lower()

    def check(self, claims: Mapping[str, Any]) -> None:
        """Check that a verified token of Entra's is from a bot that may call this one.

        Raises:
            TokenRejected: the token does not have the form that its issuer gives it.
            CallerForbidden: the caller is not in AllowedCallers, or calls for a user.
        """
        if claims.get("ver") != self.versions[claims["iss"]]:
            raise TokenRejected("the token's version is not its issuer's")
        if DELEGATED_CLAIM in claims:
            raise CallerForbidden("the token is a user's, not a bot's")
        if self.app_id(claims) not in self.app_ids:
            raise CallerForbidden(f"the bot {self.app_id(claims)!r:.80} is not in AllowedCallers")
