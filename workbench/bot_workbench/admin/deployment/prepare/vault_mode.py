"""Whether the template creates the vault, or recovers a deleted one of the same name."""

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.deployment.azd import stored
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.prepare.region import normalized
from bot_workbench.admin.deployment.resource_list import list_if_registered
from bot_workbench.admin.deployment.stored_values import TemplateValue

VARIABLE = "BOT_VAULT_CREATE_MODE"
NEW, RECOVER = "default", "recover"
"""The values of the template's parameter `vaultCreateMode`."""


def vault_mode(
    arm: ArmClient, options: DeploymentOptions, location: str, *, is_used: bool
) -> list[TemplateValue]:
    """The template's mode for the vault: one value, or none if it does not matter.

    A deleted vault keeps its name for 7 days, and purge protection forbids to free it: a new one of
    this name can only be recovered. Microsoft reference: "Azure Key Vault soft-delete overview".

    Args:
        arm: the client.
        options: name the environment.
        location: the region, which is part of what the vault's name is made from.
        is_used: whether the credential has a vault. If not, only what azd has left from one that
            had is set back.
    """
    if not is_used and not (options.azd and stored(VARIABLE) == RECOVER):
        return []
    here = normalized(location)

    def needed() -> str:
        found = deleted_vaults(arm, options) if is_used else []
        places = {normalized(str(each["properties"].get("location") or "")) for each in found}
        return RECOVER if here in places else NEW

    return [TemplateValue(VARIABLE, "vaultCreateMode", needed, default=NEW)]


def deleted_vaults(arm: ArmClient, options: DeploymentOptions) -> list[JsonObject]:
    """The deleted vaults of an environment, as Resource Manager lists them.

    Args:
        arm: the client.
        options: name the environment.

    Raises:
        AzureProblem: they cannot be listed.
    """
    path = f"/subscriptions/{options.subscription}/providers/Microsoft.KeyVault/deletedVaults"
    vaults = f"{options.group}/".lower()
    return [
        each
        for each in list_if_registered(arm, path) or ()
        if str(each["properties"].get("vaultId") or "").lower().startswith(vaults)
    ]
