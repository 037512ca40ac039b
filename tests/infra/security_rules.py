"""Rules on what the templates evaluate to, whichever way the bot is deployed."""

from collections.abc import Iterator

from auth.credential_kinds import KINDS, MANAGED_IDENTITY, READ_CERTIFICATE, READ_SECRET, SIGN
from bot_workbench.emulator.resource_manager.sites import NOT_ON_FLEX
from tests.infra.resource_types import NAMES, TYPES, is_name, problems
from tests.infra.template import PRINCIPAL_ID, Template, Variant
from tests.support.bicep.deployment import Resource
from tests.support.bicep.stand_in import APP_ID, TENANT_ID

VAULT = "Microsoft.KeyVault/vaults"
STORAGE = "Microsoft.Storage/storageAccounts"
PACKAGES = f"{STORAGE}/blobServices/containers"
SITE = "Microsoft.Web/sites"
BOT = "Microsoft.BotService/botServices"
CHANNEL = f"{BOT}/channels"
ROLE = "Microsoft.Authorization/roleAssignments"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
MODELS = "Microsoft.CognitiveServices/accounts"
WORKSPACE = "Microsoft.OperationalInsights/workspaces"
COMPONENT = "Microsoft.Insights/components"
DIAGNOSTICS = "Microsoft.Insights/diagnosticSettings"

BLOB_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
QUEUE_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
VAULT_READER = "21090545-7ca7-4776-b22c-e363652d74d2"
CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"

ALWAYS = {(STORAGE, BLOB_OWNER), (STORAGE, QUEUE_CONTRIBUTOR), (COMPONENT, METRICS_PUBLISHER)}
"""Role assignments of the bot's identity: type of the scope, and role."""

ON_VAULT = {
    READ_CERTIFICATE: (VAULT, VAULT_READER),
    SIGN: (VAULT, CRYPTO_USER),
    READ_SECRET: (VAULT, SECRETS_USER),
}
"""More of them, by what the credential does in the vault."""

CHANNEL_SERVICES = {
    "Public": None,
    "USGovernment": "https://botframework.azure.us",
    "China": "https://botframework.azure.cn",
}


def has_known_types(template: Template) -> Iterator[str]:
    """Each resource has a known type, version and properties, and allowed values."""
    for variant, resource in _resources(template):
        versioned = f"{resource.type}@{resource.api_version}"
        if versioned not in TYPES:
            yield f"{versioned} is unknown"
            continue
        yield from (
            f"{versioned}: {each} ({variant})" for each in problems(versioned, resource.body)
        )


def has_valid_names(template: Template) -> Iterator[str]:
    """Azure accepts each name, and no two resources have the same id."""
    for variant in template.variants:
        ids = [each.id for each in variant.evaluated.resources]
        yield from (f"{each} is there twice" for each in ids if ids.count(each) > 1)
    for variant, resource in _resources(template):
        if resource.type in NAMES and not is_name(resource.type, resource.name):
            yield f"{resource.type} {resource.name} ({variant})"


def protects_storage(template: Template) -> Iterator[str]:
    """The account has no usable key, nothing public, and TLS 1.2 or newer."""
    expected = {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "allowCrossTenantReplication": False,
        "defaultToOAuthAuthentication": True,
        "supportsHttpsTrafficOnly": True,
        "minimumTlsVersion": "TLS1_2",
    }
    yield from _differences(template, STORAGE, expected)
    for variant in template.variants:
        for container in variant.evaluated.of_type(PACKAGES):
            if container.body.get("properties", {}).get("publicAccess", "None") != "None":
                yield f"{container.name} is public"


def protects_vault(template: Template) -> Iterator[str]:
    """There is a vault only for a certificate: with roles, and protected from being purged."""
    expected = {
        "enableRbacAuthorization": True,
        "enablePurgeProtection": True,
        "enableSoftDelete": True,
        "tenantId": TENANT_ID,
    }
    for variant in template.variants:
        vaults = variant.evaluated.of_type(VAULT)
        if len(vaults) != variant.uses_vault:
            yield f"{len(vaults)} vaults ({variant})"
        for vault in vaults:
            yield from _unlike(vault.body["properties"], expected, str(variant))


def records_who_uses_the_vault(template: Template) -> Iterator[str]:
    """Each call of the vault is written into the workspace, in a table that only the vault has."""
    for variant in template.variants:
        vaults = variant.evaluated.of_type(VAULT)
        found = variant.evaluated.of_type(DIAGNOSTICS)
        scopes = [each.id.partition(f"/providers/{DIAGNOSTICS}")[0] for each in found]
        if scopes != [each.id for each in vaults]:
            yield f"recorded is {scopes} ({variant})"
        expected = {
            "workspaceId": variant.one(WORKSPACE).id,
            "logAnalyticsDestinationType": "Dedicated",
            "logs": [{"category": "AuditEvent", "enabled": True}],
        }
        for each in found:
            yield from _unlike(each.body["properties"], expected, str(variant))


