"""AnswerBot: streams an answer, cites its sources, and asks what the answer was like."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from botbuilder.core import CardFactory, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import ActionTypes, CardAction, HeroCard, InvokeResponse

from cloud_adapter.reply import Reply

SOURCES = {
    "Opening hours": "The canteen opens at 11:30 and closes at 14:00.",
    "Menu": "Today there is soup; tomorrow there is salad.",
}
ANSWER = "The canteen opens at **11:30** [1], and today there is soup [2]."
FIRST_WORD_SECONDS, PAUSE_SECONDS = 2.0, 0.25
TAG = ("Internal", "For employees only")
FOLLOW_UP = HeroCard(
    text="What else would you like to know?",
    buttons=[CardAction(type=ActionTypes.im_back, title="And tomorrow?", value="And tomorrow?")],
)


class AnswerBot(TeamsActivityHandler):
    """Answers each message."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Answer, while the user watches, until the model ends or the user presses Stop."""
        async with Reply(turn_context, ai_label=True, sensitivity=TAG, feedback="default") as reply:
            reply.update("Reading the menu…")
            await reply.stream(model(turn_context.activity.text))
            for name, abstract in SOURCES.items():
                reply.cite(name, abstract, keywords=["canteen"])
            reply.attach(CardFactory.hero_card(FOLLOW_UP))

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        """Take the user's feedback, which the SDK has no method for."""
        activity = turn_context.activity
        if activity.name != "message/submitAction":
            return await super().on_invoke_activity(turn_context)
        given: dict[str, Any] = activity.value["actionValue"]
        words = json.loads(given["feedback"])["feedbackText"]
        await turn_context.send_activity(f"Thank you for your {given['reaction']}: {words}")
        return InvokeResponse(status=200, body={})


async def model(question: str) -> AsyncIterator[str]:
    """Stands for a language model, which thinks, and then writes a few characters at a time."""
    del question  # it has one answer to everything
    await asyncio.sleep(FIRST_WORD_SECONDS)
    for start in range(0, len(ANSWER), 5):
        await asyncio.sleep(PAUSE_SECONDS)
        yield ANSWER[start : start + 5]
