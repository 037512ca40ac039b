"""The bot's own rules for its app settings: which names it reads, and what it refuses."""

from collections.abc import Mapping

from auth.errors import SettingsError
from auth.settings import CALLERS, TURNS, Settings
from bot_workbench.admin.doctor.parts.identities import CLIENT_ID, STORAGE_CLIENT_ID
from bot_workbench.admin.migrate.status.parts.app import settings_status
from bot_workbench.admin.plan.setting_names import STORAGE

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
    """What the rules refuse, by the setting's name, but for key vault references, whose values only
    the app sees.

    Args:
        values: the app settings.
    """
    references = settings_status(values).references
    try:
        Settings.from_environ({**values, **_IN_AZURE})
    except SettingsError as wrong:
        found = [problem.partition(": ") for problem in wrong.problems]
        return {name: text for name, _, text in found if name not in references}
    return {}
