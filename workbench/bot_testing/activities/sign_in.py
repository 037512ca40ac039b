"""sign_in_activity: how a user signs in with a sign-in card, and what the channel sends the bot.

Rules: botbuilder's OAuthPrompt, and Microsoft reference "Single sign-on for bots in Teams".
"""

from typing import Any, Literal

from bot_testing.activities.card import TEAMS
from bot_testing.activities.reply import Reply
from bot_testing.errors import ChatMistake
from bot_workbench.emulator.channel.user_tokens import UserTokens

OAUTH_CARD = "application/vnd.microsoft.card.oauth"

By = Literal["window", "code", "sso"]
"""The ways in which a user signs in: in the window that the card's button opens; with the code from
that window, typed as a message; or without a window, by single sign-on."""


def sign_in_activity(
    users: UserTokens, reply: Reply, account: dict[str, Any], channel: str, by: By
) -> dict[str, Any]:
    """The content of the activity that the bot gets once the user has signed in.

    Args:
        users: the local token service's.
        reply: the sign-in card.
        account: the user.
        channel: the channel's id.
        by: how the user signs in.

    Raises:
        ChatMistake: the reply has no sign-in card, or its link is not valid any more.
    """
    cards = [each for each in reply.attachments if each.get("contentType") == OAUTH_CARD]
    if not cards:
        raise ChatMistake(f"There is no sign-in card in {reply!r}.")
    card = cards[0]["content"]
    if by == "sso":
        return _token_exchange(users, card, account)
    link = str((card.get("buttons") or [{}])[0].get("value") or "")
    sign_in = users.find_sign_in(link.partition("signin=")[2])
    if sign_in is None:
        raise ChatMistake(f"The link of the sign-in card is not valid, or has expired: {link!r}.")
    code = users.confirm(sign_in)
    if by == "code":
        return {"type": "message", "text": code}
    if channel == TEAMS:
        return {"type": "invoke", "name": "signin/verifyState", "value": {"state": code}}
    users.redeem(sign_in.target, code)
    return {"type": "event", "name": "tokens/response", "value": users.token(sign_in.target)}


def _token_exchange(
    users: UserTokens, card: dict[str, Any], account: dict[str, Any]
) -> dict[str, Any]:
    resource = card.get("tokenExchangeResource")
    if not resource:
        raise ChatMistake("The sign-in card offers no single sign-on.")
    token = users.exchangeable_token(resource["uri"], account["id"], account["name"])
    connection = str(card.get("connectionName"))
    value = {"id": resource["id"], "connectionName": connection, "token": token}
    return {"type": "invoke", "name": "signin/tokenExchange", "value": value}
