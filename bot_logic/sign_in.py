"""SignIn: signs users in with the bot's OAuth connection, and out again.

The users' tokens stay in the Bot Framework token service. Get a token where you need one, as
`SignIn` does: `await user_tokens(turn_context).get_user_token(...)`.

The answers to invokes are those of botbuilder's OAuthPrompt.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any
from weakref import WeakValueDictionary

from botbuilder.core import InvokeResponse, MessageFactory, TurnContext
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ErrorResponseException,
    TokenExchangeInvokeResponse,
)
from botframework.connector.auth import UserTokenClient
from botframework.connector.token_api.models import TokenExchangeRequest

from bot_logic import cards

CONNECTION = "bot-sign-in"
"""The name of the OAuth connection, as it is set in the Azure Bot resource."""

SIGNED_IN = f"You are signed in with **{CONNECTION}**."
SIGNED_OUT = f"You are signed out of **{CONNECTION}**."
INVALID_CODE = "That code is not valid, or has expired. Say **login** to get a new one."
UNKNOWN_USER = "I cannot do that: the channel does not tell me who you are."
UNKNOWN_CONNECTION = (
    f"I cannot do that: the token service does not know the connection **{CONNECTION}**. "
    "My administrator can add it in Azure, to the bot's OAuth connection settings."
)
NO_SIGN_IN = "Users cannot sign in here, because I run without authentication."

MAX_EXCHANGES = 1000
"""The number of token exchanges that are remembered, so that none is repeated."""

CANCELLED = "CancelledByUser"
"""The text that Teams sends instead of a code if the user has closed the window."""

_REFUSALS = {
    # The token service's statuses if it does not know the connection, or has no token.
    HTTPStatus.BAD_REQUEST: UNKNOWN_CONNECTION,
    HTTPStatus.NOT_FOUND: UNKNOWN_CONNECTION,
    # The base's, in tools such as the Agents Playground that run the bot without authentication.
    HTTPStatus.NOT_IMPLEMENTED: NO_SIGN_IN,
}
_CODE = re.compile("[0-9]{6}")

log = logging.getLogger(__name__)

Exchange = tuple[Any, ...]
"""The user, the channel, and the exchange's id."""


class _Refused(Exception):
    """The token service refuses the request, or the user is unknown; the text is for the user."""


def user_tokens(context: TurnContext) -> UserTokenClient:
    """The turn's client for the token service."""
    return context.turn_state[UserTokenClient.__name__]


