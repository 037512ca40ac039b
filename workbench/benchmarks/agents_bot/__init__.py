"""The benchmark's bot of the Microsoft 365 Agents SDK: one application, whatever hosts it.

In the place of bot_logic it runs on this project; the peers import it. Only what a host hands to
the application differs: its connections, its storage and its adapter.
"""

import os
from typing import Any

from microsoft_agents.activity import load_configuration_from_env
from microsoft_agents.authentication.msal import MsalConnectionManager
from microsoft_agents.hosting.core import (
    AgentApplication,
    MemoryStorage,
    TurnContext,
    TurnState,
)

_PATHS = {"conversation": "ConversationState.count", "user": "UserState.count"}


def agent(**parts: Any) -> Any:
    """The application, with these arguments of AgentApplication.

    BENCH_COUNTS says what it counts for, as in `counter_bot`; it echoes if that is nothing.
    """
    counts = os.environ["BENCH_COUNTS"].split()
    application = AgentApplication[TurnState](**parts)

    async def on_message(context: TurnContext, state: TurnState) -> None:
        found = [_increment(state, _PATHS[name]) for name in counts]
        prefix = found[0] if found else "You said:"
        await context.send_activity(f"{prefix} {context.activity.text}")

    async def on_error(context: TurnContext, _: Exception) -> None:
        await context.send_activity("The bot encountered an error or bug.")

    application.activity("message")(on_message)
    application.error(on_error)
    return application


def _increment(state: TurnState, path: str) -> int:
    value: int = state.get_value(path, lambda: 0) + 1
    state.set_value(path, value)
    return value


def create_bot(services: object) -> Any:  # noqa: ARG001  # as the base calls it
    """The application, on this project."""
    configuration = load_configuration_from_env(os.environ)
    return agent(
        storage=MemoryStorage(),
        connection_manager=MsalConnectionManager(**configuration),
        **configuration,
    )
