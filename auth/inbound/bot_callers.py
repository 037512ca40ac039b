"""BotCallers: the other bots that may call this one: a skill's parents, or a parent's skills.

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
"""Present only in tokens that an app gets on behalf of a user. The user may have the token too, so
it does not prove that the bot itself is the caller."""


@dataclass(frozen=True)
class BotCallers:
    """Which bots may call this one.

    Args:
        app_ids: lower-case GUIDs of the allowed bots; empty allows none.
        versions: the accepted issuers, each with the version of its tokens. Both belong to the
            tenant that this bot signs in to. Other tenants are refused: Microsoft supports skills
            within one tenant only, and an administrator of another tenant can get tokens of that
            tenant in the name of any multi-tenant app.
    """

    app_ids: frozenset[str]
    versions: Mapping[str, str]

    def sent(self, claims: Mapping[str, Any]) -> bool:
        """Whether a verified token comes from Entra, and not from the channel."""
        return claims.get("iss") in self.versions

    def app_id(self, claims: Mapping[str, Any]) -> str:
        """The caller's app id (lower-case GUID) in a token from Entra; empty if it has none."""
        claim = APP_ID_CLAIMS[self.versions[claims["iss"]]]
        return str(claims.get(claim, "")).lower()

    def check(self, claims: Mapping[str, Any]) -> None:
        """Check that a verified token from Entra belongs to a bot that may call this one.

        Raises:
            TokenRejected: the token's version is not its issuer's.
            CallerForbidden: the caller is not in AllowedCallers, or calls on behalf of a user.
        """
        if claims.get("ver") != self.versions[claims["iss"]]:
            raise TokenRejected("the token's version is not its issuer's")
        if DELEGATED_CLAIM in claims:
            raise CallerForbidden("the token is a user's, not a bot's")
        if self.app_id(claims) not in self.app_ids:
            raise CallerForbidden(f"the bot {self.app_id(claims)!r:.80} is not in AllowedCallers")
