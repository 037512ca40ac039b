"""A second deployment that would change the bot's app id: Azure refuses it, and the bot goes on."""

import uuid
from pathlib import Path

import pytest

from tests.support.azd.resource_client import ResourceClient
from tests.support.azure.azure_thread import AzureThread
from tests.support.bicep.deployment import Deployment
from tests.support.bicep.functions import Scope
from tests.support.project import ROOT


def deploy(thread: AzureThread, **parameters: str) -> None:
    """Deploy the template into the local Azure."""
    azure = thread.azure
    scope = Scope(azure.resource_manager.subscription_id, azure.directory.tenant_id)
    given = {"environmentName": "contoso-bot", "location": "westeurope", **parameters}
    send = ResourceClient(thread).send
    Deployment(ROOT / "infra" / "main.bicep", given, scope, send).run()


def test_app_keeps_its_settings(tmp_path: Path) -> None:
    """The Azure Bot is asked before the app gets new settings, which would stop the bot."""
    with AzureThread(tmp_path) as thread:
        manager = thread.azure.resource_manager
        deploy(thread)
        (site,) = manager.resources.of_type("Microsoft.Web/sites")
        before = dict(manager.app_settings(site.id))
        with pytest.raises(AssertionError, match=r"botServices.*400"):
            deploy(thread, credential="Federated", botAppId=str(uuid.uuid4()))
        assert manager.app_settings(site.id) == before
        assert before["BotCredential"] == "ManagedIdentity"


def test_second_deployment_changes_nothing(tmp_path: Path) -> None:
    """Deploying again gives the same app the same settings, and makes nothing twice."""
    with AzureThread(tmp_path) as thread:
        manager = thread.azure.resource_manager
        deploy(thread)
        (site,) = manager.resources.of_type("Microsoft.Web/sites")
        settings = dict(manager.app_settings(site.id))
        roles = list(manager.resources.of_type("Microsoft.Authorization/roleAssignments"))
        deploy(thread)
        assert manager.app_settings(site.id) == settings
        assert list(manager.resources.of_type("Microsoft.Authorization/roleAssignments")) == roles
