"""DeletedRole: the bot's role on an Azure OpenAI resource, which is in another group, is gone."""

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.errors import NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Finding

ROLE, ROLE_ID = "Cognitive Services OpenAI User", "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"


class DeletedRole:
    """The resource has no role assignment that the template made for this environment.

    The template describes each with the environment's tag: once the managed identity is deleted,
    Azure shows its assignments as those of an unknown identity. Assignments without the tag stay.

    Args:
        arm: the client.
        options: name the environment.
        resource_id: of the Azure OpenAI or Microsoft Foundry resource.
    """

    title = f"Role {ROLE}"

    def __init__(self, arm: ArmClient, options: DeploymentOptions, resource_id: str) -> None:
        self._arm = arm
        self._options = options
        self._id = resource_id

    def look(self) -> Finding:
        """List the assignments on the resource.

        Raises:
            AzureProblem: they cannot be listed.
        """
        name = self._id.rpartition("/")[2]
        path = f"{self._id}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()"
        try:
            found = [each for each in self._arm.pages(path) if self._is_own(each["properties"])]
        except NotFound:  # the resource was deleted, and with it all roles on it
            found = []
        if not found:
            return Finding(
                f"the resource {name} has no role that was assigned for this environment"
            )
        return Finding(
            f"the resource {name} has the role that was assigned for this environment",
            changes=tuple(self._deletion(str(each["id"]), name) for each in found),
        )

    def _is_own(self, assignment: JsonObject) -> bool:
        return (
            str(assignment.get("description")).lower() == self._options.tag
            and str(assignment["scope"]).lower() == self._id.lower()
            and str(assignment["roleDefinitionId"]).lower().endswith(ROLE_ID)
        )

    def _deletion(self, assignment_id: str, name: str) -> Change:
        return Change(
            method="DELETE",
            url=self._arm.url(assignment_id),
            body=None,
            summary=f"Delete the assignment of {ROLE} on {name}",
            az=(az("role assignment delete", {"--ids": assignment_id}),),
        )
