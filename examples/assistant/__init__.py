"""An assistant: streams a language model's answers, and signs in to the model without a key."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from openai import AsyncOpenAI

from cloud_adapter.bot.services import BotServices

from .bot import AssistantBot
from .documents import Documents
from .model import Model

AUDIENCE = "https://cognitiveservices.azure.com"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def create_bot(services: BotServices) -> AssistantBot:
    """The bot. Two app settings of its own name the model.

    Raises:
        ValueError: a setting is missing, or the endpoint could leak the bot's token.
    """
    settings = services.settings
    endpoint = setting(settings, "AzureOpenAIEndpoint").rstrip("/")
    deployment = setting(settings, "AzureOpenAIDeployment")
    url = urlsplit(endpoint)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
        raise ValueError("AzureOpenAIEndpoint must begin with https://, because it gets a token")
    get_token: Callable[[], Awaitable[str]] = functools.partial(services.token, AUDIENCE)
    if settings.get("AZURE_FUNCTIONS_ENVIRONMENT") == "Development" and url.scheme == "https":
        get_token = token_of_the_developer()
    client = AsyncOpenAI(base_url=f"{endpoint}/openai/v1/", api_key=get_token)
    documents = Documents(Path(__file__).parent / "documents")
    return AssistantBot(services.conversation_state, Model(client, deployment), documents)


def setting(settings: Mapping[str, str], name: str) -> str:
    """An app setting.

    Raises:
        ValueError: it is missing.
    """
    if not (value := settings.get(name, "").strip()):
        raise ValueError(f"The app setting {name} is missing")
    return value


def token_of_the_developer() -> Callable[[], Awaitable[str]]:
    """The tokens of whoever has run `az login`; the local cloud's are of no use to a real model."""
    from azure.identity.aio import AzureCliCredential, get_bearer_token_provider

    return get_bearer_token_provider(AzureCliCredential(), f"{AUDIENCE}/.default")
