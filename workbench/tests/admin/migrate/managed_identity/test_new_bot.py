"""What the new bot of `managed-identity` gets from the old bot, and which identity it becomes."""

import os
from dataclasses import replace

import pytest

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.cloud import CHINA, PUBLIC
from bot_workbench.admin.azure.sign_in import credential_chain
from bot_workbench.admin.migrate.managed_identity.command import plan
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.target import Target
from bot_workbench.emulator.resource_manager.resource import JsonObject
from bot_workbench.emulator.resource_manager.resource_type import Subscription
from bot_workbench.emulator.seeds import ResourceGroup
from tests.admin.migrate.managed_identity.test_managed_identity import (
    COMMAND,
    FAST,
    NEW_BOT,
    new_bot,
    settings,
)
from tests.admin.migrate.migration import APP, BOT, Migration

IDENTITY = "contoso-identity"
WITH_IDENTITY = (*COMMAND, *FAST, "--identity", IDENTITY)


def other_group(migration: Migration, name: str, identity: str = IDENTITY) -> JsonObject:
    """Create an identity in another group."""
    manager = migration.thread.azure.resource_manager
    group = migration.thread.call(ResourceGroup, manager, name)
    return migration.thread.call(group.identity, identity)


def test_who_may_reach_it(migration: Migration) -> None:
    """The new bot is in the old one's region, and not reachable by more."""
    old = migration.bot()
    migration.thread.call(old.body.update, {"location": "westeurope"})
    closed = {"publicNetworkAccess": "Disabled", "disableLocalAuth": True}
    migration.thread.call(old.properties.update, {**closed, "isCmekEnabled": True})
    ended = migration.run(*COMMAND, "--dry-run")
    assert "--location westeurope" in ended.output
    assert "az resource update" in ended.output
    assert "--set properties.disableLocalAuth=true" in ended.output
    ended = migration.run(*COMMAND, *FAST)
    assert ended.status == 0, ended.output + ended.errors
    made = new_bot(migration)
    assert made is not None
    assert made.body["location"] == "westeurope"
    assert made.properties.items() >= closed.items()
    assert "encrypted with your own key" in ended.output


def test_the_way_back(migration: Migration) -> None:
    """It deletes the new bot where it is, if its tag says that it was made for this one, and the
    tag of the old one."""
    ended = migration.run(*COMMAND, *FAST)
    made = new_bot(migration)
    assert made is not None
    group = migration.thread.azure.group
    subscription = group.manager.subscription_id
    place = f"--subscription {subscription} --resource-group {group.name} --name {NEW_BOT}"
    assert ended.json["wayBack"] == (
        f'test "$(az bot show {place} --query tags.replaces --output tsv)" ='
        f" {migration.old.registration.app_id} && az bot delete {place} && az tag update"
        f" --resource-id {migration.old.bot.id} --operation Delete --tags replacedBy={NEW_BOT}"
    )


def test_the_tenant_is_the_identitys(migration: Migration) -> None:
    """Whoever runs the command may be of another tenant."""
    group = migration.thread.azure.group
    found = group.manager.resources.find(migration.new.identity["id"])
    assert found is not None
    tenant = "77777777-2222-3333-4444-555555555555"
    migration.thread.call(found.properties.update, {"tenantId": tenant})
    ended = migration.run(*COMMAND, *FAST, "--dry-run")
    assert ended.status == 0, ended.output + ended.errors
    bodies = [
        change["body"]["properties"]
        for step in ended.json["steps"]
        for change in step["changes"]
        if step["title"] in {"App settings", "The new Azure Bot"}
    ]
    assert [each.get("MicrosoftAppTenantId") or each["msaAppTenantId"] for each in bodies] == [
        tenant,
        tenant,
    ]


def test_the_channels_of_the_cloud(migration: Migration) -> None:
    """An app in another cloud gets that cloud's ChannelService."""
    assert migration.endpoint
    cloud = replace(PUBLIC, channel_service=CHINA.channel_service)
    with AzureClients(cloud, credential_chain(os.environ, PUBLIC.authority)) as azure:
        target = Target(azure, Options("managed-identity", BOT, APP))
        steps = plan(target, NEW_BOT, "", None, None).steps
        (step,) = [each for each in steps if each.title == "App settings"]
        (change,) = step.look().changes
    assert change.body is not None
    assert change.body["properties"]["ChannelService"] == "https://botframework.azure.cn"


def test_the_identity_of_the_apps_own_group_comes_first(migration: Migration) -> None:
    """One of the same name elsewhere may be for tests."""
    own = migration.thread.call(migration.thread.azure.group.identity, IDENTITY)
    other_group(migration, "contoso-other")
    ended = migration.run(*WITH_IDENTITY)
    assert ended.status == 0, ended.output + ended.errors
    assert settings(migration)["MicrosoftAppId"] == own["clientId"]


def test_an_identity_of_another_subscription_is_not_taken(migration: Migration) -> None:
    """It is not given to this app because of its name."""
    manager = migration.thread.azure.resource_manager
    test = Subscription(name="Contoso test")
    migration.thread.call(manager.tenant.subscriptions.append, test)
    group = f"/subscriptions/{test.id}/resourceGroups/contoso-test"
    migration.thread.call(manager.put, group, {"location": "westeurope"})
    path = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{IDENTITY}"
    other = migration.thread.call(manager.put, path, {"location": "westeurope"})
    ended = migration.run(*WITH_IDENTITY)
    assert ended.status == 0, ended.output + ended.errors
    assert settings(migration)["MicrosoftAppId"] != other.properties["clientId"]


def test_an_identity_and_an_app_can_be_named_by_their_ids(migration: Migration) -> None:
    """If several have the name, the refusal lists the ids to give instead."""
    other_group(migration, "contoso-one")
    chosen = other_group(migration, "contoso-two")
    ended = migration.run(*WITH_IDENTITY)
    assert ended.status == 2
    assert f"give the id {chosen['id']}" in ended.json["reason"]
    words = ["--identity", chosen["id"], "--app", migration.new.site.id]
    ended = migration.run(*COMMAND, *FAST, *words)
    assert ended.status == 0, ended.output + ended.errors
    assert settings(migration)["MicrosoftAppId"] == chosen["clientId"]


@pytest.mark.parametrize("cut", ["/providers/", "/userAssignedIdentities/"])
def test_an_id_of_something_else(migration: Migration, cut: str) -> None:
    """It is no identity."""
    words = ["--identity", migration.new.identity["id"].split(cut)[0]]
    ended = migration.run(*COMMAND, *FAST, *words)
    assert ended.status == 2
    assert "is not the id of a resource of type managed identity" in ended.json["reason"]
