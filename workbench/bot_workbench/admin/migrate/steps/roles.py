"""Roles: what a principal may do, by a role at a scope or above it, and the step that assigns one.

Microsoft reference: "List Azure role assignments using the REST API".
"""

import fnmatch
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.errors import Forbidden
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Change, Finding, Step
from bot_workbench.admin.plan.target import DEPLOY_AGAIN, environment_of
from bot_workbench.credential_kinds import READ_CERTIFICATE, READ_SECRET, SIGN, CredentialKind

SERVICE_PRINCIPAL = "ServicePrincipal"
USER = "User"

_MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"

_AUTHORIZATION = "providers/Microsoft.Authorization"

_GROUP_LEVELS, _LEVELS = 5, 9
"""The number of parts in the id of a resource group, and in that of a resource in it."""

_NAMESPACE = uuid.UUID("7a0b4a55-6d5c-4f5f-9d27-36f0a3c7e2a1")
"""Makes the same name for the same assignment, so that it cannot be made twice."""


@dataclass(frozen=True)
class Role:
    """A built-in role, and what it is needed for.

    Attributes:
        name: as the portal shows it.
        id: GUID, the same in every tenant.
        data_actions: what must be allowed; any other role that allows them will do, too.
    """

    name: str
    id: str
    data_actions: frozenset[str]


_VAULTS = "Microsoft.KeyVault/vaults"
KEY_VAULT_READER = Role(
    "Key Vault Reader",
    "21090545-7ca7-4776-b22c-e363652d74d2",
    frozenset({f"{_VAULTS}/certificates/read"}),
)
KEY_VAULT_CRYPTO_USER = Role(
    "Key Vault Crypto User",
    "12338af0-0e69-4776-bea7-57ae8d297424",
    frozenset({f"{_VAULTS}/keys/sign/action"}),
)
KEY_VAULT_SECRETS_USER = Role(
    "Key Vault Secrets User",
    "4633458b-17de-408a-b874-0445c86b69e6",
    frozenset({f"{_VAULTS}/secrets/getSecret/action"}),
)
KEY_VAULT_CERTIFICATES_OFFICER = Role(
    "Key Vault Certificates Officer",
    "a4417e6f-fecd-4de8-b567-7b0420556985",
    frozenset(
        f"{_VAULTS}/certificates/{action}"
        for action in ("read", "create/action", "import/action", "update/action")
    ),
)

_STORAGE = "Microsoft.Storage/storageAccounts"
_BLOBS = f"{_STORAGE}/blobServices/containers/blobs"
_MESSAGES = f"{_STORAGE}/queueServices/queues/messages"
# Source of what is needed: Azure Storage REST reference, "Authorize with Microsoft Entra ID",
# permissions for calling data operations.
STORAGE_BLOB_DATA_OWNER = Role(
    "Storage Blob Data Owner",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    frozenset(f"{_BLOBS}/{action}" for action in ("read", "write", "delete")),
)
STORAGE_QUEUE_DATA_CONTRIBUTOR = Role(
    "Storage Queue Data Contributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    frozenset(f"{_MESSAGES}/{action}" for action in ("read", "write", "delete")),
)


def role_assignment(
    arm: ArmClient,
    *,
    scope: str,
    role: Role,
    principal_id: Callable[[], str],
    whose: str,
    principal_type: str = SERVICE_PRINCIPAL,
    identity_id: Callable[[], str] = str,
    credential: str = "",
) -> Step:
    """A principal has a role at a scope, or another role there or above that allows as much.

    What infra/main.bicep assigns is left to it. An assignment has a name, a GUID: of a second one
    of the same role, principal and scope under another name Azure says RoleAssignmentExists, so
    one that is made here would end each later deployment.

    Args:
        arm: the client.
        scope: resource id; also of one object in a vault, such as "VAULT_ID/keys/NAME".
        role: what is assigned if nothing allows enough.
        principal_id: object id (GUID) of who gets it; a shell variable if it is not known yet.
        whose: who that is, for people: "the identity contoso-bot".
        principal_type: sent along, because a new principal may not be replicated yet.
        identity_id: resource id of the managed identity that it is; empty: it is none.
        credential: with which infra/main.bicep assigns the role, a value of BOT_CREDENTIAL; empty:
            with any.
    """
    place = "/".join(scope.split("/")[-2:])

    def look() -> Finding:
        principal = principal_id()
        is_known = not principal.startswith("$")
        if is_known and (granted := allowing(arm, scope, principal, role)):
            return Finding(f"{whose} has {granted} on {place}")
        text = f"{whose} lacks {role.name} on {place}"
        if _is_the_templates(arm, scope, identity_id()):
            choice = f", with the credential {credential}" if credential else ""
            return Finding(text, refusal=f"{text}: {DEPLOY_AGAIN}{choice}")
        name = uuid.uuid5(_NAMESPACE, f"{scope}|{role.id}|{principal}".lower())
        subscription = "/".join(scope.split("/")[:3])
        properties = {
            "roleDefinitionId": f"{subscription}/{_AUTHORIZATION}/roleDefinitions/{role.id}",
            "principalId": principal,
            "principalType": principal_type,
        }
        options = {
            "--role": role.id,
            "--scope": scope,
            "--assignee-object-id": principal,
            "--assignee-principal-type": principal_type,
        }
        change = Change(
            method="PUT",
            url=arm.url(f"{scope}/{_AUTHORIZATION}/roleAssignments/{name}"),
            body={"properties": properties},
            summary=f"Assign {role.name} on {place} to {whose}",
            az=(f"# {role.name}", az("role assignment create", options)),
        )
        return Finding(text, changes=(change,))

    return Step(f"Role {role.name}", look)


