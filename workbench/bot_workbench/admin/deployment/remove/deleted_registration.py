"""DeletedRegistration: the app registration that `prepare` has made is deleted, and no other."""

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.restoration import restoration
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Finding


class DeletedRegistration:
    """The directory has no app registration with the environment's tag.

    A registration that the reader brought does not have the tag, and stays.

    Args:
        azure: the clients.
        options: name the environment.
    """

    title = "App registration"

    def __init__(self, azure: AzureClients, options: DeploymentOptions) -> None:
        self._graph = azure.graph
        self._options = options
        self._deleted: list[JsonObject] = []

    def look(self) -> Finding:
        """List the registrations with the tag.

        Raises:
            AzureProblem: the directory cannot be read.
        """
        found = self._graph.tagged_applications(self._options.tag)
        if not found:
            return self._gone()
        self._deleted = found
        names = _named(found)
        return Finding(
            f"made for this environment: {names}",
            changes=tuple(map(self._deletion, found)),
            question=f"Delete the app registration {names}, which was made for this environment? It"
            " can be restored for 30 days.",
        )

    def _gone(self) -> Finding:
        if not self._deleted:
            return Finding("there is no app registration that was made for this environment")
        lines = ", ".join(f"`{restoration(self._graph, each)}`" for each in self._deleted)
        return Finding(
            f"deleted, because it was made for this environment: {_named(self._deleted)}",
            notes=(
                f"it can be restored for 30 days, for the next deployment to use: {lines}, or in"
                " the portal (App registrations, Deleted applications)",
            ),
        )

    def _deletion(self, application: JsonObject) -> Change:
        name, app_id = application["displayName"], str(application["appId"])
        return Change(
            method="DELETE",
            url=self._graph.url(f"/applications/{application['id']}"),
            body=None,
            summary=f"Delete the app registration {name} ({app_id}), with its service principal",
            az=(az("ad app delete", {"--id": app_id}),),
            service="graph",
            done_codes=frozenset({"Request_ResourceNotFound"}),
        )


def _named(found: list[JsonObject]) -> str:
    return ", ".join(f"{each['displayName']} ({each['appId']})" for each in found)