class SignIn:
    """Signs users in with a card and a code or by single sign-on, and signs them out."""

    def __init__(self) -> None:
        self._done: dict[Exchange, None] = {}
        self._locks: WeakValueDictionary[Exchange, asyncio.Lock] = WeakValueDictionary()

    async def sign_in(self, context: TurnContext) -> None:
        """Send the card with the sign-in button, unless the user is signed in already."""
        client = user_tokens(context)
        try:
            if await _answer_of(client.get_user_token(*_token_key(context), None)):
                await context.send_activity(SIGNED_IN)
                return
            resource = client.get_sign_in_resource(CONNECTION, context.activity, None)
            card = cards.sign_in(CONNECTION, await _answer_of(resource))
            await context.send_activity(MessageFactory.attachment(card))
        except _Refused as refusal:
            await context.send_activity(str(refusal))

    async def sign_out(self, context: TurnContext) -> None:
        """Delete the user's token."""
        try:
            await _answer_of(user_tokens(context).sign_out_user(*_token_key(context)))
            await context.send_activity(SIGNED_OUT)
        except _Refused as refusal:
            await context.send_activity(str(refusal))

    async def redeem_message(self, context: TurnContext, text: str) -> bool:
        """Redeem a message of six digits as a code from the sign-in page.

        Returns:
            Whether the message was such a code, and the user is signed in now.
        """
        if not (_CODE.fullmatch(text) and await _has_token(context, text)):
            return False
        await context.send_activity(SIGNED_IN)
        return True

    async def on_verify_state(self, context: TurnContext) -> None:
        """Handle the invoke `signin/verifyState`: redeem the code from the sign-in page."""
        value = context.activity.value
        code = _string(value.get("state")) if isinstance(value, dict) else ""
        if code == CANCELLED:
            return
        if code and await _has_token(context, code):
            await context.send_activity(SIGNED_IN)
            return
        await context.send_activity(INVALID_CODE)
        await _respond(context, HTTPStatus.NOT_FOUND)

    async def on_token_response(self, context: TurnContext) -> None:
        """Handle the event `tokens/response`: the channel has signed the user in.

        Anybody in the conversation can send an event, so the token service is asked for the token.
        """
        if await _has_token(context, None):
            await context.send_activity(SIGNED_IN)

    async def on_token_exchange(self, context: TurnContext) -> None:
        """Handle the invoke `signin/tokenExchange`: the channel offers a token for single sign-on.

        Teams sends an invoke for each of the user's devices. The first token is exchanged, and the
        other invokes get the same answer. Exchanges are remembered only in this process: another
        instance would exchange the token again, and send the user another message.
        """
        value = context.activity.value
        offer = value if isinstance(value, dict) else {}
        exchange_id, token = _string(offer.get("id")), _string(offer.get("token"))
        answer = TokenExchangeInvokeResponse(id=exchange_id, connection_name=CONNECTION)
        if not (exchange_id and token):
            answer.failure_detail = "The invoke has no id, or no token."
            await _respond(context, HTTPStatus.BAD_REQUEST, answer)
        elif offer.get("connectionName") != CONNECTION:
            answer.failure_detail = f"The bot's connection is {CONNECTION}."
            await _respond(context, HTTPStatus.BAD_REQUEST, answer)
        elif await self._exchange_once(context, exchange_id, token):
            await _respond(context, HTTPStatus.OK, answer)
        else:
            answer.failure_detail = "The token cannot be exchanged: the user must use the card."
            await _respond(context, HTTPStatus.PRECONDITION_FAILED, answer)

    async def _exchange_once(self, context: TurnContext, exchange_id: str, token: str) -> bool:
        exchange = (_user_id(context), context.activity.channel_id, exchange_id)
        async with self._locks.setdefault(exchange, asyncio.Lock()):
            if exchange in self._done:
                return True
            if not await _exchange(context, token):
                return False
            self._done[exchange] = None
            if len(self._done) > MAX_EXCHANGES:
                del self._done[next(iter(self._done))]
        await context.send_activity(SIGNED_IN)
        return True


async def _has_token(context: TurnContext, code: str | None) -> bool:
    client = user_tokens(context)
    try:
        return await _answer_of(client.get_user_token(*_token_key(context), code)) is not None
    except _Refused:
        return False


async def _exchange(context: TurnContext, token: str) -> bool:
    request = TokenExchangeRequest(token=token)
    try:
        answer = await user_tokens(context).exchange_token(*_token_key(context), request)
    except (ErrorResponseException, _Refused) as error:
        # The reason does not matter: the channel shows the card, and the user can still sign in.
        log.warning("No single sign-on with %s: %s", CONNECTION, error)
        return False
    return bool(answer.token)


async def _answer_of(call: Awaitable[Any]) -> Any:
    """The token service's answer.

    Raises:
        _Refused: it does not know the connection or the token, or cannot be called.
    """
    try:
        return await call
    except ErrorResponseException as error:
        text = _REFUSALS.get(error.response.status_code)
        if text is None:
            raise
        log.warning("No sign-in with the connection %s: %s", CONNECTION, error)
        raise _Refused(text) from error


async def _respond(context: TurnContext, status: HTTPStatus, body: object = None) -> None:
    response = InvokeResponse(status=status, body=body)
    await context.send_activity(Activity(type=ActivityTypes.invoke_response, value=response))


def _token_key(context: TurnContext) -> tuple[str, str, Any]:
    """The user, the connection and the channel that the token service stores a token for.

    Raises:
        _Refused: the channel does not say who the user is.
    """
    user_id = _user_id(context)
    if not user_id:
        raise _Refused(UNKNOWN_USER)
    return user_id, CONNECTION, context.activity.channel_id


def _user_id(context: TurnContext) -> str:
    return getattr(context.activity.from_property, "id", None) or ""


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
