"""The bot whose turns end as badly as a message says, as an AgentApplication."""

import asyncio
import os
import time
from pathlib import Path

from microsoft_agents.hosting.core import AgentApplication, TurnContext, TurnState

from cloud_adapter.bot.services import BotServices

JOURNAL = "TurnJournal"
"""As in the other bot, whose steps this one takes."""

COUNTER = "ConversationState.counter"


def create_bot(services: BotServices) -> AgentApplication[TurnState]:
    """The bot."""
    app = AgentApplication[TurnState](**services.agent_options)
    path = Path(services.settings[JOURNAL])

    @app.activity("message")  # type: ignore[untyped-decorator]  # untyped SDK
    async def obey(context: TurnContext, state: TurnState) -> None:
        with path.open("a") as journal:  # noqa: ASYNC230  # a line
            journal.write(f"{time.time()} {os.getpid()} {context.activity.id}\n")
        for step in context.activity.text.split(", "):
            match step.split():
                case ["wait", seconds]:
                    await asyncio.sleep(float(seconds))
                case ["block", seconds]:
                    time.sleep(float(seconds))  # noqa: ASYNC251  # the fault that is asked for
                case ["exit"]:
                    os._exit(1)
        counted = state.get_value(COUNTER, lambda: 0) + 1
        state.set_value(COUNTER, counted)
        await context.send_activity(f"Count: {counted}")

    return app
