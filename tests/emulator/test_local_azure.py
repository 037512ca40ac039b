"""The local Azure: unmodified clients find it by its environment, and sites answer for bots."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.identity import WorkloadIdentityCredential
from azure.mgmt.botservice import AzureBotService
from azure.mgmt.web import WebSiteManagementClient

from tests.support.azure.azure_thread import AzureThread


@pytest.fixture
def thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureThread]:
    """A local Azure without running code, which this process's clients reach."""
    with AzureThread(tmp_path) as thread:
        thread.set_environment(monkeypatch)
        yield thread


def test_the_pipeline_reads_the_bot_with_real_clients(thread: AzureThread) -> None:
    """azure-identity signs in with the pipeline's token; the management clients find the bot."""
    old = thread.call(thread.azure.add_old_bot)
    subscription = thread.azure.resource_manager.subscription_id
    with (
        WorkloadIdentityCredential() as credential,
        AzureBotService(credential, subscription) as bots,
        WebSiteManagementClient(credential, subscription) as sites,
    ):
        (bot,) = bots.bots.list()
        settings = sites.web_apps.list_application_settings("contoso-bots", "contoso-bot-web")
    assert bot.properties is not None
    assert bot.properties.msa_app_id == old.registration.app_id
    assert bot.properties.endpoint == "https://contoso-bot-web.azurewebsites.net/api/messages"
    assert (settings.properties or {})["MicrosoftAppPassword"]
    assert not thread.azure.proxy.refused
