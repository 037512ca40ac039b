"""VaultMode: whether the template creates the vault, or recovers a deleted one of the same name."""

from collections.abc import Iterator

from admin.azure.arm_client import ArmClient
from admin.azure.json_object import JsonObject
from admin.deployment.options import DeploymentOptions
from admin.deployment.prepare.region import normalized
from admin.deployment.resource_list import list_if_registered

NEW, RECOVER = "default", "recover"
"""The values of the template's parameter `vaultCreateMode`."""


class VaultMode:
    """What the template must do with the vault.

    A deleted vault keeps its name for 7 days, and purge protection forbids to free it: a new one of
    this name can only be recovered. Microsoft reference: "Azure Key Vault soft-delete overview".

    Args:
        arm: the client.
        options: name the environment.
        location: the region, which is part of what the vault's name is made from.
    """

    def __init__(self, arm: ArmClient, options: DeploymentOptions, location: str) -> None:
        self._arm = arm
        self._options = options
        self._location = normalized(location)

    def needed(self) -> str:
        """RECOVER if a vault of this environment is deleted, else NEW.

        Raises:
            AzureProblem: the deleted vaults cannot be listed.
        """
        return RECOVER if any(self._here()) else NEW

    def _here(self) -> Iterator[JsonObject]:
        for each in deleted_vaults(self._arm, self._options):
            if normalized(str(each["properties"].get("location") or "")) == self._location:
                yield each


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
