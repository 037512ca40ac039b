"""The bot's own rules for its app settings: which names it reads, and what it refuses."""

from collections.abc import Mapping

from bot_workbench import app_process
from bot_workbench.admin.doctor.parts.identities import CLIENT_ID, STORAGE_CLIENT_ID
from bot_workbench.admin.migrate.status.parts.app import settings_status
from bot_workbench.admin.plan.setting_names import CALLERS, QUEUED, STORAGE, TURNS

VAULT_URL, CHANNEL_SERVICE = "CertificateVaultUrl", "ChannelService"

SETTING_NAMES = (
    "MicrosoftAppType",
    "MicrosoftAppId",
    "MicrosoftAppTenantId",
    "BotCredential",
    CLIENT_ID,
    VAULT_URL,
    "CertificateName",
    "CertificateThumbprint",
    "CertificatePath",
    "CertificateSendX5c",
    CHANNEL_SERVICE,
    "AllowedTenants",
    "AllowedServiceHosts",
    CALLERS,
    TURNS,
    STORAGE,
    f"{STORAGE}__accountName",
    f"{STORAGE}__credential",
    STORAGE_CLIENT_ID,
    f"{STORAGE}__blobServiceUri",
    f"{STORAGE}__queueServiceUri",
)
"""The settings whose names the bot reads exactly as they are written here, but for those that only
tests and private clouds need: an author's own may well be called `OAUTH_URL`."""

_IN_AZURE = {
    "WEBSITE_SITE_NAME": "app",
    "WEBSITE_INSTANCE_ID": "doctor",
    "AZURE_FUNCTIONS_ENVIRONMENT": "Production",
}


def refused(values: Mapping[str, str]) -> dict[str, str]:
    """The problems that the rules find, by the setting's name, but for key vault references, whose
    values only the app sees. The code of the app in this folder says it, in a process of its own.

    Args:
        values: the app settings.

    Raises:
        NoAppError: there is no app in this folder.
        SystemExit: its code cannot be imported.
    """
    references = settings_status(values).references
    problems = app_process.ask("settings", {**values, **_IN_AZURE})
    found = [problem.partition(": ") for problem in problems]
    return {name: text for name, _, text in found if name not in references}


def names_storage(values: Mapping[str, str]) -> bool:
    """Whether the bot reads a storage account in the app settings, correct or not."""
    services = ("accountName", "blobServiceUri", "queueServiceUri")
    names = (STORAGE, *(f"{STORAGE}__{each}" for each in services))
    return any(values.get(name, "").strip() for name in names)


def names_queued_turns(values: Mapping[str, str]) -> bool:
    """Whether the bot reads in the app settings that turns are queued."""
    return values.get(TURNS, "").strip().lower() == QUEUED.lower()
