"""AnswerBot: streams an answer, cites its sources, and asks what the answer was like."""

import asyncio
import json
from http import HTTPStatus
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    Entity,
    ErrorResponseException,
    InvokeResponse,
)

SOURCES = {
    "Opening hours": "The canteen opens at 11:30 and closes at 14:00.",
    "Menu": "Today there is soup; tomorrow there is salad.",
}
ANSWER = "The canteen opens at **11:30** [1], and today there is soup [2]."
PARTS = 2
PAUSE_SECONDS = 1.0
"""Teams takes one part a second."""


class AnswerBot(TeamsActivityHandler):
    """Answers each message in parts, as a language model would."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Answer, until the user presses Stop."""
        try:
            await self._stream(turn_context)
        except ErrorResponseException as error:
            # Teams refuses updates of a stream that the user has stopped.
            if error.response.status_code != HTTPStatus.FORBIDDEN:
                raise

    @staticmethod
    async def _stream(turn_context: TurnContext) -> None:
        """Say what the bot does, then more and more of the answer, then the whole."""
        started = await turn_context.send_activity(part("Reading the menu…", "informative", 1))
        # Only personal chats have streams; elsewhere Teams returns no id.
        stream = started.id if started else ""
        for sequence in range(PARTS):
            await asyncio.sleep(PAUSE_SECONDS)
            text = ANSWER[: (sequence + 1) * len(ANSWER) // (PARTS + 1)]
            await turn_context.send_activity(part(text, "streaming", sequence + 2, stream))
        await asyncio.sleep(PAUSE_SECONDS)
        await turn_context.send_activity(answer(ANSWER, stream))

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        """Take the user's feedback, which the SDK has no method for."""
        activity = turn_context.activity
        if activity.name != "message/submitAction":
            return await super().on_invoke_activity(turn_context)
        given: dict[str, Any] = activity.value["actionValue"]
        words = json.loads(given["feedback"])["feedbackText"]
        await turn_context.send_activity(f"Thank you for your {given['reaction']}: {words}")
        return InvokeResponse(status=200, body={})


def part(text: str, kind: str, sequence: int, stream: str = "") -> Activity:
    """A part of the stream; each has the whole text so far."""
    info = {"streamType": kind, "streamSequence": sequence}
    if stream:
        info["streamId"] = stream
    return Activity(type=ActivityTypes.typing, text=text, entities=[entity("streaminfo", info)])


def answer(text: str, stream: str) -> Activity:
    """The final message, with the label, the sources and the feedback buttons."""
    message = entity(
        "https://schema.org/Message",
        {
            "@type": "Message",
            "@context": "https://schema.org",
            "additionalType": ["AIGeneratedContent"],
            "usageInfo": {
                "@type": "CreativeWork",
                "name": "Internal",
                "description": "For employees only",
            },
            "citation": [
                claim(position, name, abstract)
                for position, (name, abstract) in enumerate(SOURCES.items(), 1)
            ],
        },
    )
    final = {"streamType": "final", "streamId": stream}
    return Activity(
        type=ActivityTypes.message,
        text=text,
        entities=[entity("streaminfo", final), message],
        channel_data={"feedbackLoop": {"type": "default"}},
    )


def claim(position: int, name: str, abstract: str) -> dict[str, Any]:
    """A source; its position stands in the text, as [1]."""
    appearance = {
        "@type": "DigitalDocument",
        "name": name,
        "abstract": abstract,
        "keywords": ["canteen"],
    }
    return {"@type": "Claim", "position": position, "appearance": appearance}


def entity(kind: str, properties: dict[str, Any]) -> Entity:
    """An entity with more than a type."""
    made = Entity(type=kind)
    made.additional_properties = properties
    return made
