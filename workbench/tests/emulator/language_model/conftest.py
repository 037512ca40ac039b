"""Fixtures of the tests of the language model: one, and the client of the OpenAI library."""

from collections.abc import AsyncIterator, Callable

import pytest
from openai import AsyncOpenAI

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.language_model.language_model import LanguageModel
from tests.emulator.registered_bot import MANAGED_IDENTITY, PRINCIPAL, TENANT

Token = Callable[[str], str]


@pytest.fixture(scope="module")
def entra(authority: CertificateAuthority) -> Entra:
    """It only signs here."""
    return Entra(
        Registration(MANAGED_IDENTITY, TENANT, "UserAssignedMSI"), authority.server_context()
    )


@pytest.fixture
def token(entra: Entra) -> Token:
    """Makes the bot's token for an audience."""

    def made(audience: str) -> str:
        return entra.app_token(audience, MANAGED_IDENTITY, PRINCIPAL, tenant_id=TENANT)[0]

    return made


@pytest.fixture
async def model(entra: Entra) -> AsyncIterator[LanguageModel]:
    """The model, which is running."""
    model = LanguageModel(entra)
    async with model.server:
        yield model


@pytest.fixture
async def client(model: LanguageModel, token: Token) -> AsyncIterator[AsyncOpenAI]:
    """The unmodified client, which tries once."""
    url = f"{model.settings()['AzureOpenAIEndpoint']}/openai/v1/"
    key = token("https://cognitiveservices.azure.com")
    async with AsyncOpenAI(base_url=url, api_key=key, max_retries=0) as client:
        yield client
