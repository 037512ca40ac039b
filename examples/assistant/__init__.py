"""An assistant: streams the answers of a language model, to which it signs in without a key."""

import functools
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from openai import AsyncOpenAI

from cloud_adapter.bot.services import BotServices

from .bot import AssistantBot
from .documents import Documents

AUDIENCE = "https://cognitiveservices.azure.com"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def create_bot(services: BotServices) -> AssistantBot:
    """The bot. Two app settings name the model.

    Raises:
        ValueError: a setting is missing, or the endpoint must not get a token.
    """
    endpoint = services.settings.get("AzureOpenAIEndpoint", "").strip().rstrip("/")
    deployment = services.settings.get("AzureOpenAIDeployment", "").strip()
    if not endpoint:
        raise ValueError("The setting AzureOpenAIEndpoint is missing")
    if not deployment:
        raise ValueError("The setting AzureOpenAIDeployment is missing")
    url = urlsplit(endpoint)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
        raise ValueError("The setting AzureOpenAIEndpoint must begin with https://")
    client = AsyncOpenAI(
        base_url=f"{endpoint}/openai/v1/", api_key=token_source(services, endpoint)
    )
    documents = Documents(Path(__file__).parent / "documents")
    return AssistantBot(services.conversation_state, client, deployment, documents)


def token_source(services: BotServices, endpoint: str) -> Callable[[], Awaitable[str]]:
    """Returns a token for each request: the bot's, or on your machine that of `az login`.

    The local cloud's tokens are good for its own stand-in only, which has no https.
    """
    is_development = services.settings.get("AZURE_FUNCTIONS_ENVIRONMENT") == "Development"
    if not is_development or endpoint.startswith("http:"):
        return functools.partial(services.token, AUDIENCE)
    from azure.identity.aio import AzureCliCredential, get_bearer_token_provider

    return get_bearer_token_provider(AzureCliCredential(), f"{AUDIENCE}/.default")
