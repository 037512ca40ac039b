"""Defects: one thing each that is wrong with a deployed bot, and what the doctor must say of it."""

from dataclasses import dataclass

from admin.doctor.codes import Code
from tests.admin.doctor.examined_bot import (
    CERTIFICATE,
    CERTIFICATE_NAME,
    FEDERATED,
    MANAGED_IDENTITY,
    SIGN_IN_VAULT,
)
from tests.admin.doctor.harms import (
    CONTRIBUTOR,
    OTHER_GUID,
    QUEUE_CONTRIBUTOR,
    SECRET_VALUE,
    WEBSITE_CONTRIBUTOR,
    Harm,
    add_secret,
    all_of,
    allow_publishing,
    app_answers,
    app_warns,
    assign,
    assign_to_subscription,
    azure_bot,
    certificate_ends,
    channel,
    close_web_chat,
    cut_off,
    delete_identity,
    delete_registration,
    delete_vault,
    disable_principal,
    disable_versions,
    forget_functions,
    lose_principal,
    lose_registration,
    lose_versions,
    make_multi_tenant,
    misspell,
    newer_certificate,
    of,
    queue,
    remove_channel,
    replace_bot,
    replace_identity,
    require_assignment,
    retrust,
    rows,
    run_other_code,
    scale,
    setting,
    site,
    stop,
    trust_a_pipeline_only,
    unassign,
    unassign_identity,
    web,
)
from tests.admin.migrate.migration import APP, VAULT


@dataclass(frozen=True)
class Defect:
    """One defect.

    Attributes:
        code: of the one finding.
        harm: makes it.
        cure: what the cure must contain.
        credential: the bot's.
    """

    code: Code
    harm: Harm
    cure: str
    credential: str = FEDERATED


STORAGE = "Microsoft.Storage/storageAccounts"
INSIGHTS = "Microsoft.Insights/components"
ONLY_OFFICE = [
    {"ipAddress": "203.0.113.7/32", "action": "Allow", "priority": 100, "name": "office"}
]

