"""Sites of a local Azure that runs their code in processes."""

from collections.abc import Iterator

import pytest

from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.seeds import OldBot, PreparedFunctionApp
from tests.support.azure.azure_thread import AzureThread

FUNCTIONS = "contoso-functions"


@pytest.fixture(scope="module")
def thread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureThread]:
    """The local Azure, shared by the tests of a file."""
    with AzureThread(tmp_path_factory.mktemp("azure"), in_processes=True) as thread:
        yield thread


@pytest.fixture(scope="module")
def old(thread: AzureThread) -> OldBot:
    """A bot with a secret, which serves."""
    old = thread.call(thread.azure.add_old_bot)
    thread.settle(old.site.name)
    return old


@pytest.fixture(scope="module")
def functions(thread: AzureThread, old: OldBot) -> PreparedFunctionApp:
    """A Function App that signs in as the same bot, with a federated credential."""
    app: PreparedFunctionApp = thread.call(thread.azure.add_function_app, FUNCTIONS)
    issuer = thread.azure.entra.authority.issuer(thread.azure.directory.tenant_id)
    trusted = TrustedSubject(issuer, app.identity["principalId"])
    old.registration.federated_credentials.append(trusted)
    settings = thread.azure.resource_manager.app_settings(app.site.id) | {
        "MicrosoftAppType": "SingleTenant",
        "MicrosoftAppId": old.registration.app_id,
        "MicrosoftAppTenantId": old.registration.tenant_id,
        "BotCredential": "Federated",
        "AZURE_CLIENT_ID": app.identity["clientId"],
    }
    thread.call(thread.azure.group.set_app_settings, app.site, settings)
    thread.settle(FUNCTIONS)
    return app
