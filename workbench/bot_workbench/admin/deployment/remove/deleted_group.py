"""DeletedGroup: the resource group is gone, so nothing uses what is left of the deployment."""

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding


class DeletedGroup:
    """The environment's resource group does not exist any more.

    Args:
        arm: the client.
        options: name the environment.
    """

    title = "Resource group"

    def __init__(self, arm: ArmClient, options: DeploymentOptions) -> None:
        self._arm = arm
        self._options = options

    def look(self) -> Finding:
        """Read the group.

        Raises:
            AzureProblem: it cannot be read.
        """
        name = f"rg-{self._options.environment}"
        if self._arm.find(self._options.group) is None:
            return Finding(f"the resource group {name} is deleted")
        where = f"--name {quoted(name)} --subscription {self._options.subscription}"
        command = "azd down" if self._options.azd else f"az group delete {where}"
        text = f"the resource group {name} still exists"
        return Finding(text, refusal=f"{text}: delete it first (`{command}`)")
