"""What the workbench has in tables of its own is what the base has in its."""

import dataclasses

import pytest

import auth.clouds
import auth.credential_kinds
import auth.settings
import composition
from bot_workbench import credential_kinds
from bot_workbench.admin.azure import cloud
from bot_workbench.admin.azure.cloud import ManagementCloud
from bot_workbench.admin.doctor.setting_rules import names_queued_turns, names_storage
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import POISON, QUEUES
from bot_workbench.admin.plan import settings
from bot_workbench.commands import package
from bot_workbench.credential_kinds import FEDERATED, MANAGED_IDENTITY, MULTI_TENANT
from bot_workbench.emulator.recorder import queue_steps
from cloud_adapter.proactive import notifications
from cloud_adapter.queued import queued_turns

SETTINGS = (
    {},
    *({"BotTurns": each} for each in ("Queued", " qUEUED\n", "Inline", "queue", "")),
    {"botturns": "Queued"},
    {"BotTurns ": "Queued"},
    *(
        {name: value}
        for value in ("x", " ", "")
        for name in (
            "AzureWebJobsStorage",
            "azurewebjobsstorage",
            "AzureWebJobsStorage__accountName",
            "AzureWebJobsStorage__accountname",
            "AzureWebJobsStorage__blobServiceUri",
            "AzureWebJobsStorage__queueServiceUri",
            "AzureWebJobsStorage__tableServiceUri",
            "AzureWebJobsStorage__credential",
            "AzureWebJobsStorage__clientId",
        )
    ),
)


def test_credentials() -> None:
    """The same, in the same order, and each with the same values."""
    ours, theirs = credential_kinds.KINDS, auth.credential_kinds.KINDS
    assert list(ours) == list(theirs)
    public = [each.name for each in dataclasses.fields(credential_kinds.CredentialKind)]
    for name, kind in ours.items():
        for field in (*public, "has_certificate", "loads_key"):
            assert getattr(kind, field) == getattr(theirs[name], field), (name, field)
    assert credential_kinds.WITH_CERTIFICATE == auth.credential_kinds.WITH_CERTIFICATE


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (credential_kinds, auth.credential_kinds),
        (settings, auth.settings),
    ],
)
def test_names(ours: object, theirs: object) -> None:
    """Those of types, credentials, operations and settings."""
    names = {name: text for name, text in vars(ours).items() if name.isupper()}
    found = {name: text for name, text in names.items() if isinstance(text, str)}
    assert found
    assert found == {name: getattr(theirs, name) for name in found}


def test_one_pair_is_refused() -> None:
    """`deployment prepare` knows why, for this one."""
    refused = {
        (kind.name, app_type)
        for kind in auth.credential_kinds.KINDS.values()
        for app_type in (auth.credential_kinds.SINGLE_TENANT, MULTI_TENANT)
        if app_type in kind.refused and kind.name != MANAGED_IDENTITY
    }
    assert refused == {(FEDERATED, MULTI_TENANT)}


def test_clouds() -> None:
    """The app must find the same cloud as the command."""
    ours = {each.channel_service: each for each in cloud.CLOUDS.values()}
    assert list(ours) == list(auth.clouds.CLOUDS)
    assert set(cloud.CLOUDS_BY_PARAMETER.values()) == set(cloud.CLOUDS.values())
    for name, theirs in auth.clouds.CLOUDS.items():
        assert addresses(ours[name]) == (
            theirs.authority_host,
            theirs.federation_audience,
            theirs.channel_audience,
            theirs.token_service_url,
        )


def test_names_of_queues_and_files() -> None:
    """The doctor counts the bot's messages; and the bot reads which package it is."""
    turns, poison = queued_turns.QUEUE, queued_turns.POISON_QUEUE
    assert (turns, notifications.QUEUE) == QUEUES
    assert poison == f"{turns}{POISON}"
    assert (turns, poison) == (queue_steps.TURNS, queue_steps.POISON)
    assert package.PACKAGE_HASH == composition.PACKAGE_HASH


def addresses(of: ManagementCloud) -> tuple[str, ...]:
    """The addresses that the app calls, too."""
    token_service = f"https://{of.token_domain}"
    return (of.authority, of.federation_audience, of.channel_audience, token_service)


@pytest.mark.parametrize("values", SETTINGS, ids=str)
def test_what_settings_name(values: dict[str, str]) -> None:
    """The doctor reads them as the bot does, white space and case included."""
    assert names_storage(values) == auth.settings.names_storage(values)
    assert names_queued_turns(values) == auth.settings.names_queued_turns(values)


def test_each_parameter_names_its_cloud() -> None:
    """The values of BOT_CLOUD, and the clouds by their names in `az cloud list`."""
    assert {name: each.name for name, each in cloud.CLOUDS_BY_PARAMETER.items()} == {
        "Public": "AzureCloud",
        "USGovernment": "AzureUSGovernment",
        "China": "AzureChinaCloud",
    }
