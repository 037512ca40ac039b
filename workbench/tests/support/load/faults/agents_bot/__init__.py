"""The counting bot, as an AgentApplication."""

import time
from pathlib import Path

from microsoft_agents.hosting.core import AgentApplication, TurnContext, TurnState

from cloud_adapter.bot.services import BotServices

JOURNAL = "StateJournal"
"""As in the other bot."""

COUNTER = "ConversationState.counter"


def create_bot(services: BotServices) -> AgentApplication[TurnState]:
    """The bot. The SDK reads its state before its code runs, so that `got` follows `asked`."""
    services.typing_indicator = False
    app = AgentApplication[TurnState](**services.agent_options)
    path = Path(services.settings[JOURNAL])

    @app.activity("message")  # type: ignore[untyped-decorator]  # untyped SDK
    async def count(context: TurnContext, state: TurnState) -> None:
        with path.open("a") as journal:  # noqa: ASYNC230  # a line
            for event in ("asked", "got"):
                journal.write(f"{event} {context.activity.id} {time.time()}\n")
        counted = state.get_value(COUNTER, lambda: 0) + 1
        state.set_value(COUNTER, counted)
        await context.send_activity(f"Count: {counted}")

    return app
