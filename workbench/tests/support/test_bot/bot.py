"""ObedientBot: does in a turn what a message says, so that a test can choose it."""

import asyncio

from botbuilder.core import (
    ActivityHandler,
    CardFactory,
    ConversationState,
    MessageFactory,
    TurnContext,
)
from botbuilder.schema import (
    AdaptiveCardInvokeResponse,
    AdaptiveCardInvokeValue,
    ChannelAccount,
)
from botframework.connector.auth import UserTokenClient

GREETING = "Welcome!"

CONNECTION = "bot-sign-in"
"""The OAuth connection that the local cloud has."""

ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"

CARD = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [{"type": "TextBlock", "text": "Press a button"}],
    "actions": [
        {"type": "Action.Submit", "title": "Submit", "data": {"color": "blue"}},
        {"type": "Action.Execute", "title": "Execute", "verb": "paint", "data": {"color": "blue"}},
    ],
}


class ObedientBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Greets, obeys the words below, and echoes anything else.

    - `count`: says how often the conversation has said so.
    - `card`: shows a card; says what it submits, and replaces it when it is executed.
    - `think SECONDS`: is at work for so long.
    - `fail`: says `Attempt`, and raises ValueError.
    - `sign in`: says the link of the sign-in page.
    - `token`, `token CODE`: says whether the token service has a token, or has one for the code.

    Args:
        conversation_state: has the count, in the property `counter`.
    """

    def __init__(self, conversation_state: ConversationState) -> None:
        self._counter = conversation_state.create_property("counter")

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        """Greet the users."""
        recipient = turn_context.activity.recipient
        if any(not recipient or member.id != recipient.id for member in members_added):
            await turn_context.send_activity(GREETING)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Do what the text says."""
        await turn_context.send_activity(await self._reply(turn_context))

    async def on_adaptive_card_invoke(
        self, turn_context: TurnContext, invoke_value: AdaptiveCardInvokeValue
    ) -> AdaptiveCardInvokeResponse:
        """Answer with a card that has the data of the executed one."""
        text = f"You executed: {invoke_value.action.get('data')}"
        card = CARD | {"body": [{"type": "TextBlock", "text": text}], "actions": []}
        return AdaptiveCardInvokeResponse(status_code=200, type=ADAPTIVE_CARD, value=card)

    async def _reply(self, turn_context: TurnContext) -> object:
        text = turn_context.activity.text or ""
        match text[:30].split():  # no word is longer
            case ["count"]:
                count = await self._counter.get(turn_context, lambda: 0) + 1
                await self._counter.set(turn_context, count)
                return f"Count: {count}"
            case ["card"]:
                return MessageFactory.attachment(CardFactory.adaptive_card(CARD))
            case ["think", seconds]:
                await asyncio.sleep(float(seconds))
                return "Done."
            case ["fail"]:
                await turn_context.send_activity("Attempt")
                raise ValueError("as asked")
            case ["sign", "in"]:
                client = turn_context.turn_state[UserTokenClient.__name__]
                activity = turn_context.activity
                return (await client.get_sign_in_resource(CONNECTION, activity, None)).sign_in_link
            case ["token", *code]:
                return await _token(turn_context, *code)
            case [] if turn_context.activity.value is not None:
                return f"You submitted: {turn_context.activity.value}"
        return f"You said: {text}"


async def _token(turn_context: TurnContext, code: str | None = None) -> str:
    client = turn_context.turn_state[UserTokenClient.__name__]
    activity = turn_context.activity
    user_id, channel_id = activity.from_property.id, activity.channel_id
    token = await client.get_user_token(user_id, CONNECTION, channel_id, code)
    return "There is a token." if token else "There is no token."