def protects_telemetry(template: Template) -> Iterator[str]:
    """Telemetry goes to a workspace, and nobody can write it with a key."""
    yield from _differences(template, COMPONENT, {"DisableLocalAuth": True})
    for variant in template.variants:
        workspace = variant.one(WORKSPACE)
        if workspace.body["properties"].get("features", {}).get("disableLocalAuth") is not True:
            yield f"the workspace takes keys ({variant})"
        if variant.properties(COMPONENT).get("WorkspaceResourceId") != workspace.id:
            yield f"Application Insights has no workspace ({variant})"
        identity = variant.one(IDENTITY)
        client_id = variant.evaluated.clients[identity.id]
        sent = variant.settings().get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING")
        if sent != f"Authorization=AAD;ClientId={client_id}":
            yield f"telemetry is sent without the identity ({variant})"


def protects_site(template: Template) -> Iterator[str]:
    """The app has https only, its identity and Python 3.13, and nobody publishes by FTP."""
    yield from _differences(template, SITE, {"httpsOnly": True, "publicNetworkAccess": "Enabled"})
    for variant in template.variants:
        site, identity = variant.one(SITE), variant.one(IDENTITY)
        properties = site.body["properties"]
        configuration = {"minTlsVersion": "1.2", "scmMinTlsVersion": "1.2", "ftpsState": "Disabled"}
        yield from _unlike(properties.get("siteConfig", {}), configuration, str(variant))
        if site.body.get("identity") != {
            "type": "UserAssigned",
            "userAssignedIdentities": {identity.id: {}},
        }:
            yield f"the site's identity ({variant})"
        if properties.get("keyVaultReferenceIdentity") != identity.id:
            yield f"keyVaultReferenceIdentity ({variant})"
        yield from _flex_problems(variant, properties["functionAppConfig"], identity)
        plan = variant.one("Microsoft.Web/serverfarms")
        if plan.body["sku"] != {"tier": "FlexConsumption", "name": "FC1"}:
            yield f"the plan is {plan.body['sku']}"
        kind = site.body["kind"]
        if (
            kind != "functionapp,linux"
            or properties.get("serverFarmId") != plan.id
            or plan.body["properties"] != {"reserved": True}
        ):
            yield f"the site is not on a Linux plan ({variant})"


def _flex_problems(variant: Variant, config: dict, identity: Resource) -> Iterator[str]:  # type: ignore[type-arg]
    account = variant.one(STORAGE)
    storage = config["deployment"]["storage"]
    if storage["authentication"] != {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": identity.id,
    }:
        yield f"the package is read without the identity ({variant})"
    host, _, container = storage["value"].removeprefix("https://").partition("/")
    if not host.startswith(f"{account.name}.blob.") or container != variant.one(PACKAGES).name:
        yield f"the package is at {storage['value']}"
    if config["runtime"] != {"name": "python", "version": "3.13"}:
        yield f"the runtime is {config['runtime']}"
    triggers = config["scaleAndConcurrency"].get("triggers")
    if triggers != {"http": {"perInstanceConcurrency": 16}}:
        yield f"an instance takes {triggers} requests"
    ready = {
        each["name"]: each["instanceCount"] for each in config["scaleAndConcurrency"]["alwaysReady"]
    }
    names = ["http", "function:turns"] if variant.parameters["turns"] == "Queued" else ["http"]
    wanted = variant.parameters["alwaysReady"]
    if ready != (dict.fromkeys(names, wanted) if wanted else {}):
        yield f"always ready are {ready} ({variant})"


def refuses_passwords(template: Template) -> Iterator[str]:
    """Publishing with a password is off, for scm and for ftp."""
    for variant in template.variants:
        policies = variant.evaluated.of_type(f"{SITE}/basicPublishingCredentialsPolicies")
        allowed = {each.name: each.body["properties"]["allow"] for each in policies}
        if allowed != {"scm": False, "ftp": False}:
            yield f"{allowed} ({variant})"


def grants_only_needed_roles(template: Template) -> Iterator[str]:
    """The identity has exactly the roles that it needs, on one resource each, and who signs in as
    the bot has the one on the models; nobody else has any.
    """
    for variant in template.variants:
        principal = variant.evaluated.principals[variant.one(IDENTITY).id]
        expected = {
            (principal, "ServicePrincipal", kind, role)
            for kind, role in ALWAYS
            | {ON_VAULT[each] for each in KINDS[variant.credential].vault_operations}
        }
        if variant.parameters["openaiResourceId"]:
            is_identity = variant.credential == MANAGED_IDENTITY
            bot = principal if is_identity else PRINCIPAL_ID
            expected.add((bot, "ServicePrincipal", MODELS, OPENAI_USER))
        found = [_grant(each) for each in variant.evaluated.of_type(ROLE)]
        if sorted(found) != sorted(expected):
            yield f"{set(found) ^ expected or 'one of them twice'} ({variant})"


