"""Managed identities, through azure-mgmt-msi."""

import pytest
from azure.core.exceptions import HttpResponseError

from tests.emulator.resource_manager.arm_thread import ArmThread, Client, raised

BODY = {"location": "westeurope", "tags": {"for": "a bot"}}


def test_an_identity_is_created_read_listed_and_deleted(azure: ArmThread, client: Client) -> None:
    """It has ids of its own, which stay; the directory has its service principal."""
    identities = client("identities").user_assigned_identities
    made = identities.create_or_update("bot-group", "bot", BODY)
    assert made.tenant_id == azure.arm.tenant_id
    assert made.principal_id != made.client_id
    again = identities.create_or_update("bot-group", "bot", BODY)
    assert (again.principal_id, again.client_id) == (made.principal_id, made.client_id)
    assert identities.get("bot-group", "BOT").client_id == made.client_id
    assert [each.name for each in identities.list_by_resource_group("bot-group")] == ["bot"]
    principal = azure.entra.directory.service_principal(made.principal_id)
    assert principal is not None
    assert (principal.app_id, principal.resource_id) == (made.client_id, made.id)
    identities.delete("bot-group", "bot")
    assert list(identities.list_by_subscription()) == []


def test_its_id_has_resourcegroups_in_lower_case(azure: ArmThread, client: Client) -> None:
    """This provider writes the word so; clients that compare ids must ignore case."""
    made = client("identities").user_assigned_identities.create_or_update("bot-group", "bot", BODY)
    assert "/resourcegroups/bot-group/" in made.id
    assert (
        made.id.lower()
        == azure.resource_id("Microsoft.ManagedIdentity/userAssignedIdentities", "bot").lower()
    )


def test_an_identity_keeps_its_ids_after_a_patch(client: Client) -> None:
    """A PATCH of the tags replaces them and changes nothing else."""
    identities = client("identities").user_assigned_identities
    made = identities.create_or_update("bot-group", "bot", BODY)
    changed = identities.update("bot-group", "bot", {"tags": {"team": "bots"}})
    assert changed.tags == {"team": "bots"}
    assert changed.principal_id == made.principal_id


def test_writes_to_one_identity_can_be_throttled(azure: ArmThread, client: Client) -> None:
    """One write in four seconds to the same identity; other identities are not affected."""
    now = 1000.0
    throttle = azure.arm.tenant.identity_throttle
    throttle.clock = lambda: now
    throttle.size = 1
    identities = client("identities").user_assigned_identities
    identities.create_or_update("bot-group", "bot", BODY)
    identities.create_or_update("bot-group", "other", BODY)
    with pytest.raises(HttpResponseError) as caught:
        identities.create_or_update("bot-group", "bot", BODY)
    assert raised(caught.value)[0] == 429
    answer: object = caught.value.response
    assert getattr(answer, "headers", {})["Retry-After"] == "4"
    now += 4
    identities.create_or_update("bot-group", "bot", BODY)


def test_the_hook_is_called(azure: ArmThread, client: Client) -> None:
    """Creation and deletion are reported to whoever listens."""
    seen: list[bool] = []
    azure.arm.on_identity_change = lambda found: seen.append(found.id in azure.arm.resources)
    identities = client("identities").user_assigned_identities
    identities.create_or_update("bot-group", "bot", BODY)
    identities.delete("bot-group", "bot")
    assert seen == [True, False]
