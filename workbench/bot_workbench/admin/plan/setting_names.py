"""Names of app settings, compared without regard to case, as Windows and .NET compare them."""

from collections.abc import Mapping

from bot_workbench.admin.azure.resources import host_of
from bot_workbench.credential_kinds import KINDS, CredentialKind

CALLERS = "AllowedCallers"
STORAGE = "AzureWebJobsStorage"
TURNS = "BotTurns"

QUEUED = "Queued"
"""A value of TURNS."""


def same_name(one: str, other: str) -> bool:
    """Whether two names are one setting's."""
    return one.lower() == other.lower()


def setting(settings: Mapping[str, str], name: str) -> str:
    """The value of a setting, however its name is written; empty if it is not set.

    Args:
        settings: of an app.
        name: of the setting.
    """
    if name in settings:
        return settings[name]
    return next((value for found, value in settings.items() if same_name(found, name)), "")


def credential_kind(settings: Mapping[str, str]) -> CredentialKind | None:
    """The credential that BotCredential names, in any case; None: it names none.

    Args:
        settings: of an app.
    """
    named = setting(settings, "BotCredential").strip().lower()
    return next((kind for kind in KINDS.values() if kind.name.lower() == named), None)


def storage_account(settings: Mapping[str, str]) -> str:
    """The name of the storage account that an app uses with an identity; empty: it names none.

    The Functions host completes an account's name with the public cloud's domain, so in other
    clouds the settings have the URL of its blobs.

    Args:
        settings: of the app.
    """
    url = setting(settings, f"{STORAGE}__blobServiceUri")
    return setting(settings, f"{STORAGE}__accountName") or host_of(url).partition(".")[0]
