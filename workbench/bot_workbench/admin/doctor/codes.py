"""The codes of what the doctor finds, by subject. mypy lets no check use another one, and the help
lists them from here."""

from typing import Literal, get_args

SettingsCode = Literal[
    "setting-invalid",
    "setting-misspelled",
    "setting-password",
    "setting-secret",
    "setting-storage-key",
    "setting-reference",
    "setting-not-on-flex",
    "setting-unauthenticated",
]
IdentityCode = Literal[
    "identity-missing",
    "identity-deleted",
    "identity-unknown",
    "bot-identity-unknown",
    "storage-identity-unknown",
]
RoleCode = Literal["role-missing", "role-too-wide"]
ResourceCode = Literal[
    "storage-missing",
    "storage-shared-keys",
    "storage-tls",
    "storage-public-blobs",
    "storage-network",
    "vault-missing",
    "vault-deleted",
    "vault-access-policies",
    "vault-purge-protection",
    "vault-network",
    "certificate-missing",
    "certificate-disabled",
    "insights-off",
    "insights-missing",
    "insights-local-auth",
    "insights-authentication",
    "insights-no-workspace",
]
AzureBotCode = Literal[
    "endpoint-missing",
    "endpoint-elsewhere",
    "endpoint-wrong",
    "app-id-differs",
    "app-type-differs",
    "tenant-differs",
    "cloud-differs",
    "tenants-excluded",
    "bot-identity-differs",
    "bot-replaced",
    "teams-missing",
    "teams-disabled",
    "teams-terms",
    "web-chat-off",
]
RegistrationCode = Literal[
    "registration-missing",
    "registration-deleted",
    "registration-audience",
    "registration-secret",
    "certificate-not-registered",
    "certificate-expired",
    "certificate-ends-soon",
    "federated-missing",
    "federated-differs",
    "principal-missing",
    "principal-disabled",
    "assignment-required",
]
AppCode = Literal[
    "app-other-code",
    "app-stopped",
    "app-unreachable",
    "app-barrier",
    "app-unhealthy",
    "app-warning",
    "identity-unproven",
    "identity-differs",
    "endpoint-open",
    "https-only",
    "tls-version",
    "basic-publishing",
    "public-network",
    "access-restrictions",
    "runtime-version",
    "always-ready",
    "instance-count",
]
TurnsCode = Literal[
    "host-recycled",
    "function-in-error",
    "worker-missing",
    "host-shut-down",
    "turns-failed",
    "turns-dead-lettered",
    "event-loop-blocked",
    "calls-refused",
    "dead-letters",
    "queue-backlog",
]
AnyCode = Literal["not-looked-at"]

Code = (
    SettingsCode
    | IdentityCode
    | RoleCode
    | ResourceCode
    | AzureBotCode
    | RegistrationCode
    | AppCode
    | TurnsCode
    | AnyCode
)

CODES: dict[str, tuple[Code, ...]] = {
    "settings": get_args(SettingsCode),
    "identity": get_args(IdentityCode),
    "roles": get_args(RoleCode),
    "resources": get_args(ResourceCode),
    "Azure Bot": get_args(AzureBotCode),
    "app registration": get_args(RegistrationCode),
    "app": get_args(AppCode),
    "last turns": get_args(TurnsCode),
    "each of these": get_args(AnyCode),
}
"""By what they are about, for people."""

ALL_CODES = frozenset(code for codes in CODES.values() for code in codes)
