"""OAuthCards: fills in the links of sign-in cards, as the service of Web Chat does.

Bots send a link to Teams only. Sources: microsoft/BotFramework-WebChat, issue 1106 (the card as
Web Chat gets it); the OAuthLinkEncoder of microsoft/BotFramework-Emulator; OAuthPrompt of
botbuilder-dialogs (`_channel_requires_sign_in_link`).
"""

import copy
from collections.abc import Callable
from typing import Any

from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.channel.user_tokens import (
    UnknownConnectionError,
    UserConnection,
    UserTokens,
    sign_in_link,
)

CONTENT_TYPE = "application/vnd.microsoft.card.oauth"
LINKING_CHANNELS = frozenset({"directline", "webchat"})
"""The channels whose service fills in the links."""


class OAuthCards:
    """Starts a sign-in for each sign-in button that has no link.

    Args:
        user_tokens: the signed-in users.
        page_url: returns the base URL of the server with the sign-in page.
    """

    def __init__(self, user_tokens: UserTokens, page_url: Callable[[], str]) -> None:
        self._user_tokens = user_tokens
        self._page_url = page_url

    def linked(self, activity: Activity, conversation_id: str) -> Activity:
        """The activity as the user gets it. For an unknown connection, the button gets no link."""
        if activity.get("channelId") not in LINKING_CHANNELS:
            return activity
        linked = copy.deepcopy(activity)
        for attachment in _objects(linked.get("attachments")):
            card = attachment.get("content")
            if attachment.get("contentType") == CONTENT_TYPE and isinstance(card, dict):
                for button in _objects(card.get("buttons")):
                    if button.get("type") == "signin" and not button.get("value"):
                        button["value"] = self._link(linked, conversation_id, card)
        return linked

    def _link(self, activity: Activity, conversation_id: str, card: dict[str, Any]) -> str | None:
        user = activity.get("recipient") or {}
        connection = str(card.get("connectionName", ""))
        target = UserConnection(str(user.get("id", "")), connection, activity["channelId"])
        try:
            sign_in = self._user_tokens.start_sign_in(
                target, str(user.get("name") or ""), conversation_id
            )
        except UnknownConnectionError:
            return None
        return sign_in_link(self._page_url(), sign_in)


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