def _is_the_templates(arm: ArmClient, scope: str, identity_id: str) -> bool:
    """Whether the template made both the identity and the resource, in one group."""
    ids = identity_id, "/".join(scope.split("/")[:_LEVELS])
    groups = {"/".join(each.lower().split("/")[:_GROUP_LEVELS]) for each in ids}
    if len(groups) > 1:
        return False
    found = {environment_of(arm.find(each) or {}) for each in ids}
    return len(found) == 1 and found != {""}


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
    subscription, clause = f"/subscriptions/{app.subscription}", f"principalId eq '{principal_id}'"
    try:
        return list(_roles_at(arm, subscription, clause))
    except Forbidden:
        group = f"{subscription}/resourceGroups/{app.resource_group}"
        return list(_roles_at(arm, group, clause))


def _roles_at(arm: ArmClient, scope: str, clause: str) -> Iterator[AssignedRole]:
    definitions: dict[str, JsonObject] = {}
    for one in _assignments(arm, scope, clause):
        properties = one["properties"]
        role_id = str(properties["roleDefinitionId"]).rpartition("/")[2]
        if role_id not in definitions:
            definitions[role_id] = role_definition(arm, scope, role_id)
        scoped = str(properties["scope"])
        yield AssignedRole(str(one["id"]), scoped, role_id, definitions[role_id])


def _assignments(arm: ArmClient, scope: str, clause: str) -> Iterator[JsonObject]:
    return arm.pages(f"{scope}/{_AUTHORIZATION}/roleAssignments?$filter={quote(clause)}")


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


def assigned(arm: ArmClient, scope: str, principal_id: str) -> list[JsonObject]:
    """The properties of the principal's role assignments at a scope and above.

    Assignments to its groups count, assignments with a condition do not.

    Args:
        arm: the client.
        scope: resource id.
        principal_id: object id (GUID).

    Raises:
        AzureProblem: the assignments cannot be read.
    """
    return [
        each["properties"]
        for each in _assignments(arm, scope, f"atScope() and assignedTo('{principal_id}')")
        if not each["properties"].get("condition")
        if _is_at_or_above(each["properties"]["scope"], scope)
    ]


def allowing(arm: ArmClient, scope: str, principal_id: str, role: Role) -> str:
    """The names of the principal's roles at a scope and above, if they allow what `role` is for.

    Args:
        arm: the client.
        scope: resource id.
        principal_id: object id (GUID).
        role: its data actions are needed.

    Raises:
        AzureProblem: the assignments cannot be read.
    """
    held = assigned(arm, scope, principal_id)
    if any(each["roleDefinitionId"].lower().endswith(role.id) for each in held):
        return role.name
    resource = "/".join(scope.split("/")[:_LEVELS])
    ids = [each["roleDefinitionId"].rpartition("/")[2] for each in held]
    known = [role_definition(arm, resource, each) for each in ids]
    helping = [each for each in known if any(allows(each, need) for need in role.data_actions)]
    if all(any(allows(each, need) for each in helping) for need in role.data_actions):
        return ", ".join(str(each.get("roleName", "a custom role")) for each in helping)
    return ""


def _is_at_or_above(scope: str, target: str) -> bool:
    if scope.lower().startswith(_MANAGEMENT_GROUPS):
        return True  # `atScope()` lists only the management groups that the subscription is in
    return f"{target.lower()}/".startswith(f"{scope.lower().rstrip('/')}/")


def allows(definition: JsonObject, action: str, *, on_data: bool = True) -> bool:
    """Whether a role allows an action.

    Args:
        definition: the role definition's properties.
        action: such as "Microsoft.Web/sites/write".
        on_data: whether it is a data action.
    """
    allowed, excepted = ("dataActions", "notDataActions") if on_data else ("actions", "notActions")
    return any(
        _matches(action, each.get(allowed)) and not _matches(action, each.get(excepted))
        for each in definition.get("permissions") or ()
    )


def _matches(action: str, patterns: Iterable[str] | None) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), each.lower()) for each in patterns or ())


ROLES_IN_VAULT = {
    READ_CERTIFICATE: KEY_VAULT_READER,
    SIGN: KEY_VAULT_CRYPTO_USER,
    READ_SECRET: KEY_VAULT_SECRETS_USER,
}
"""The role with the least rights that allows an operation of the vault."""


def vault_roles(
    arm: ArmClient,
    *,
    vault_id: str,
    certificate: str,
    kind: CredentialKind,
    principal_id: Callable[[], str],
    whose: str,
    identity_id: Callable[[], str],
) -> Iterator[Step]:
    """The least that an identity needs to sign in with one certificate of a vault.

    Args:
        arm: the client.
        vault_id: the vault's resource id.
        certificate: its name in the vault.
        kind: one with a certificate.
        principal_id: of the identity.
        whose: the identity, for people.
        identity_id: its resource id.
    """
    for operation in kind.vault_operations:
        yield role_assignment(
            arm,
            scope=f"{vault_id}/{operation.partition('/')[0]}/{certificate}",
            role=ROLES_IN_VAULT[operation],
            principal_id=principal_id,
            whose=whose,
            identity_id=identity_id,
            credential=kind.name,
        )
