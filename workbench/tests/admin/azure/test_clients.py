"""AzureClients: what differs between the clients of a command."""

import pytest

from bot_workbench.admin.azure.clients import SITE_RETRIES, AzureClients
from bot_workbench.admin.azure.cloud import PUBLIC
from bot_workbench.admin.azure.errors import AzureProblem
from bot_workbench.admin.azure.retries import MAX_RETRIES
from tests.admin.azure.scripted_service import Answer, ScriptedService
from tests.admin.moved_clock import MovedClock


def test_an_app_is_asked_less_often(service: ScriptedService, clock: MovedClock) -> None:
    """A step asks a broken app again anyway; Azure's own services get more attempts."""
    assert SITE_RETRIES < MAX_RETRIES
    service.answers += [Answer(500)] * (1 + MAX_RETRIES)
    with AzureClients(PUBLIC, clock=clock) as azure, pytest.raises(AzureProblem):
        azure.site.get(f"{service.url}/api/identity")
    assert len(service.asked) == 1 + SITE_RETRIES
