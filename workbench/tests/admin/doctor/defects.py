"""Defects: one thing each that is wrong with a deployed bot, what the doctor must say of it, and
whether the cure that it prints, pasted, heals it."""

from dataclasses import dataclass

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
    STORAGE,
    VAULTS,
    WEBSITE_CONTRIBUTOR,
    Harm,
    add_domain,
    add_secret,
    all_of,
    allow_publishing,
    app_answers,
    app_warns,
    assign,
    assign_to_one_queue,
    assign_to_subscription,
    assign_to_system_identity,
    azure_bot,
    certificate_ends,
    channel,
    close_web_chat,
    cut_off,
    delete_certificate,
    delete_component,
    delete_identity,
    delete_identity_and_roles,
    delete_registration,
    delete_second_identity,
    delete_storage,
    delete_vault,
    disable_newest,
    disable_principal,
    disable_versions,
    forget_functions,
    give_system_identity,
    lose_principal,
    lose_registration,
    lose_versions,
    make_multi_tenant,
    misspell,
    name_second_identity,
    newer_certificate,
    of,
    other_vault,
    principal_as,
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
    share_app,
    sign_in_elsewhere,
    site,
    stop,
    trust_a_pipeline_only,
    trust_another_tenant,
    trust_the_client_id,
    trust_v1,
    trust_with_a_slash,
    unassign,
    unassign_identity,
    unregister,
    web,
)
from tests.admin.migrate.migration import APP, VAULT


@dataclass(frozen=True)
class Defect:
    """One defect.

    Attributes:
        code: of the first finding.
        harm: makes it.
        cure: what the cure must contain.
        credential: the bot's.
        beside: codes of the other findings, which have causes of their own.
        stays: why the cures, pasted, do not heal it here; empty: they do.
    """

    code: str
    harm: Harm
    cure: str
    credential: str = FEDERATED
    beside: tuple[str, ...] = ()
    stays: str = ""


SENTENCE = "a sentence and a page: only people know the value, or can do it"
SCRIPTED = "the test answers in the app's or the log's place, whatever is pasted"
FROM_TODAY = "`rotate` makes no second version on the day of the first"
ROLES_LOST = "role assignments do not come back with a vault: what is found next names them"


INSIGHTS = "Microsoft.Insights/components"
ONLY_OFFICE = [
    {"ipAddress": "203.0.113.7/32", "action": "Allow", "priority": 100, "name": "office"}
]

