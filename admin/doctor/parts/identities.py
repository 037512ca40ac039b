"""The user-assigned identities of the app: which one does what, and whether it still exists."""

from collections.abc import Mapping, Sequence

from admin.azure.arm_client import ArmClient
from admin.migrate.setting_names import setting
from admin.migrate.steps.assigned_identity import AppIdentity
from auth.settings import USER_ASSIGNED_MSI

CLIENT_ID = "AZURE_CLIENT_ID"
STORAGE_CLIENT_ID = "AzureWebJobsStorage__clientId"


def with_client_id(assigned: Sequence[AppIdentity], client_id: str) -> AppIdentity | None:
    """The identity with a client id (GUID in any case); None: none of these has it."""
    wanted = client_id.strip().lower()
    return next((one for one in assigned if one.client_id.lower() == wanted), None)


def identity_of(assigned: Sequence[AppIdentity], settings: Mapping[str, str]) -> AppIdentity | None:
    """The identity that the bot is, or that reaches what proves the bot; None if that is not clear.

    Args:
        assigned: the app's.
        settings: the app's.
    """
    is_bot = setting(settings, "MicrosoftAppType").lower() == USER_ASSIGNED_MSI.lower()
    names = ("MicrosoftAppId",) if is_bot else (CLIENT_ID, STORAGE_CLIENT_ID)
    for name in names:
        if found := with_client_id(assigned, setting(settings, name)):
            return found
    return assigned[0] if len(assigned) == 1 else None


def read_identities(arm: ArmClient, assigned: Sequence[AppIdentity]) -> dict[str, str]:
    """The client ids (GUID) of the identities' own resources, by id in lower case; empty: it was
    deleted.

    Raises:
        AzureProblem: they cannot be read.
    """
    found = {one.id.lower(): arm.find(one.id) for one in assigned}
    return {key: str(one["properties"]["clientId"]) if one else "" for key, one in found.items()}
