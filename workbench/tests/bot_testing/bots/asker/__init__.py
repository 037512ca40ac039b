"""A bot that asks a language model."""

from openai import AsyncOpenAI

from cloud_adapter.bot.services import BotServices

from .bot import AskerBot


def create_bot(services: BotServices) -> AskerBot:
    """The bot."""

    async def token() -> str:
        return await services.token("https://cognitiveservices.azure.com")

    url = f"{services.settings['AzureOpenAIEndpoint']}/openai/v1/"
    client = AsyncOpenAI(base_url=url, api_key=token, max_retries=0)
    return AskerBot(client, services.settings["AzureOpenAIDeployment"])