DEFECTS = (
    Defect("setting-invalid", setting("MicrosoftAppId", None), "--settings MicrosoftAppId="),
    Defect("setting-invalid", setting("BotTurns", "Queueud"), "--settings BotTurns=Queued"),
    Defect("setting-invalid", setting("ChannelService", SECRET_VALUE), "--setting-names"),
    Defect("setting-password", setting("MicrosoftAppPassword", SECRET_VALUE), "--setting-names"),
    Defect(
        "setting-password",
        setting("CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET", SECRET_VALUE),
        "--setting-names CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET",
    ),
    Defect("setting-secret", setting("WEATHER_API_KEY", SECRET_VALUE), "WEATHER_API_KEY"),
    Defect(
        "setting-storage-key",
        setting("AzureWebJobsStorage", f"AccountName=contoso;AccountKey={SECRET_VALUE}"),
        "appsettings delete",
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
    Defect("identity-deleted", delete_identity, "docs/deploy-by-hand.md", stays=SENTENCE),
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
    Defect("vault-deleted", delete_vault, "az keyvault recover", CERTIFICATE, stays=ROLES_LOST),
    Defect(
        "vault-missing",
        setting("CertificateVaultUrl", "https://contoso-other.vault.azure.net"),
        "CertificateVaultUrl=",
        CERTIFICATE,
    ),
    Defect("certificate-missing", lose_versions, f"--vault {VAULT}", CERTIFICATE),
    Defect("certificate-disabled", disable_versions, "--enabled true", CERTIFICATE),
    Defect("certificate-not-registered", newer_certificate, f"--vault {VAULT}", CERTIFICATE),
    Defect(
        "certificate-ends-soon",
        certificate_ends(12),
        "certificate rotate",
        CERTIFICATE,
        stays=FROM_TODAY,
    ),
    Defect(
        "certificate-expired",
        certificate_ends(-1),
        "certificate rotate",
        CERTIFICATE,
        stays=FROM_TODAY,
    ),
    Defect(
        "insights-off",
        setting("APPLICATIONINSIGHTS_CONNECTION_STRING", None),
        "$(az resource show --ids ",
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
        "WorkspaceResourceId=/subscriptions/",
    ),
    Defect("endpoint-missing", azure_bot(endpoint=""), "migrate switch"),
    Defect(
        "endpoint-elsewhere",
        azure_bot(endpoint="https://bot.example/api/messages"),
        "If no gateway forwards",
    ),
    Defect("app-other-code", run_other_code, "docs/deploy-by-hand.md", stays=SENTENCE),
    Defect(
        "bot-replaced",
        replace_bot,
        "bot doctor --bot contoso-bot-2",
        stays="its cures look at the new bot, and this one stays replaced",
    ),
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
    Defect(
        "setting-misspelled",
        misspell,
        "--setting-names MICROSOFTAPPID",
        stays="only the deletion is a command",
    ),
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
        "again with the identity /subscriptions/",
        MANAGED_IDENTITY,
        stays=SENTENCE,
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
    Defect("registration-missing", lose_registration, "make a new bot", stays=SENTENCE),
    Defect("registration-deleted", delete_registration, "/restore"),
    Defect(
        "registration-secret",
        add_secret,
        "bot migrate delete-secret",
        stays="it asks for an answer to a user first, as a proof that the bot needs no secret",
    ),
    Defect("federated-differs", retrust(subject=OTHER_GUID), "federated-credential delete"),
    Defect(
        "federated-differs", retrust(audience="api://azureadtokenexchange"), "migrate federated"
    ),
    Defect(
        "federated-missing",
        trust_a_pipeline_only,
        "bot migrate federated",
    ),
    Defect("principal-missing", lose_principal, "az ad sp create --id"),
    Defect("principal-disabled", disable_principal, "--set accountEnabled=true"),
    Defect("assignment-required", require_assignment, "--set appRoleAssignmentRequired=false"),
    Defect("app-stopped", stop, "az functionapp start"),
    Defect("app-unreachable", cut_off, "docs/troubleshooting.md", stays=SENTENCE),
    Defect(
        "app-unhealthy", app_answers("/api/health", 503), "docs/troubleshooting.md", stays=SENTENCE
    ),
    Defect("app-unhealthy", forget_functions, "docs/troubleshooting.md", stays=SENTENCE),
    Defect(
        "app-barrier", app_answers("/api/messages", 302), "az webapp auth update", stays=SCRIPTED
    ),
    Defect(
        "endpoint-open",
        app_answers("/api/messages", 200),
        "Deploy this project's code again",
        stays=SENTENCE,
    ),
    Defect(
        "identity-unproven",
        app_answers("/api/identity", 503),
        "docs/troubleshooting.md",
        stays=SENTENCE,
    ),
    Defect(
        "identity-differs",
        app_answers("/api/identity", 200, f'{{"appId": "{OTHER_GUID}"}}'),
        "az functionapp restart",
        stays=SCRIPTED,
    ),
    Defect("app-warning", app_warns, "docs/troubleshooting.md", stays=SENTENCE),
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
    Defect("host-recycled", rows(Recycled=1), "docs/troubleshooting.md", stays=SENTENCE),
    Defect("function-in-error", rows(InError=2), "az functionapp restart", stays=SCRIPTED),
    Defect("worker-missing", rows(WithoutWorker=1), "docs/troubleshooting.md", stays=SENTENCE),
    Defect("host-shut-down", rows(ShutDown=1), "docs/troubleshooting.md", stays=SENTENCE),
    Defect("turns-failed", rows(Failed=2), "docs/operations.md", stays=SENTENCE),
    Defect("event-loop-blocked", rows(Blocked=1), "docs/troubleshooting.md", stays=SENTENCE),
    Defect(
        "turns-dead-lettered",
        rows(DeadLettered=1),
        "bot dead-letters list",
        stays=SCRIPTED,
    ),
    Defect("calls-refused", rows(Refused=300), "docs/troubleshooting.md", stays=SENTENCE),
    Defect(
        "dead-letters",
        queue("bot-turns-poison", 1),
        "dead-letters list --account contoso",
        stays=SCRIPTED,
    ),
    Defect(
        "dead-letters",
        queue("bot-notifications-poison", 1),
        "docs/notifications.md",
        stays=SENTENCE,
    ),
    Defect("queue-backlog", queue("bot-turns", 5000), "docs/operations.md", stays=SENTENCE),
    Defect(
        "certificate-missing",
        setting("CertificateName", "bot-certifcate"),
        f"--settings CertificateName={CERTIFICATE_NAME}",
        CERTIFICATE,
    ),
    Defect(
        "certificate-missing",
        setting("CertificateName", "bot-certifcate"),
        f"--settings CertificateName={CERTIFICATE_NAME}",
        SIGN_IN_VAULT,
    ),
    Defect(
        "certificate-missing",
        other_vault,
        f"CertificateVaultUrl=https://{VAULT}.vault.azure.net",
        SIGN_IN_VAULT,
    ),
    Defect("certificate-missing", delete_certificate, "certificate recover", CERTIFICATE),
    Defect(
        "certificate-missing",
        all_of(lose_versions, setting("CertificateName", "bot-two")),
        f"--vault {VAULT} --name bot-two",
        SIGN_IN_VAULT,
    ),
    Defect("certificate-disabled", disable_newest, "--enabled true", CERTIFICATE),
    Defect("certificate-not-registered", unregister, f"--vault {VAULT}", SIGN_IN_VAULT),
    Defect(
        "vault-missing",
        setting("CertificateVaultUrl", f"https://{VAULT}s.vault.azure.net"),
        f"CertificateVaultUrl=https://{VAULT}.vault.azure.net",
        SIGN_IN_VAULT,
    ),
    Defect("vault-deleted", delete_vault, "az keyvault recover", SIGN_IN_VAULT, stays=ROLES_LOST),
    Defect(
        "vault-network",
        of(VAULTS, networkAcls={"defaultAction": "Deny", "bypass": "AzureServices"}),
        "--default-action Allow",
        CERTIFICATE,
    ),
    Defect(
        "vault-network",
        of(VAULTS, publicNetworkAccess="Disabled"),
        "--public-network-access Enabled",
        SIGN_IN_VAULT,
    ),
    Defect(
        "storage-network",
        of(STORAGE, networkAcls={"defaultAction": "Deny", "bypass": "AzureServices"}),
        "--default-action Allow",
    ),
    Defect(
        "storage-network",
        of(STORAGE, publicNetworkAccess="Disabled"),
        "--public-network-access Enabled",
    ),
    Defect("storage-missing", delete_storage, "docs/deploy-by-hand.md", stays=SENTENCE),
    Defect(
        "storage-missing",
        all_of(
            setting("AzureWebJobsStorage__accountName", "contosofunction"),
            app_answers("/api/health", 503),
        ),
        "AzureWebJobsStorage__accountName=contosofunctions",
        stays=SCRIPTED,
    ),
    Defect("identity-unknown", principal_as("AZURE_CLIENT_ID"), "AZURE_CLIENT_ID="),
    Defect(
        "identity-unknown", setting("AZURE_CLIENT_ID", OTHER_GUID), "AZURE_CLIENT_ID=", CERTIFICATE
    ),
    Defect(
        "storage-identity-unknown",
        principal_as("AzureWebJobsStorage__clientId"),
        "AzureWebJobsStorage__clientId=",
        MANAGED_IDENTITY,
    ),
    Defect("app-id-differs", principal_as("MicrosoftAppId"), "MicrosoftAppId=", MANAGED_IDENTITY),
    Defect("identity-missing", give_system_identity, "az functionapp identity assign"),
    Defect("identity-missing", unassign_identity, "az functionapp identity assign", CERTIFICATE),
    Defect(
        "identity-missing", unassign_identity, "az functionapp identity assign", MANAGED_IDENTITY
    ),
    Defect(
        "identity-missing",
        all_of(
            unassign_identity,
            setting("WEATHER", "@Microsoft.KeyVault(VaultName=contoso;SecretName=weather)"),
        ),
        "az functionapp identity assign",
        stays="the next finding is the reference, which nobody could read without an identity",
    ),
    Defect(
        "identity-deleted", delete_identity, "docs/deploy-by-hand.md", CERTIFICATE, stays=SENTENCE
    ),
    Defect(
        "identity-deleted",
        delete_identity_and_roles,
        "docs/deploy-by-hand.md",
        SIGN_IN_VAULT,
        stays=SENTENCE,
    ),
    Defect(
        "identity-deleted",
        delete_identity_and_roles,
        "docs/deploy-by-hand.md",
        MANAGED_IDENTITY,
        stays=SENTENCE,
    ),
    Defect("identity-deleted", delete_second_identity, "az functionapp identity remove"),
    Defect("federated-differs", name_second_identity, "--settings AZURE_CLIENT_ID="),
    Defect("federated-differs", trust_the_client_id, "federated-credential delete"),
    Defect("federated-differs", trust_another_tenant, "federated-credential delete"),
    Defect("federated-differs", trust_with_a_slash, "federated-credential delete"),
    Defect("federated-differs", trust_v1, "federated-credential delete"),
    Defect(
        "federated-missing",
        all_of(trust_another_tenant, retrust(subject=OTHER_GUID)),
        "bot migrate federated",
    ),
    Defect("role-missing", assign_to_system_identity, f"--role {QUEUE_CONTRIBUTOR}"),
    Defect("role-missing", assign_to_one_queue, f"--role {QUEUE_CONTRIBUTOR}"),
    Defect("insights-missing", delete_component, "Logs without a key", stays=SENTENCE),
    Defect(
        "insights-authentication",
        setting(
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING", f"Authorization=AAD;ClientId={OTHER_GUID}"
        ),
        "Authorization=AAD;ClientId=",
        MANAGED_IDENTITY,
    ),
    Defect(
        "app-type-differs",
        setting("MicrosoftAppType", "UserAssignedMSI"),
        "MicrosoftAppType=SingleTenant",
    ),
    Defect(
        "app-type-differs",
        setting("MicrosoftAppType", "SingleTenant"),
        "MicrosoftAppType=UserAssignedMSI",
        MANAGED_IDENTITY,
    ),
    Defect(
        "app-type-differs",
        setting("MicrosoftAppType", "MultiTenant"),
        "MicrosoftAppType=SingleTenant",
    ),
    Defect(
        "tenant-differs",
        setting("MicrosoftAppTenantId", OTHER_GUID),
        "MicrosoftAppTenantId=",
        MANAGED_IDENTITY,
    ),
    Defect(
        "cloud-differs",
        setting("ChannelService", "https://botframework.azure.us"),
        "--setting-names ChannelService",
    ),
    Defect(
        "tenants-excluded", setting("AllowedTenants", OTHER_GUID), f"AllowedTenants={OTHER_GUID},"
    ),
    Defect(
        "registration-missing",
        sign_in_elsewhere,
        f"az login --tenant {OTHER_GUID}",
        stays="the account has no other tenant here",
    ),
    Defect("registration-deleted", delete_registration, "/restore", SIGN_IN_VAULT),
    Defect(
        "endpoint-wrong",
        azure_bot(endpoint=f"http://{APP}.azurewebsites.net/api/messages"),
        f"--endpoint https://{APP}.azurewebsites.net/api/messages",
    ),
    Defect(
        "endpoint-wrong",
        azure_bot(endpoint=f"https://{APP}.azurewebsites.net"),
        f"--endpoint https://{APP}.azurewebsites.net/api/messages",
        MANAGED_IDENTITY,
    ),
    Defect("endpoint-wrong", add_domain, f"--endpoint https://{APP}.azurewebsites.net"),
    Defect(
        "app-barrier",
        app_answers("/api/messages", 404),
        "deploy this project's code",
        stays=SENTENCE,
    ),
    Defect(
        "app-stopped",
        all_of(stop, app_answers("/api/identity", 403)),
        "az functionapp start",
        MANAGED_IDENTITY,
        stays=SCRIPTED,
    ),
    Defect(
        "access-restrictions",
        web(
            ipSecurityRestrictions=[
                *ONLY_OFFICE,
                {
                    "ipAddress": "AzureBotService",
                    "tag": "ServiceTag",
                    "action": "Allow",
                    "priority": 200,
                },
            ]
        ),
        "--ip-address 52.112.0.0/14,52.122.0.0/15",
    ),
    Defect(
        "setting-storage-key",
        all_of(
            setting(
                "AzureWebJobsStorage", f"AccountName=contosofunctions;AccountKey={SECRET_VALUE}"
            ),
            setting("AzureWebJobsStorage__accountName", None),
        ),
        "AzureWebJobsStorage__accountName=contosofunctions",
    ),
    Defect("identity-unknown", setting("AZURE_CLIENT_ID", None), "AZURE_CLIENT_ID=", CERTIFICATE),
    Defect("identity-unknown", setting("AZURE_CLIENT_ID", None), "AZURE_CLIENT_ID=", SIGN_IN_VAULT),
    Defect(
        "setting-misspelled",
        all_of(setting("AZURE_CLIENT_ID", None), setting("AZURE_CLIENTID", OTHER_GUID)),
        "--setting-names AZURE_CLIENTID",
        CERTIFICATE,
        stays="what is found next is that this identity is none of the app's",
    ),
    Defect(
        "storage-identity-unknown",
        setting("AzureWebJobsStorage__clientId", None),
        "AzureWebJobsStorage__clientId=",
        CERTIFICATE,
    ),
    Defect(
        "storage-missing",
        setting("AzureWebJobsStorage__accountName", None),
        "AzureWebJobsStorage__accountName=contosofunctions",
    ),
    Defect(
        "storage-missing",
        all_of(
            setting("BotTurns", "Queued"),
            *(
                setting(f"AzureWebJobsStorage__{name}", None)
                for name in ("accountName", "credential", "clientId")
            ),
        ),
        "AzureWebJobsStorage__credential=managedidentity AzureWebJobsStorage__clientId=",
        MANAGED_IDENTITY,
    ),
    Defect(
        "vault-missing",
        setting("CertificateVaultUrl", f"https://{VAULT}.vault.azure.cn"),
        f"CertificateVaultUrl=https://{VAULT}.vault.azure.net",
        SIGN_IN_VAULT,
    ),
    Defect(
        "setting-invalid",
        setting("CertificateThumbprint", "A" * 40),
        "--settings CertificateThumbprint=",
        CERTIFICATE,
    ),
    Defect(
        "setting-invalid",
        setting("CertificatePath", "/home/site/bot.pem"),
        "--setting-names CertificatePath",
        SIGN_IN_VAULT,
    ),
    Defect(
        "app-id-differs",
        share_app,
        "bot doctor --bot contoso-other",
        stays="each bot needs an app of its own, and only people know which",
    ),
)
"""Each is one row of the test."""
