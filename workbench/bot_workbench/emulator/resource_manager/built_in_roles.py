"""The built-in roles of Azure that this project's commands and pages name.

Follows the Azure built-in roles reference: ids, names and permissions are Microsoft's.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Role:
    """A role definition.

    Attributes:
        id: GUID.
        name: `roleName`.
        actions, not_actions: on resources, with `*` as wildcard.
        data_actions, not_data_actions: on what resources hold.
        kind: `BuiltInRole` or `CustomRole`.
        description: for people.
        assignable_scopes: where it can be assigned; "/" for built-in ones.
    """

    id: str
    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    kind: str = "BuiltInRole"
    description: str = ""
    assignable_scopes: tuple[str, ...] = field(default=("/",))


OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"

VAULT = "Microsoft.KeyVault/vaults"
BLOB_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
BLOBS = f"{BLOB_CONTAINERS}/blobs"
QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues"
DELEGATION = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"
OPENAI = "Microsoft.CognitiveServices/accounts/OpenAI"
VAULT_READ = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
    "Microsoft.KeyVault/checkNameAvailability/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.KeyVault/locations/*/read",
    f"{VAULT}/*/read",
    "Microsoft.KeyVault/operations/read",
)

ROLES = (
    Role(OWNER, "Owner", ("*",)),
    Role(
        CONTRIBUTOR,
        "Contributor",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
        ),
    ),
    Role(READER, "Reader", ("*/read",)),
    Role(
        USER_ACCESS_ADMINISTRATOR,
        "User Access Administrator",
        ("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
    ),
    Role(
        RBAC_ADMINISTRATOR,
        "Role Based Access Control Administrator",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ),
    ),
    Role(
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "Managed Identity Operator",
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
            "Microsoft.Authorization/*/read",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Support/*",
        ),
    ),
    Role(
        "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
        "Managed Identity Contributor",
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/write",
            "Microsoft.ManagedIdentity/userAssignedIdentities/delete",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete",
            "Microsoft.ManagedIdentity/userAssignedIdentities/revokeTokens/action",
            "Microsoft.Authorization/*/read",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Support/*",
        ),
    ),
    Role(
        "de139f84-1756-47ae-9be6-808fbbe84772",
        "Website Contributor",
        (
            "Microsoft.Authorization/*/read",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Insights/components/*",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Support/*",
            "Microsoft.Web/certificates/*",
            "Microsoft.Web/listSitesAssignedToHostName/read",
            "Microsoft.Web/serverFarms/join/action",
            "Microsoft.Web/serverFarms/read",
            "Microsoft.Web/sites/*",
        ),
    ),
    Role(
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "Storage Blob Data Owner",
        (f"{BLOB_CONTAINERS}/*", DELEGATION),
        data_actions=(f"{BLOBS}/*",),
    ),
    Role(
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "Storage Blob Data Contributor",
        (
            f"{BLOB_CONTAINERS}/delete",
            f"{BLOB_CONTAINERS}/read",
            f"{BLOB_CONTAINERS}/write",
            DELEGATION,
        ),
        data_actions=tuple(
            f"{BLOBS}/{end}" for end in ("delete", "read", "write", "move/action", "add/action")
        ),
    ),
    Role(
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "Storage Queue Data Contributor",
        (f"{QUEUES}/delete", f"{QUEUES}/read", f"{QUEUES}/write"),
        data_actions=tuple(
            f"{QUEUES}/messages/{end}" for end in ("delete", "read", "write", "process/action")
        ),
    ),
    Role(
        "21090545-7ca7-4776-b22c-e363652d74d2",
        "Key Vault Reader",
        VAULT_READ,
        data_actions=(f"{VAULT}/*/read", f"{VAULT}/secrets/readMetadata/action"),
    ),
    Role(
        "12338af0-0e69-4776-bea7-57ae8d297424",
        "Key Vault Crypto User",
        data_actions=tuple(
            f"{VAULT}/keys/{end}"
            for end in (
                "read",
                "update/action",
                "backup/action",
                "encrypt/action",
                "decrypt/action",
                "wrap/action",
                "unwrap/action",
                "sign/action",
                "verify/action",
            )
        ),
    ),
    Role(
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Key Vault Secrets User",
        data_actions=(
            f"{VAULT}/secrets/getSecret/action",
            f"{VAULT}/secrets/readMetadata/action",
        ),
    ),
    Role(
        "a4417e6f-fecd-4de8-b567-7b0420556985",
        "Key Vault Certificates Officer",
        VAULT_READ,
        data_actions=(
            f"{VAULT}/certificatecas/*",
            f"{VAULT}/certificates/*",
            f"{VAULT}/certificatecontacts/write",
        ),
    ),
    Role(
        "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
        "Key Vault Certificate User",
        data_actions=(
            f"{VAULT}/certificates/read",
            f"{VAULT}/secrets/getSecret/action",
            f"{VAULT}/secrets/readMetadata/action",
            f"{VAULT}/keys/read",
        ),
    ),
    Role(
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        "Key Vault Administrator",
        VAULT_READ,
        data_actions=(f"{VAULT}/*",),
    ),
    Role(
        "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
        "Cognitive Services OpenAI User",
        (
            "Microsoft.CognitiveServices/*/read",
            "Microsoft.Authorization/roleAssignments/read",
            "Microsoft.Authorization/roleDefinitions/read",
        ),
        data_actions=tuple(
            f"{OPENAI}/{end}"
            for end in (
                "*/read",
                "engines/completions/action",
                "engines/search/action",
                "engines/generate/action",
                "deployments/audio/action",
                "deployments/search/action",
                "deployments/completions/action",
                "deployments/chat/completions/action",
                "deployments/extensions/chat/completions/action",
                "deployments/embeddings/action",
                "images/generations/action",
            )
        ),
    ),
    Role(
        "73c42c96-874c-492b-b04d-ab87d138a893",
        "Log Analytics Reader",
        (
            "*/read",
            "Microsoft.OperationalInsights/workspaces/analytics/query/action",
            "Microsoft.OperationalInsights/workspaces/search/action",
            "Microsoft.Support/*",
        ),
        ("Microsoft.OperationalInsights/workspaces/sharedKeys/read",),
    ),
    Role(
        "3913510d-42f4-4e42-8a64-420c390055eb",
        "Monitoring Metrics Publisher",
        (
            "Microsoft.Insights/Register/Action",
            "Microsoft.Support/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
        data_actions=("Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"),
    ),
)
