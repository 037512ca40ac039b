"""The identities of the app: which one does what, and whether it still exists."""

from collections.abc import Mapping, Sequence

from bot_workbench.admin.azure.arm_client import IDENTITY, ArmClient
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId, resources_beside
from bot_workbench.admin.migrate.steps.assigned_identity import AppIdentity, identities_of
from bot_workbench.admin.plan.setting_names import (
    STORAGE,
    credential_kind,
    setting,
    storage_account,
)
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

AUTHENTICATION = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"
CLIENT_ID = "AZURE_CLIENT_ID"
STORAGE_CLIENT_ID = "AzureWebJobsStorage__clientId"


def with_client_id(assigned: Sequence[AppIdentity], client_id: str) -> AppIdentity | None:
    """The identity with a client id (GUID in any case); None: none of these has it."""
    wanted = client_id.strip().lower()
    return next((one for one in assigned if one.client_id.lower() == wanted), None)


def identity_of(site: JsonObject, settings: Mapping[str, str]) -> AppIdentity | None:
    """The identity that the bot is, or that reaches what proves the bot; None if that is not clear.
    If the settings name none, it is the system-assigned one (docs/settings.md, `AZURE_CLIENT_ID`).

    Args:
        site: the app.
        settings: the app's.
    """
    is_bot = setting(settings, "MicrosoftAppType").lower() == USER_ASSIGNED_MSI.lower()
    names = ("MicrosoftAppId",) if is_bot else (CLIENT_ID, STORAGE_CLIENT_ID)
    given = [value for name in names if (value := setting(settings, name))]
    assigned = identities_of(site)
    for client_id in given:
        if found := with_client_id(assigned, client_id):
            return found
    if not assigned and not given:
        return system_identity(site)
    return assigned[0] if len(assigned) == 1 else None


def storage_identities(
    site: JsonObject, identity: AppIdentity | None, settings: Mapping[str, str]
) -> list[AppIdentity]:
    """The identities that reach the storage account: the host's, and the bot's.

    Without a client id of its own, the host takes the app's system-assigned identity (Azure
    Functions docs, "Connecting to host storage with an identity"), and the bot AZURE_CLIENT_ID.

    Args:
        site: the app.
        identity: the one that the bot works with; None: that is not clear.
        settings: the app's.
    """
    assigned = identities_of(site)
    if named := setting(settings, STORAGE_CLIENT_ID):
        found = with_client_id(assigned, named)
        return [found] if found else []
    found = with_client_id(assigned, setting(settings, CLIENT_ID)) or identity
    return list(dict.fromkeys(one for one in (found, system_identity(site)) if one))


def system_identity(site: JsonObject) -> AppIdentity | None:
    """The system-assigned identity of an app; None: it has none."""
    principal = (site.get("identity") or {}).get("principalId")
    return AppIdentity("system-assigned", str(principal), "") if principal else None


def lacks_client_id(site: JsonObject, settings: Mapping[str, str], name: str) -> bool:
    """Whether the app signs in with its system-assigned identity, because a setting that would name
    another one is not set, and it has none.

    Args:
        site: the app.
        settings: the app's.
        name: CLIENT_ID, with which the bot reaches its key vault, or STORAGE_CLIENT_ID, with which
            the host reaches its storage account (as in `storage_identities`).
    """
    if setting(settings, name).strip() or system_identity(site):
        return False
    if name == STORAGE_CLIENT_ID:
        is_named = setting(settings, f"{STORAGE}__credential").strip() and storage_account(settings)
        return bool(is_named) and not setting(settings, STORAGE)
    kind = credential_kind(settings)
    return bool(kind and kind.has_certificate and setting(settings, "CertificateVaultUrl"))


def telemetry_identity(site: JsonObject, authentication: str) -> AppIdentity | None:
    """The identity with which the app writes telemetry; None: none, or none of the app's.

    Microsoft reference: "APPLICATIONINSIGHTS_AUTHENTICATION_STRING".

    Args:
        site: the app.
        authentication: the setting's value, such as "Authorization=AAD;ClientId=GUID".
    """
    pairs = dict(pair.partition("=")[::2] for pair in authentication.split(";"))
    named = {name.strip().lower(): value.strip() for name, value in pairs.items()}
    if named.get("authorization", "").lower() != "aad":
        return None
    if client_id := named.get("clientid"):
        return with_client_id(identities_of(site), client_id)
    return system_identity(site)


def read_identities(
    arm: ArmClient, assigned: Sequence[AppIdentity], app: ResourceId
) -> dict[str, str]:
    """The client ids (GUID) of the identities' own resources, by id in lower case; empty: it was
    deleted. If the app has none, those of the identities in its group, one of which may be its own.

    Raises:
        AzureProblem: they cannot be read.
    """
    ids = [one.id for one in assigned]
    if not ids:
        ids = [one.id for one in resources_beside(arm, IDENTITY, app)]
    found = {each.lower(): arm.find(each) for each in ids}
    return {key: str(one["properties"]["clientId"]) if one else "" for key, one in found.items()}
