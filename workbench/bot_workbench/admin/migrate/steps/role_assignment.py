"""RoleAssignment: a principal may do something, by a role at a scope or above it."""

import fnmatch
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.steps.assigned_roles import role_definition
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.template import DEPLOY_AGAIN, environment_of
from bot_workbench.credential_kinds import READ_CERTIFICATE, READ_SECRET, SIGN, CredentialKind

SERVICE_PRINCIPAL = "ServicePrincipal"
USER = "User"

_MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"

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


class RoleAssignment:
    """A principal has a role at a scope, or another role there or above that allows as much.

    What infra/main.bicep assigns is left to it. An assignment has a name, a GUID: of a second one
    of the same role, principal and scope under another name Azure says RoleAssignmentExists, so
    one that is made here would end each later deployment.

    Args:
        arm: the client.
        scope: resource id; also of one object in a vault, such as "VAULT_ID/keys/NAME".
        role: what is assigned if nothing allows enough.
        principal_id: object id (GUID) of who gets it; a shell variable if it is not known yet.
        principal_type: sent along, because a new principal may not be replicated yet.
        whose: who that is, for people: "the identity contoso-bot".
        identity_id: resource id of the managed identity that it is; empty: it is none.
        credential: with which infra/main.bicep assigns the role, a value of BOT_CREDENTIAL; empty:
            with any.
    """

    def __init__(
        self,
        arm: ArmClient,
        *,
        scope: str,
        role: Role,
        principal_id: Callable[[], str],
        whose: str,
        principal_type: str = SERVICE_PRINCIPAL,
        identity_id: Callable[[], str] = str,
        credential: str = "",
    ) -> None:
        self.title = f"Role {role.name}"
        self._arm = arm
        self._scope = scope
        self._role = role
        self._principal_id = principal_id
        self._whose = whose
        self._principal_type = principal_type
        self._identity_id = identity_id
        self._credential = credential

    def look(self) -> Finding:
        """Read the assignments at the scope and above, and what their roles allow.

        Raises:
            AzureProblem: they, or the resources that they are for, cannot be read.
        """
        principal_id = self._principal_id()
        place = "/".join(self._scope.split("/")[-2:])
        if not principal_id.startswith("$"):
            granted = allowing(self._arm, self._scope, principal_id, self._role)
            if granted:
                return Finding(f"{self._whose} has {granted} on {place}")
        text = f"{self._whose} lacks {self._role.name} on {place}"
        if self._is_the_templates():
            choice = f", with the credential {self._credential}" if self._credential else ""
            return Finding(text, refusal=f"{text}: {DEPLOY_AGAIN}{choice}")
        return Finding(text, changes=(self._change(principal_id, place),))

    def _is_the_templates(self) -> bool:
        """Whether the template made both the identity and the resource, in one group."""
        ids = self._identity_id(), "/".join(self._scope.split("/")[:_LEVELS])
        groups = {"/".join(each.lower().split("/")[:_GROUP_LEVELS]) for each in ids}
        if len(groups) > 1:
            return False
        found = {environment_of(self._arm.find(each) or {}) for each in ids}
        return len(found) == 1 and found != {""}

    def _change(self, principal_id: str, place: str) -> Change:
        name = uuid.uuid5(_NAMESPACE, f"{self._scope}|{self._role.id}|{principal_id}".lower())
        subscription = "/".join(self._scope.split("/")[:3])
        definition = (
            f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{self._role.id}"
        )
        path = f"{self._scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        properties = {
            "roleDefinitionId": definition,
            "principalId": principal_id,
            "principalType": self._principal_type,
        }
        options = {
            "--role": self._role.id,
            "--scope": self._scope,
            "--assignee-object-id": principal_id,
            "--assignee-principal-type": self._principal_type,
        }
        return Change(
            method="PUT",
            url=self._arm.url(path),
            body={"properties": properties},
            summary=f"Assign {self._role.name} on {place} to {self._whose}",
            az=(f"# {self._role.name}", az("role assignment create", options)),
        )


def assigned(arm: ArmClient, scope: str, principal_id: str) -> list[JsonObject]:
    """The properties of the principal's role assignments at a scope and above.

    Assignments to its groups count, assignments with a condition do not. Microsoft reference: "List
    Azure role assignments using the REST API".

    Args:
        arm: the client.
        scope: resource id.
        principal_id: object id (GUID).

    Raises:
        AzureProblem: the assignments cannot be read.
    """
    condition = quote(f"atScope() and assignedTo('{principal_id}')")
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments?$filter={condition}"
    return [
        each["properties"]
        for each in arm.pages(path)
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
) -> Iterator[RoleAssignment]:
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
        yield RoleAssignment(
            arm,
            scope=f"{vault_id}/{operation.partition('/')[0]}/{certificate}",
            role=ROLES_IN_VAULT[operation],
            principal_id=principal_id,
            whose=whose,
            identity_id=identity_id,
            credential=kind.name,
        )
