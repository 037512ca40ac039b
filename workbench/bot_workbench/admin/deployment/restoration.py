"""The restoration of a deleted app registration."""

from bot_workbench.admin.azure.graph_client import GraphClient
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.plan.shell import quoted


def restoration(graph: GraphClient, application: JsonObject) -> str:
    """The command that restores an app registration that was deleted in the last 30 days.

    It does not restore the service principal, which `prepare` makes anew; the portal restores both.
    Source: Microsoft Graph v1.0, "Restore deleted item"; Entra docs, "Restore an enterprise
    application".

    Args:
        graph: the client.
        application: with its `id`.
    """
    url = graph.url(f"/directory/deletedItems/{application['id']}/restore")
    return f"az rest --method POST --url {quoted(url)}"
