"""The counter bot of the Microsoft 365 Agents SDK for Python, with the SDK's own blob storage."""

import functools
import os
from collections.abc import Mapping
from typing import Any

from microsoft_agents.authentication.msal import MsalAuth
from microsoft_agents.hosting.core import (
    AgentApplication,
    ConnectionManager,
    TurnContext,
    TurnState,
)
from microsoft_agents.storage.blob import BlobStorage, BlobStorageConfig

from benchmarks.peers.agents.server import app_with, identity_settings, use_channel_keys
from benchmarks.peers.own_host import serve


def counter_agent(
    connection_string: str, connections: ConnectionManager, configuration: Mapping[str, Any]
) -> Any:
    """An agent that replies with the number of messages in the conversation."""
    storage = BlobStorage(BlobStorageConfig("bot-state", connection_string=connection_string))
    agent = AgentApplication[TurnState](
        storage=storage, connection_manager=connections, **configuration
    )

    async def on_message(context: TurnContext, state: TurnState) -> None:
        count = state.get_value("ConversationState.count", lambda: 0) + 1
        state.set_value("ConversationState.count", count)
        await context.send_activity(f"{count} {context.activity.text}")

    async def on_error(context: TurnContext, _: Exception) -> None:
        await context.send_activity("The bot encountered an error or bug.")

    agent.activity("message")(on_message)
    agent.error(on_error)
    return agent


def main(environ: Mapping[str, str]) -> None:
    """Serve until SIGTERM."""
    use_channel_keys(environ["ToBotFromChannelOpenIdMetadataUrl"])
    settings = identity_settings(environ)
    create_agent = functools.partial(counter_agent, environ["AzureWebJobsStorage"])
    serve(app_with(settings, MsalAuth, environ["OAuthUrl"], create_agent))


if __name__ == "__main__":
    main(os.environ)
