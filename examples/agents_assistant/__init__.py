"""An assistant, as an application of the Microsoft 365 Agents SDK: it signs in to its model."""

import functools

from microsoft_agents.hosting.core import AgentApplication, TurnState
from openai import AsyncOpenAI

from cloud_adapter.bot.services import BotServices

from .assistant import CHUNK_SECONDS, Assistant

AUDIENCE = "https://cognitiveservices.azure.com"


def create_bot(services: BotServices) -> AgentApplication[TurnState]:
    """The application. Two app settings name the model.

    Raises:
        KeyError: one of them is missing.
    """
    client = AsyncOpenAI(
        base_url=f"{services.settings['AzureOpenAIEndpoint'].rstrip('/')}/openai/v1/",
        api_key=functools.partial(services.token, AUDIENCE),
        timeout=CHUNK_SECONDS,
    )
    assistant = Assistant(client, services.settings["AzureOpenAIDeployment"])
    app = AgentApplication[TurnState](**services.agent_options)
    app.message()(assistant.answer)
    app.invoke("message/submitAction")(assistant.store_feedback)
    return app
