"""The bot: one method for each kind of activity, and one for each command."""

import asyncio
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

- **help**: show this list
- **card**: show an Adaptive Card with buttons
- **whoami**: show what the channel tells me about you
- **count**: count how often you have said so in this conversation
- **wait**: think for a while, and show that I am typing
- **login**, **logout**: sign in with your organization's account, or sign out

I echo anything else."""

GREETING = "Hello! I echo what you say. Say **help** to see what else I can do."

MAX_COMMAND_LENGTH = 20
"""The characters of a text that are compared with commands. All commands are shorter, so a longer
text matches none."""


class Bot(TeamsActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """A sample bot: it greets, echoes, counts, shows a card, and tells users who they are.

    Args:
        conversation_state: stores the bot's data for each conversation; saved when a turn ends.
        wait_seconds: how long the command `wait` takes.

    Attributes:
        commands: the method for each word that is a command.
    """

    def __init__(self, conversation_state: ConversationState, wait_seconds: float = 3.0) -> None:
        super().__init__()
        self._counter = conversation_state.create_property("counter")
        self._wait_seconds = wait_seconds
        self._sign_in = SignIn()
        self.commands = {
            "help": self._help,
            "card": self._card,
            "whoami": self._whoami,
            "count": self._count,
            "wait": self._wait,
            "login": self._sign_in.sign_in,
            "logout": self._sign_in.sign_out,
        }

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        """Greet all users who join with one message. The bot itself is not greeted."""
        bot = turn_context.activity.recipient
        bot_id = bot.id if bot else None
        if any(member.id != bot_id for member in members_added):
            await turn_context.send_activity(GREETING)

    async def on_teams_members_added_dispatch(
        self, members_added: list[ChannelAccount], team_info: TeamInfo, turn_context: TurnContext
    ) -> None:
        """Do the same in Teams. The SDK's own method would first request each member's details."""
        await self.on_members_added_activity(members_added, turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Run a command, redeem a sign-in code, handle a card's input, or echo the message."""
        text = spoken_text(turn_context.activity)
        command = self.commands.get(text[:MAX_COMMAND_LENGTH].lower())
        if command is not None:
            await command(turn_context)
        elif await self._sign_in.redeem_message(turn_context, text):
            return
        elif text:
            await turn_context.send_activity(f"You said: {text}")
        elif isinstance(turn_context.activity.value, dict):  # Action.Submit
            color = _picked_color(turn_context.activity.value)
            await turn_context.send_activity(f"You submitted: {color}")
        else:
            await turn_context.send_activity("I got your message, but there is no text in it.")

    async def on_adaptive_card_invoke(
        self, turn_context: TurnContext, invoke_value: AdaptiveCardInvokeValue
    ) -> AdaptiveCardInvokeResponse:
        """Handle Action.Execute: return a card that replaces the one with the button."""
        # The SDK types `action` as a model, but passes the JSON object.
        color = _picked_color(invoke_value.action.get("data"))
        return AdaptiveCardInvokeResponse(
            status_code=200, type=cards.CONTENT_TYPE, value=cards.thank_you(color)
        )

    async def on_teams_signin_verify_state(self, turn_context: TurnContext) -> None:
        """Handle the sign-in page's code. Despite its name, this is called for every channel."""
        await self._sign_in.on_verify_state(turn_context)

    async def on_teams_signin_token_exchange(self, turn_context: TurnContext) -> None:
        """Handle single sign-on. Despite its name, this is called for every channel."""
        await self._sign_in.on_token_exchange(turn_context)

    async def on_token_response_event(self, turn_context: TurnContext) -> None:
        """Handle the event that the channel sends once it has signed the user in."""
        await self._sign_in.on_token_response(turn_context)

    async def _help(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(HELP)

    async def _card(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(MessageFactory.attachment(cards.pick_a_color()))

    async def _whoami(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(caller_facts(turn_context.activity))

    async def _count(self, turn_context: TurnContext) -> None:
        # A factory, because the SDK treats 0 as a missing default.
        count = await self._counter.get(turn_context, lambda: 0) + 1
        await self._counter.set(turn_context, count)
        await turn_context.send_activity(f"Count: {count}")

    async def _wait(self, turn_context: TurnContext) -> None:
        await asyncio.sleep(self._wait_seconds)
        await turn_context.send_activity("Done. Thank you for waiting.")


def _picked_color(data: Any) -> str:
    color = data.get(cards.COLOR) if isinstance(data, dict) else None
    return color if isinstance(color, str) and color else "nothing"