DEFECTS = (
    Defect("setting-invalid", setting("MicrosoftAppId", None), "--settings MicrosoftAppId="),
    Defect("setting-invalid", setting("BotTurns", "Queueud"), "--settings BotTurns=Queued"),
    Defect("setting-invalid", setting("ChannelService", SECRET_VALUE), "--setting-names"),
    Defect("setting-password", setting("MicrosoftAppPassword", SECRET_VALUE), "--setting-names"),
    Defect("setting-secret", setting("WEATHER_API_KEY", SECRET_VALUE), "WEATHER_API_KEY"),
    Defect(
        "setting-storage-key",
        setting("AzureWebJobsStorage", f"AccountName=contoso;AccountKey={SECRET_VALUE}"),
        "AzureWebJobsStorage__accountName",
    ),
    Defect("setting-not-on-flex", setting("WEBSITE_RUN_FROM_PACKAGE", "1"), "appsettings delete"),
    Defect(
        "setting-unauthenticated",
        setting("DANGEROUSLY_ALLOW_UNAUTHENTICATED", "true"),
        "--setting-names DANGEROUSLY_ALLOW_UNAUTHENTICATED",
    ),
    Defect(
        "setting-reference",
        setting("WEATHER", "@Microsoft.KeyVault(VaultName=contoso;SecretName=weather)"),
        "keyVaultReferenceIdentity=/subscriptions/",
    ),
    Defect("identity-unknown", setting("AZURE_CLIENT_ID", OTHER_GUID), "AZURE_CLIENT_ID="),
    Defect(
        "storage-identity-unknown",
        setting("AzureWebJobsStorage__clientId", OTHER_GUID),
        "AzureWebJobsStorage__clientId=",
    ),
    Defect("identity-deleted", delete_identity, "docs/deploy-by-hand.md"),
    Defect("role-missing", unassign(QUEUE_CONTRIBUTOR), f"--role {QUEUE_CONTRIBUTOR}"),
    Defect(
        "role-missing",
        unassign("3913510d-42f4-4e42-8a64-420c390055eb"),
        "az role assignment create",
    ),
    Defect(
        "role-missing",
        unassign("12338af0-0e69-4776-bea7-57ae8d297424"),
        f"/keys/{CERTIFICATE_NAME}",
        SIGN_IN_VAULT,
    ),
    Defect(
        "role-missing",
        unassign("4633458b-17de-408a-b874-0445c86b69e6"),
        f"/secrets/{CERTIFICATE_NAME}",
        CERTIFICATE,
    ),
    Defect("role-too-wide", assign(WEBSITE_CONTRIBUTOR), "az role assignment delete"),
    Defect("role-too-wide", assign_to_subscription, "az role assignment delete"),
    Defect("role-too-wide", assign(CONTRIBUTOR), "az role assignment delete"),
    Defect(
        "storage-missing",
        setting("AzureWebJobsStorage__accountName", "contosoelsewhere"),
        "AzureWebJobsStorage__accountName=",
    ),
    Defect(
        "storage-shared-keys",
        of(STORAGE, allowSharedKeyAccess=True),
        "--allow-shared-key-access false",
    ),
    Defect(
        "storage-shared-keys",  # Azure's default
        of(STORAGE, allowSharedKeyAccess=None),
        "--allow-shared-key-access false",
    ),
    Defect(
        "storage-public-blobs",
        of(STORAGE, allowBlobPublicAccess=True),
        "--allow-blob-public-access false",
    ),
    Defect("storage-tls", of(STORAGE, minimumTlsVersion="TLS1_0"), "--min-tls-version TLS1_2"),
    Defect(
        "vault-access-policies",
        of("Microsoft.KeyVault/vaults", enableRbacAuthorization=False),
        "--enable-rbac-authorization true",
        CERTIFICATE,
    ),
    Defect(
        "vault-purge-protection",
        of("Microsoft.KeyVault/vaults", enablePurgeProtection=None),
        "--enable-purge-protection true",
        CERTIFICATE,
    ),
    Defect("vault-deleted", delete_vault, "az keyvault recover", CERTIFICATE),
    Defect(
        "vault-missing",
        setting("CertificateVaultUrl", "https://contoso-other.vault.azure.net"),
        "CertificateVaultUrl=",
        CERTIFICATE,
    ),
    Defect("certificate-missing", lose_versions, f"--vault {VAULT}", CERTIFICATE),
    Defect("certificate-disabled", disable_versions, "--enabled true", CERTIFICATE),
    Defect("certificate-not-registered", newer_certificate, f"--vault {VAULT}", CERTIFICATE),
    Defect("certificate-ends-soon", certificate_ends(12), "certificate rotate", CERTIFICATE),
    Defect("certificate-expired", certificate_ends(-1), "certificate rotate", CERTIFICATE),
    Defect(
        "insights-off",
        setting("APPLICATIONINSIGHTS_CONNECTION_STRING", None),
        "docs/deploy-by-hand.md",
    ),
    Defect(
        "insights-missing",
        setting("APPLICATIONINSIGHTS_CONNECTION_STRING", f"InstrumentationKey={OTHER_GUID}"),
        "APPLICATIONINSIGHTS_CONNECTION_STRING=",
    ),
    Defect("insights-local-auth", of(INSIGHTS, DisableLocalAuth=False), "DisableLocalAuth=true"),
    Defect(
        "insights-authentication",
        setting("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", None),
        "Authorization=AAD;ClientId=",
    ),
    Defect(
        "insights-no-workspace",
        of(INSIGHTS, WorkspaceResourceId=None),
        "WorkspaceResourceId=WORKSPACE_ID",
    ),
    Defect("app-other-code", run_other_code, "docs/deploy-by-hand.md"),
    Defect("bot-replaced", replace_bot, "python -m admin doctor --bot contoso-bot-2"),
    Defect("endpoint-missing", azure_bot(endpoint=""), "--app"),
    Defect("endpoint-elsewhere", azure_bot(endpoint="https://bot.example/api/messages"), "--app"),
    Defect(
        "endpoint-wrong",
        azure_bot(endpoint=f"https://{APP}.azurewebsites.net/api/message"),
        f"--endpoint https://{APP}.azurewebsites.net/api/messages",
    ),
    Defect(
        "app-type-differs",
        setting("MicrosoftAppType", "MultiTenant"),
        "MicrosoftAppType=SingleTenant",
        CERTIFICATE,
    ),
    Defect("registration-audience", make_multi_tenant, "AzureADMultipleOrgs", CERTIFICATE),
    Defect("setting-misspelled", misspell, "--setting-names MICROSOFTAPPID"),
    Defect("identity-missing", unassign_identity, "az functionapp identity assign"),
    Defect(
        "bot-identity-unknown",
        replace_identity,
        "--identities /subscriptions/",
        MANAGED_IDENTITY,
    ),
    Defect("tenant-differs", setting("MicrosoftAppTenantId", OTHER_GUID), "MicrosoftAppTenantId="),
    Defect("app-id-differs", setting("MicrosoftAppId", OTHER_GUID), "MicrosoftAppId="),
    Defect(
        "bot-identity-differs",
        azure_bot(msaAppMSIResourceId=None),
        "--msi-resource-id",
        MANAGED_IDENTITY,
    ),
    Defect(
        "teams-missing",
        remove_channel("MsTeamsChannel"),
        "properties.properties.acceptedTerms=true",
    ),
    Defect(
        "teams-disabled", channel("MsTeamsChannel", isEnabled=False), "properties.isEnabled=true"
    ),
    Defect("teams-terms", channel("MsTeamsChannel", acceptedTerms=None), "acceptedTerms"),
    Defect("web-chat-off", close_web_chat, "/channels/WebChatChannel"),
    Defect("web-chat-off", remove_channel("WebChatChannel"), "/channels/WebChatChannel"),
    Defect("registration-missing", lose_registration, "az login"),
    Defect("registration-deleted", delete_registration, "/restore"),
    Defect("registration-secret", add_secret, "python -m admin migrate delete-secret"),
    Defect("federated-differs", retrust(subject=OTHER_GUID), "federated-credential delete"),
    Defect(
        "federated-differs", retrust(audience="api://azureadtokenexchange"), "migrate federated"
    ),
    Defect("federated-missing", trust_a_pipeline_only, "python -m admin migrate federated"),
    Defect("principal-missing", lose_principal, "az ad sp create --id"),
    Defect("principal-disabled", disable_principal, "--set accountEnabled=true"),
    Defect("assignment-required", require_assignment, "--set appRoleAssignmentRequired=false"),
    Defect("app-stopped", stop, "az functionapp start"),
    Defect("app-unreachable", cut_off, "docs/troubleshooting.md"),
    Defect("app-unhealthy", app_answers("/api/health", 503), "docs/troubleshooting.md"),
    Defect("app-unhealthy", forget_functions, "docs/troubleshooting.md"),
    Defect("app-barrier", app_answers("/api/messages", 302), "az webapp auth update"),
    Defect("endpoint-open", app_answers("/api/messages", 200), "Deploy this project's code again"),
    Defect("identity-unproven", app_answers("/api/identity", 503), "docs/troubleshooting.md"),
    Defect(
        "identity-differs",
        app_answers("/api/identity", 200, f'{{"appId": "{OTHER_GUID}"}}'),
        "az functionapp restart",
    ),
    Defect("app-warning", app_warns, "docs/troubleshooting.md"),
    Defect("https-only", site(httpsOnly=False), "properties.httpsOnly=true"),
    Defect("tls-version", web(minTlsVersion="1.0"), "properties.minTlsVersion=1.2"),
    Defect("basic-publishing", allow_publishing, "basicPublishingCredentialsPolicies/scm"),
    Defect("public-network", site(publicNetworkAccess="Disabled"), "publicNetworkAccess=Enabled"),
    Defect("access-restrictions", web(ipSecurityRestrictions=ONLY_OFFICE), "AzureBotService"),
    Defect(
        "runtime-version",
        lambda bot: bot.site.properties["functionAppConfig"].update(
            runtime={"name": "python", "version": "3.11"}
        ),
        "--runtime-version 3.13",
    ),
    Defect("instance-count", scale(maximumInstanceCount=1), "--maximum-instance-count"),
    Defect(
        "always-ready",
        scale(alwaysReady=[{"name": "function:turns", "instanceCount": 1}]),
        "--settings http=1",
    ),
    Defect(
        "always-ready",
        all_of(
            setting("BotTurns", "Queued"),
            scale(alwaysReady=[{"name": "http", "instanceCount": 1}]),
        ),
        "--settings function:turns=1",
    ),
    Defect("host-recycled", rows(Recycled=1), "docs/troubleshooting.md"),
    Defect("function-in-error", rows(InError=2), "az functionapp restart"),
    Defect("worker-missing", rows(WithoutWorker=1), "docs/troubleshooting.md"),
    Defect("host-shut-down", rows(ShutDown=1), "docs/troubleshooting.md"),
    Defect("turns-failed", rows(Failed=2), "docs/operations.md"),
    Defect("event-loop-blocked", rows(Blocked=1), "docs/troubleshooting.md"),
    Defect("turns-dead-lettered", rows(DeadLettered=1), "python -m admin dead-letters list"),
    Defect("calls-refused", rows(Refused=300), "docs/troubleshooting.md"),
    Defect("dead-letters", queue("bot-turns-poison", 1), "dead-letters list --account contoso"),
    Defect("dead-letters", queue("bot-notifications-poison", 1), "docs/notifications.md"),
    Defect("queue-backlog", queue("bot-turns", 5000), "docs/operations.md"),
)
"""Each is one row of the test."""
