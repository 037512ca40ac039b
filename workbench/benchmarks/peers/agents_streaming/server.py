"""The streaming bot of the Microsoft 365 Agents SDK for Python, with its StreamingResponse."""

import os
from collections.abc import Mapping
from typing import Any

from microsoft_agents.authentication.msal import MsalAuth
from microsoft_agents.hosting.core import (
    AgentApplication,
    ConnectionManager,
    MemoryStorage,
    TurnContext,
    TurnState,
)

from benchmarks.peers.agents.server import app_with, identity_settings, use_channel_keys
from benchmarks.peers.own_host import serve
from benchmarks.streams.model import answer


def streaming_agent(connections: ConnectionManager, configuration: Mapping[str, Any]) -> Any:
    """An agent that streams an answer of as many seconds as the message says."""
    agent = AgentApplication[TurnState](
        storage=MemoryStorage(), connection_manager=connections, **configuration
    )

    async def on_message(context: TurnContext, _: TurnState) -> None:
        stream = context.streaming_response
        async for chunk in answer(float(context.activity.text)):
            stream.queue_text_chunk(chunk)
        await stream.end_stream()

    agent.activity("message")(on_message)
    return agent


def main(environ: Mapping[str, str]) -> None:
    """Serve until SIGTERM."""
    use_channel_keys(environ["ToBotFromChannelOpenIdMetadataUrl"])
    serve(app_with(identity_settings(environ), MsalAuth, environ["OAuthUrl"], streaming_agent))


if __name__ == "__main__":
    main(os.environ)
