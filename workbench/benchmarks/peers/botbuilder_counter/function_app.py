"""The counter bot in the Functions host, with BotBuilder's own blob storage."""

import logging
import os
from collections.abc import Mapping

from botbuilder.azure import BlobStorage, BlobStorageSettings
from botbuilder.core import (
    ActivityHandler,
    AutoSaveStateMiddleware,
    ConversationState,
    TurnContext,
)
from echo import ADAPTER  # type: ignore[import-not-found]  # linked from the echo bot's
from http_trigger import app_with  # type: ignore[import-not-found]  # likewise

LOG = logging.getLogger(__name__)


class CounterBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Replies with the number of messages in the conversation."""

    def __init__(self, conversation_state: ConversationState) -> None:
        super().__init__()
        self._count = conversation_state.create_property("count")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Count a message."""
        count = await self._count.get(turn_context, lambda: 0) + 1
        await self._count.set(turn_context, count)
        await turn_context.send_activity(f"{count} {turn_context.activity.text}")


async def on_error(context: TurnContext, error: Exception) -> None:
    """Apologize, as the samples do."""
    LOG.error("[on_turn_error] unhandled error: %s", error)
    await context.send_activity("The bot encountered an error or bug.")


def state_from(environ: Mapping[str, str]) -> ConversationState:
    """The conversations' state in blobs."""
    connection_string = environ["AzureWebJobsStorage"]
    settings = BlobStorageSettings("bot-state", connection_string=connection_string)
    return ConversationState(BlobStorage(settings))


state = state_from(os.environ)
ADAPTER.use(AutoSaveStateMiddleware([state]))
ADAPTER.on_turn_error = on_error
app = app_with(ADAPTER, CounterBot(state))
