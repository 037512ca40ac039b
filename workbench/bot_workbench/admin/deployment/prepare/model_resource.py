"""ModelResource: the Azure OpenAI resource on which the template gives the bot a role."""

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.errors import Forbidden
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.parameters import OPENAI_RESOURCE_ID
from bot_workbench.admin.plan.step import Finding


class ModelResource:
    """The chosen resource exists.

    Otherwise the template would fail after it has made other resources. Whether the account may
    assign roles there is not asked: it is not asked for the bot's own group either.

    Args:
        arm: the client.
        options: say how values are set.
        resource_id: of the Azure OpenAI or Microsoft Foundry resource.
    """

    title = "Azure OpenAI resource"

    def __init__(self, arm: ArmClient, options: DeploymentOptions, resource_id: str) -> None:
        self._arm = arm
        self._options = options
        self._id = resource_id

    def look(self) -> Finding:
        """Read the resource.

        Raises:
            AzureProblem: it cannot be read.
        """
        try:
            found = self._arm.find(self._id)
        except Forbidden as error:
            cure = (
                "Your account needs Owner, or Contributor together with Role Based Access Control"
                f" Administrator, on the resource group of {self._id}."
            )
            raise Forbidden(error.answer, cure, needs_role=True) from error
        if found is not None:
            return Finding(f"the bot will be allowed to call the models of {found['name']}")
        text = f"there is no resource {self._id}"
        choose = self._options.to_choose(OPENAI_RESOURCE_ID, OPENAI_RESOURCE_ID.example)
        return Finding(
            text,
            refusal=f"{text}: choose one of those that `az cognitiveservices account list --query"
            f' "[].id" --output tsv` shows ({choose})',
        )
