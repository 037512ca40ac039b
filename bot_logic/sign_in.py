"""SignIn: users sign in to the bot's OAuth connection, and out of it.

The users' tokens stay in the Bot Framework token service. Ask for one where you need it:
`await user_tokens(turn_context).get_user_token(...)`, as `SignIn` does.

Rules: the answers to invokes are those of botbuilder's OAuthPrompt.
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
"""The name of the OAuth connection: in Azure a setting of the bot resource."""

SIGNED_IN = f"You are signed in with **{CONNECTION}**."
SIGNED_OUT = f"You are signed out of **{CONNECTION}**."
INVALID_CODE = "That code is not valid, or no longer. Say **login** to get another one."
UNKNOWN_USER = "I cannot do that: the channel does not tell me who you are."
UNKNOWN_CONNECTION = (
    f"I cannot do that: the token service does not know the connection **{CONNECTION}**. "
    "Whoever runs me can add it in Azure, to my bot's OAuth connection settings."
)

CANCELLED = "CancelledByUser"
"""What Teams sends for a code when the user has closed the window."""

MOST_REMEMBERED = 1000
"""Exchanges that are known to be done."""

# What the token service answers when it does not know the connection, or knows no token.
_REFUSALS = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
_CODE = re.compile("[0-9]{6}")

log = logging.getLogger(__name__)

Exchange = tuple[Any, ...]
"""The user, the channel, and the exchange's id."""


class _Refused(Exception):
    """The token service refuses the question, or cannot be asked; the text is for the user."""


def user_tokens(context: TurnContext) -> UserTokenClient:
    """The turn's client of the token service."""
    return context.turn_state[UserTokenClient.__name__]


class SignIn:
    """What the bot says and answers while users sign in and out."""

    def __init__(self) -> None:
        self._done: dict[Exchange, None] = {}
        self._under_way: WeakValueDictionary[Exchange, asyncio.Lock] = WeakValueDictionary()

    async def begin(self, context: TurnContext) -> None:
        """Show the card with the button, unless the user is signed in already."""
        client = user_tokens(context)
        try:
            if await _asked(client.get_user_token(*_place(context), None)):
                await context.send_activity(SIGNED_IN)
                return
            resource = client.get_sign_in_resource(CONNECTION, context.activity, None)
            card = cards.sign_in(CONNECTION, await _asked(resource))
            await context.send_activity(MessageFactory.attachment(card))
        except _Refused as refusal:
            await context.send_activity(str(refusal))

    async def end(self, context: TurnContext) -> None:
        """Have the user's token forgotten."""
        try:
            await _asked(user_tokens(context).sign_out_user(*_place(context)))
            await context.send_activity(SIGNED_OUT)
        except _Refused as refusal:
            await context.send_activity(str(refusal))

    async def take_message(self, context: TurnContext, text: str) -> bool:
        """Take six digits for the code that the sign-in page showed; False: they are none."""
        if not (_CODE.fullmatch(text) and await _has_token(context, text)):
            return False
        await context.send_activity(SIGNED_IN)
        return True

    async def take_state(self, context: TurnContext) -> None:
        """The invoke `signin/verifyState`: the channel brings the code of the sign-in page."""
        value = context.activity.value
        code = _text(value.get("state")) if isinstance(value, dict) else ""
        if code == CANCELLED:
            return
        if code and await _has_token(context, code):
            await context.send_activity(SIGNED_IN)
            return
        await context.send_activity(INVALID_CODE)
        await _answer(context, HTTPStatus.NOT_FOUND)

    async def take_event(self, context: TurnContext) -> None:
        """The event `tokens/response`: the channel has signed the user in.

        Whoever may write in the conversation can send an event, so the token service is asked.
        """
        if await _has_token(context, None):
            await context.send_activity(SIGNED_IN)

    async def take_exchange(self, context: TurnContext) -> None:
        """The invoke `signin/tokenExchange`: the channel offers a token for single sign-on.

        Teams sends one for each of the user's devices: the first is exchanged, and the others get
        the same answer. The memory is this process's: on another instance it is exchanged, and
        told, again.
        """
        value = context.activity.value
        offer = value if isinstance(value, dict) else {}
        exchange_id, token = _text(offer.get("id")), _text(offer.get("token"))
        answer = TokenExchangeInvokeResponse(id=exchange_id, connection_name=CONNECTION)
        if not (exchange_id and token):
            answer.failure_detail = "The invoke has no id, or no token."
            await _answer(context, HTTPStatus.BAD_REQUEST, answer)
        elif offer.get("connectionName") != CONNECTION:
            answer.failure_detail = f"The bot's connection is {CONNECTION}."
            await _answer(context, HTTPStatus.BAD_REQUEST, answer)
        elif await self._exchanged(context, exchange_id, token):
            await _answer(context, HTTPStatus.OK, answer)
        else:
            answer.failure_detail = "The token cannot be exchanged: the user signs in by the card."
            await _answer(context, HTTPStatus.PRECONDITION_FAILED, answer)

    async def _exchanged(self, context: TurnContext, exchange_id: str, token: str) -> bool:
        exchange = (_user_id(context), context.activity.channel_id, exchange_id)
        lock = self._under_way.setdefault(exchange, asyncio.Lock())
        async with lock:
            if exchange in self._done:
                return True
            if not await _exchange(context, token):
                return False
            self._remember(exchange)
        await context.send_activity(SIGNED_IN)
        return True

    def _remember(self, exchange: Exchange) -> None:
        self._done[exchange] = None
        if len(self._done) > MOST_REMEMBERED:
            del self._done[next(iter(self._done))]


async def _has_token(context: TurnContext, code: str | None) -> bool:
    try:
        answer = await _asked(user_tokens(context).get_user_token(*_place(context), code))
    except _Refused:
        return False
    return answer is not None


async def _exchange(context: TurnContext, token: str) -> bool:
    offered = TokenExchangeRequest(token=token)
    try:
        answer = await user_tokens(context).exchange_token(*_place(context), offered)
    except (ErrorResponseException, _Refused) as error:
        # Whatever the reason, the channel then shows the card: the user can still sign in.
        log.warning("No single sign-on with %s: %s", CONNECTION, error)
        return False
    return bool(answer.token)


async def _asked(question: Awaitable[Any]) -> Any:
    """The token service's answer.

    Raises:
        _Refused: it does not know what it is asked for.
    """
    try:
        return await question
    except ErrorResponseException as error:
        if error.response.status_code in _REFUSALS:
            log.warning("The token service refuses the connection %s: %s", CONNECTION, error)
            raise _Refused(UNKNOWN_CONNECTION) from error
        raise


async def _answer(context: TurnContext, status: HTTPStatus, body: object = None) -> None:
    response = InvokeResponse(status=status, body=body)
    await context.send_activity(Activity(type=ActivityTypes.invoke_response, value=response))


def _place(context: TurnContext) -> tuple[str, str, Any]:
    """Where the user's token belongs.

    Raises:
        _Refused: the channel does not say who the user is.
    """
    user_id = _user_id(context)
    if not user_id:
        raise _Refused(UNKNOWN_USER)
    return user_id, CONNECTION, context.activity.channel_id


def _user_id(context: TurnContext) -> str:
    return getattr(context.activity.from_property, "id", None) or ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
