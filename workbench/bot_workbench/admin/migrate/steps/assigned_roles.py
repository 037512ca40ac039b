"""Role assignments and definitions, as an account can read them that sees a part of a subscription.

Microsoft reference: "List Azure role assignments using the REST API".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.errors import Forbidden
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId

_AUTHORIZATION = "providers/Microsoft.Authorization"


@dataclass(frozen=True)
class AssignedRole:
    """A role that an identity has.

    Attributes:
        id: of the assignment.
        scope: resource id.
        role_id: GUID of the role.
        definition: the role definition's properties; empty: it is not there any more.
    """

    id: str
    scope: str
    role_id: str
    definition: JsonObject

    @property
    def name(self) -> str:
        """The role's name, such as "Contributor"; its id if it is not there any more."""
        return str(self.definition.get("roleName") or self.role_id)


def read_assigned_roles(arm: ArmClient, app: ResourceId, principal_id: str) -> list[AssignedRole]:
    """The roles of an identity in the subscription of an app; if the account sees only the app's
    resource group, those at the group, above and below it.

    Args:
        arm: the client.
        app: the app.
        principal_id: object id (GUID) of the identity.

    Raises:
        AzureProblem: they cannot be listed, not even those of the resource group.
    """
    subscription = f"/subscriptions/{app.subscription}"
    try:
        return list(_roles_at(arm, subscription, principal_id))
    except Forbidden:
        group = f"{subscription}/resourceGroups/{app.resource_group}"
        return list(_roles_at(arm, group, principal_id))


def _roles_at(arm: ArmClient, scope: str, principal_id: str) -> Iterator[AssignedRole]:
    clause = quote(f"principalId eq '{principal_id}'")
    definitions: dict[str, JsonObject] = {}
    for one in arm.pages(f"{scope}/{_AUTHORIZATION}/roleAssignments?$filter={clause}"):
        properties = one["properties"]
        role_id = str(properties["roleDefinitionId"]).rpartition("/")[2]
        if role_id not in definitions:
            definitions[role_id] = role_definition(arm, scope, role_id)
        scoped = str(properties["scope"])
        yield AssignedRole(str(one["id"]), scoped, role_id, definitions[role_id])


def role_definition(arm: ArmClient, scope: str, role_id: str) -> JsonObject:
    """The properties of a role definition; empty: there is none.

    Args:
        arm: the client.
        scope: where the account has a role: at the subscription, where the definitions' ids are, an
            account with a role on a resource reads none.
        role_id: GUID.

    Raises:
        AzureProblem: it cannot be read.
    """
    found = arm.find(f"{scope}/{_AUTHORIZATION}/roleDefinitions/{role_id}")
    return found["properties"] if found else {}
