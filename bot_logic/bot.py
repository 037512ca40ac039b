"""The bot: one method for each thing that can happen."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import ConversationState, MessageFactory, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import (
    AdaptiveCardInvokeResponse,
    AdaptiveCardInvokeValue,
    ChannelAccount,
)
from botbuilder.schema.teams import TeamInfo

from bot_logic import cards
from bot_logic.caller_facts import caller_facts
from bot_logic.sign_in import SignIn
from bot_logic.spoken_text import spoken_text

HELP = """You can say:

- **help**: this list
- **card**: an Adaptive Card with buttons
- **whoami**: what the channel tells me about you
- **count**: I count how often you have asked me to, in this conversation
- **wait**: I think for a while, and you see me typing
- **login**, **logout**: you sign in with your organization's account, and out again

Anything else I say back to you."""

GREETING = "Hello! I echo what you say. Say **help** to see what else I can do."

MAX_COMMAND_LENGTH = 20
"""Characters. Commands are shorter, so a text that is cut off here matches none."""

THINKING_TIME = 3.0
"""Seconds that the command `wait` takes."""


class Bot(TeamsActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """A small bot worth copying: it greets, echoes, counts, shows a card and says who you are.

    Args:
        conversation_state: what it remembers of each conversation, saved when a turn has ended.
    """

    def __init__(self, conversation_state: ConversationState) -> None:
        super().__init__()
        self._counter = conversation_state.create_property("counter")
        self._sign_in = SignIn()
        self._commands: dict[str, Callable[[TurnContext], Awaitable[None]]] = {
            "help": self._help,
            "card": self._card,
            "whoami": self._whoami,
            "count": self._count,
            "wait": self._wait,
            "login": self._sign_in.begin,
            "logout": self._sign_in.end,
        }

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        """Greet those who join, all with one message, but not the bot itself."""
        recipient = turn_context.activity.recipient
        bot_id = recipient.id if recipient else None
        if any(member.id != bot_id for member in members_added):
            await turn_context.send_activity(GREETING)

    async def on_teams_members_added_dispatch(
        self, members_added: list[ChannelAccount], team_info: TeamInfo, turn_context: TurnContext
    ) -> None:
        """The same in Teams: the SDK's own method first calls Teams for each member's details."""
        await self.on_members_added_activity(members_added, turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Run a command, take a card's answer, or say the message back."""
        text = spoken_text(turn_context.activity)
        command = self._commands.get(text[:MAX_COMMAND_LENGTH].lower())
        if command is not None:
            await command(turn_context)
            return
        if await self._sign_in.take_message(turn_context, text):
            return
        if text:
            await turn_context.send_activity(f"You said: {text}")
        elif isinstance(turn_context.activity.value, dict):
            await self._submitted(turn_context, turn_context.activity.value)
        else:
            await turn_context.send_activity("I got your message, but there is no text in it.")

    async def on_adaptive_card_invoke(
        self, turn_context: TurnContext, invoke_value: AdaptiveCardInvokeValue
    ) -> AdaptiveCardInvokeResponse:
        """Action.Execute: the answer is a card that takes the place of the first one."""
        # The SDK types `action` as a model, but passes the JSON object.
        color = _color(invoke_value.action.get("data"))
        return AdaptiveCardInvokeResponse(
            status_code=200, type=cards.CONTENT_TYPE, value=cards.done(color)
        )

    async def on_teams_signin_verify_state(self, turn_context: TurnContext) -> None:
        """The sign-in page's code, from every channel: the SDK's name says Teams only."""
        await self._sign_in.take_state(turn_context)

    async def on_teams_signin_token_exchange(self, turn_context: TurnContext) -> None:
        """Single sign-on, from every channel."""
        await self._sign_in.take_exchange(turn_context)

    async def on_token_response_event(self, turn_context: TurnContext) -> None:
        """The channel has signed the user in."""
        await self._sign_in.take_event(turn_context)

    async def _submitted(self, turn_context: TurnContext, value: dict[str, Any]) -> None:
        """Action.Submit: the answer is a message."""
        await turn_context.send_activity(f"You submitted: {_color(value)}")

    async def _help(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(HELP)

    async def _card(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(MessageFactory.attachment(cards.choice()))

    async def _whoami(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(caller_facts(turn_context.activity))

    async def _count(self, turn_context: TurnContext) -> None:
        # A factory: the SDK takes a default of 0 for none.
        count = await self._counter.get(turn_context, lambda: 0) + 1
        await self._counter.set(turn_context, count)
        await turn_context.send_activity(f"Count: {count}")

    async def _wait(self, turn_context: TurnContext) -> None:
        await asyncio.sleep(THINKING_TIME)
        await turn_context.send_activity("Done. Thank you for waiting.")


def _color(data: object) -> str:
    color = data.get(cards.COLOR) if isinstance(data, dict) else None
    return color if isinstance(color, str) and color else "nothing"