def _grant(assignment: Resource) -> tuple[str, str, str, str]:
    properties = assignment.body["properties"]
    scope = assignment.id.partition(f"/providers/{ROLE}")[0]
    kind = "/".join(scope.rpartition("/providers/")[2].split("/")[:-1])
    role = properties["roleDefinitionId"].rpartition("/")[2]
    return properties["principalId"], properties["principalType"], kind, role


def serves_channels(template: Template) -> Iterator[str]:
    """The Azure Bot leads to the app, on Teams with accepted terms, on Direct Line if asked."""
    for variant in template.variants:
        endpoint = variant.evaluated.outputs["BOT_ENDPOINT"]
        if variant.properties(BOT).get("endpoint") != endpoint:
            yield f"the bot's endpoint is not {endpoint} ({variant})"
        if not endpoint.startswith("https://") or not endpoint.endswith("/api/messages"):
            yield f"the endpoint is {endpoint}"
        channels = {
            each.name: each.body["properties"] for each in variant.evaluated.of_type(CHANNEL)
        }
        wanted = {"MsTeamsChannel", "WebChatChannel"}
        wanted |= {"DirectLineChannel"} if variant.parameters["directLine"] else set()
        if channels.keys() != wanted:
            yield f"the channels are {sorted(channels)} ({variant})"
        if any(name != each["channelName"] for name, each in channels.items()):
            yield f"a channel has another's name ({variant})"
        teams = channels.get("MsTeamsChannel", {}).get("properties")
        if teams != {"isEnabled": True, "acceptedTerms": True}:
            yield f"Teams: {teams}"
        for site in channels.get("DirectLineChannel", {}).get("properties", {}).get("sites", []):
            if (site.get("isV1Enabled"), site.get("isV3Enabled")) != (False, True):
                yield f"Direct Line: {site}"


def signs_in_as_the_bot(template: Template) -> Iterator[str]:
    """Azure Bot and app settings have the same id, type and tenant, of the right kind."""
    for variant in template.variants:
        identity = variant.one(IDENTITY)
        is_identity = variant.credential == "ManagedIdentity"
        client_id = variant.evaluated.clients[identity.id]
        settings, bot = variant.settings(), variant.properties(BOT)
        expected = {
            "MicrosoftAppId": client_id if is_identity else APP_ID,
            "MicrosoftAppType": KINDS[variant.credential].app_types[0],
            "MicrosoftAppTenantId": TENANT_ID,
            "BotCredential": variant.credential,
            "BotTurns": variant.parameters["turns"],
            "AZURE_CLIENT_ID": None if is_identity else client_id,
            "ChannelService": CHANNEL_SERVICES[variant.parameters["cloud"]],
            "AzureWebJobsStorage__clientId": client_id,
            "AzureWebJobsStorage__credential": "managedidentity",
        }
        yield from _unlike(settings, expected, str(variant))
        same = {
            "msaAppId": expected["MicrosoftAppId"],
            "msaAppType": expected["MicrosoftAppType"],
            "msaAppTenantId": TENANT_ID,
            "msaAppMSIResourceId": identity.id if is_identity else None,
        }
        yield from _unlike(bot, same, str(variant))
        if variant.evaluated.outputs["BOT_ID"] != expected["MicrosoftAppId"]:
            yield f"BOT_ID ({variant})"


def has_allowed_settings(template: Template) -> Iterator[str]:
    """No setting that Flex Consumption refuses, none that is empty, and none with a key in it."""
    for variant in template.variants:
        for name, value in variant.settings().items():
            if name in NOT_ON_FLEX or not value or "accountkey" in value.lower():
                yield f"{name}={value} ({variant})"


def has_tags(template: Template) -> Iterator[str]:
    """azd and the hooks find the resources by their tags; only the app has the service's."""
    for variant, resource in _resources(template):
        tags = resource.body.get("tags")
        expected = {"azd-env-name": variant.parameters["environmentName"]}
        if resource.type == SITE:
            expected["azd-service-name"] = "bot"
        if "location" in resource.body and resource.type != CHANNEL and tags != expected:
            yield f"{resource.type}: {tags}"


def _resources(template: Template) -> Iterator[tuple[Variant, Resource]]:
    for variant in template.variants:
        yield from ((variant, each) for each in variant.evaluated.resources)


def _differences(template: Template, kind: str, expected: dict[str, object]) -> Iterator[str]:
    for variant in template.variants:
        yield from _unlike(variant.properties(kind), expected, str(variant))


def _unlike(found: dict, expected: dict, where: str) -> Iterator[str]:  # type: ignore[type-arg]
    for name, value in expected.items():
        if found.get(name) != value:
            yield f"{name} is {found.get(name)!r}, not {value!r} ({where})"
