"""DirectoryPart: the bot's app registration and its service principal, in Entra."""

from dataclasses import dataclass

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.services import GraphClient
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI


@dataclass(frozen=True)
class DirectoryPart:
    """The bot's objects in the directory.

    Attributes:
        application: the app registration with its credentials; empty: there is none.
        deleted: a registration of this id that was deleted and can be restored; else empty.
        federated: its federated credentials.
        principal: the service principal of the app registration or of the managed identity; empty:
            there is none.
    """

    application: JsonObject
    deleted: JsonObject
    federated: tuple[JsonObject, ...]
    principal: JsonObject


def read_directory(graph: GraphClient, app_id: str, app_type: str) -> DirectoryPart:
    """Read it; a managed identity has no app registration.

    Args:
        graph: the client.
        app_id: the bot's id (GUID).
        app_type: UserAssignedMSI, SingleTenant or MultiTenant.

    Raises:
        AzureProblem: the directory cannot be read.
    """
    principal = graph.service_principal(app_id) or {}
    if app_type == USER_ASSIGNED_MSI:
        return DirectoryPart({}, {}, (), principal)
    application = graph.application(app_id)
    if application is None:
        return DirectoryPart({}, graph.deleted_application(app_id) or {}, (), principal)
    federated = tuple(graph.federated_credentials(str(application["id"])))
    return DirectoryPart(application, {}, federated, principal)
