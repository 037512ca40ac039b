"""Mutations: single changes to the templates, and the rule that must notice each."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.infra import security_rules, syntax_rules
from tests.infra.template import Template

Rule = Callable[[Template], Iterator[str]]

RULES: tuple[Rule, ...] = (
    syntax_rules.parses,
    syntax_rules.has_no_key_calls,
    syntax_rules.has_no_secrets,
    syntax_rules.uses_everything,
    syntax_rules.uses_every_module,
    syntax_rules.names_no_cloud,
    syntax_rules.is_plain,
    syntax_rules.has_descriptions,
    security_rules.has_known_types,
    security_rules.has_valid_names,
    security_rules.protects_storage,
    security_rules.protects_vault,
    security_rules.protects_telemetry,
    security_rules.protects_site,
    security_rules.refuses_passwords,
    security_rules.grants_only_needed_roles,
    security_rules.serves_channels,
    security_rules.signs_in_as_the_bot,
    security_rules.has_allowed_settings,
    security_rules.has_tags,
)


class Mutation(NamedTuple):
    """One change.

    Attributes:
        file: in infra/.
        old: is there exactly once.
        new: replaces it.
        rule: notices it.
    """

    file: str
    old: str
    new: str
    rule: Rule


_MAIN, _APP, _BOT = "main.bicep", "modules/app.bicep", "modules/bot.bicep"
_SETTINGS = "modules/settings.bicep"
_STORAGE, _VAULT = "modules/storage.bicep", "modules/vault.bicep"
_MONITORING, _IDENTITY = "modules/monitoring.bicep", "modules/identity.bicep"
_CLIENT = "AzureWebJobsStorage__clientId: identityClientId"
_OUT = "output name string = app.name"
_CHANNELS = "var channelServices = {"
_QUEUES = "'974c5e8b-45b9-4653-ba55-5f855dd0fb88'"
_TERMS = "      acceptedTerms: true\n"

MUTATIONS = (
    Mutation(_MAIN, "var tags = {", "var tags = {{", syntax_rules.parses),
    Mutation(_MAIN, "param turns string", "param turns strin g =", syntax_rules.parses),
    Mutation(
        _STORAGE,
        "output name",
        "output key string = account.listKeys().keys[0].value\noutput name",
        syntax_rules.has_no_key_calls,
    ),
    Mutation(
        _SETTINGS,
        _CLIENT,
        f"{_CLIENT}\n  Key: listKeys(app.id, '2024-11-01').key",
        syntax_rules.has_no_key_calls,
    ),
    Mutation(
        _APP,
        _OUT,
        f"{_OUT}\noutput logs string = insights.properties.ConnectionString",
        syntax_rules.has_no_secrets,
    ),
    Mutation(_BOT, "param sku string", "@secure()\nparam sku string", syntax_rules.has_no_secrets),
    Mutation(
        _MAIN,
        "param botAppId string = ''",
        "param botAppId string = ''\n@description('x')\nparam botSecret string = ''",
        syntax_rules.has_no_secrets,
    ),
    Mutation(
        _BOT,
        "param sku string",
        "param sku string\nparam other string = ''",
        syntax_rules.uses_everything,
    ),
    Mutation(_MAIN, _CHANNELS, f"var unused = 1\n{_CHANNELS}", syntax_rules.uses_everything),
    Mutation(
        _APP, _OUT, f"{_OUT}\noutput planName string = plan.name", syntax_rules.uses_everything
    ),
    Mutation(
        _SETTINGS,
        "CONNECTION_STRING: insights.properties.ConnectionString",
        "CONNECTION_STRING: app.id",
        syntax_rules.uses_everything,
    ),
    Mutation(
        _MAIN,
        "module bot 'modules/bot.bicep'",
        "module bot 'modules/app.bicep'",
        syntax_rules.uses_every_module,
    ),
    Mutation(
        _MAIN,
        "${environment().suffixes.keyvaultDns}",
        ".vault.azure.net",
        syntax_rules.names_no_cloud,
    ),
    Mutation(
        _SETTINGS,
        ".queue.${environment().suffixes.storage}",
        ".queue.core.windows.net",
        syntax_rules.names_no_cloud,
    ),
    Mutation(
        _BOT, "  sku: { name: sku }", "  sku: { name: sku }\n  dependsOn: []", syntax_rules.is_plain
    ),
    Mutation(
        _BOT, "displayName: displayName", "displayName: '${displayName}'", syntax_rules.is_plain
    ),
    Mutation(_BOT, "? null : homeTenant", "? null : tenant().tenantId", syntax_rules.is_plain),
    Mutation(
        _SETTINGS,
        "union(botSettings,",
        "union({ BotTurns: 'Inline' },",
        syntax_rules.is_plain,
    ),
    Mutation(
        _BOT,
        "  parent: bot\n  name: 'MsTeamsChannel'",
        "  name: 'bot/MsTeamsChannel'",
        syntax_rules.is_plain,
    ),
    Mutation(
        _MAIN,
        "@description('Whether to add the Direct Line",
        "@metadata('Whether to add the Direct Line",
        syntax_rules.has_descriptions,
    ),
    Mutation(_VAULT, "vaults@2026-02-01", "vaults@2016-10-01", security_rules.has_known_types),
    Mutation(_APP, "httpsOnly: true", "httpOnly: true", security_rules.has_known_types),
    Mutation(_STORAGE, "'Standard_LRS'", "'Standard'", security_rules.has_known_types),
    Mutation(_BOT, "    displayName: displayName\n", "", security_rules.has_known_types),
    Mutation(
        _MAIN,
        "var vaultName = 'kv-${token}'",
        "var vaultName = 'bot-vault-of-${token}'",
        security_rules.has_valid_names,
    ),
    Mutation(_MAIN, "'st${token}'", "'st-${token}'", security_rules.has_valid_names),
    Mutation(
        _MAIN,
        "replace(environmentName, '_', '-')",
        "replace(environmentName, '-', '_')",
        security_rules.has_valid_names,
    ),
    Mutation(
        _STORAGE,
        "guid(account.id, identityPrincipalId, role)",
        "guid(account.id, identityPrincipalId)",
        security_rules.has_valid_names,
    ),
    Mutation(
        _STORAGE,
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
        security_rules.protects_storage,
    ),
    Mutation(_STORAGE, "    allowSharedKeyAccess: false\n", "", security_rules.protects_storage),
    Mutation(
        _STORAGE,
        "allowBlobPublicAccess: false",
        "allowBlobPublicAccess: true",
        security_rules.protects_storage,
    ),
    Mutation(_STORAGE, "TLS1_2", "TLS1_0", security_rules.protects_storage),
    Mutation(
        _STORAGE,
        "supportsHttpsTrafficOnly: true",
        "supportsHttpsTrafficOnly: false",
        security_rules.protects_storage,
    ),
    Mutation(
        _STORAGE,
        "defaultToOAuthAuthentication: true",
        "defaultToOAuthAuthentication: false",
        security_rules.protects_storage,
    ),
    Mutation(
        _STORAGE,
        "  name: 'app-package'\n",
        "  name: 'app-package'\n  properties: { publicAccess: 'Blob' }\n",
        security_rules.protects_storage,
    ),
    Mutation(
        _VAULT,
        "enableRbacAuthorization: true",
        "enableRbacAuthorization: false",
        security_rules.protects_vault,
    ),
    Mutation(_VAULT, "    enablePurgeProtection: true\n", "", security_rules.protects_vault),
    Mutation(
        _MAIN,
        "'modules/vault.bicep' = if (usesVault) {",
        "'modules/vault.bicep' = {",
        security_rules.protects_vault,
    ),
    Mutation(
        _MONITORING,
        "DisableLocalAuth: true",
        "DisableLocalAuth: false",
        security_rules.protects_telemetry,
    ),
    Mutation(
        _MONITORING,
        "    features: { disableLocalAuth: true }\n",
        "",
        security_rules.protects_telemetry,
    ),
    Mutation(
        _MONITORING,
        "    WorkspaceResourceId: workspace.id\n",
        "",
        security_rules.protects_telemetry,
    ),
    Mutation(
        _SETTINGS,
        "'Authorization=AAD;ClientId=${identityClientId}'",
        "'Authorization=AAD'",
        security_rules.protects_telemetry,
    ),
    Mutation(_APP, "httpsOnly: true", "httpsOnly: false", security_rules.protects_site),
    Mutation(
        _APP, "ftpsState: 'Disabled'", "ftpsState: 'AllAllowed'", security_rules.protects_site
    ),
    Mutation(_APP, "      minTlsVersion: '1.2'\n", "", security_rules.protects_site),
    Mutation(_APP, "version: '3.13'", "version: '3.12'", security_rules.protects_site),
    Mutation(
        _APP,
        "type: 'UserAssignedIdentity'",
        "type: 'StorageAccountConnectionString'",
        security_rules.protects_site,
    ),
    Mutation(_APP, "    keyVaultReferenceIdentity: identityId\n", "", security_rules.protects_site),
    Mutation(
        _APP,
        "perInstanceConcurrency: 16",
        "perInstanceConcurrency: 1",
        security_rules.protects_site,
    ),
    Mutation(
        _MAIN, "['http', 'function:turns']", "['function:turns']", security_rules.protects_site
    ),
    Mutation(
        _APP, "properties: { reserved: true }", "properties: {}", security_rules.protects_site
    ),
    Mutation(
        _APP,
        "  name: 'scm'\n  properties: { allow: false }",
        "  name: 'scm'\n  properties: { allow: true }",
        security_rules.refuses_passwords,
    ),
    Mutation(_APP, "  name: 'ftp'\n", "  name: 'scm'\n", security_rules.refuses_passwords),
    Mutation(
        _STORAGE,
        _QUEUES,
        f"{_QUEUES}\n  '17d1049b-9a84-46fb-8f53-869881c3d3ab'",
        security_rules.grants_only_needed_roles,
    ),
    Mutation(_STORAGE, "  scope: account\n", "", security_rules.grants_only_needed_roles),
    Mutation(
        _VAULT,
        "roles = signsInVault ?",
        "roles = !signsInVault ?",
        security_rules.grants_only_needed_roles,
    ),
    Mutation(
        _VAULT,
        "= if (!empty(deployerPrincipalId)) {",
        "= {",
        security_rules.grants_only_needed_roles,
    ),
    Mutation(
        _MONITORING,
        "3913510d-42f4-4e42-8a64-420c390055eb",
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        security_rules.grants_only_needed_roles,
    ),
    Mutation(_BOT, _TERMS, "", security_rules.serves_channels),
    Mutation(_BOT, _TERMS, "      acceptedTerms: false\n", security_rules.serves_channels),
    Mutation(_BOT, "if (directLine) ", "", security_rules.serves_channels),
    Mutation(_BOT, "isV1Enabled: false", "isV1Enabled: true", security_rules.serves_channels),
    Mutation(
        _MAIN,
        "CertificateKeyUse: credential == 'SignInVault'",
        "CertificateKeyUse: credential == 'Certificate'",
        security_rules.signs_in_as_the_bot,
    ),
    Mutation(_APP, "}/api/messages'", "}/api/message'", security_rules.serves_channels),
    Mutation(
        _BOT,
        "endpoint: endpoint",
        "endpoint: 'https://example.com/api/messages'",
        security_rules.serves_channels,
    ),
    Mutation(
        _MAIN,
        "isIdentity ? 'UserAssignedMSI' : botAppType",
        "botAppType",
        security_rules.signs_in_as_the_bot,
    ),
    Mutation(
        _MAIN,
        "var botId = isIdentity ? identity.outputs.clientId : botAppId",
        "var botId = botAppId",
        security_rules.signs_in_as_the_bot,
    ),
    Mutation(
        _MAIN,
        "cloud == 'Public' ? {} : { ChannelService",
        "cloud == 'China' ? {} : { ChannelService",
        security_rules.signs_in_as_the_bot,
    ),
    Mutation(
        _MAIN,
        "isIdentity ? {} : { AZURE_CLIENT_ID",
        "usesVault ? {} : { AZURE_CLIENT_ID",
        security_rules.signs_in_as_the_bot,
    ),
    Mutation(
        _IDENTITY,
        "clientId string = identity.properties.clientId",
        "clientId string = identity.properties.principalId",
        security_rules.signs_in_as_the_bot,
    ),
    Mutation(
        _SETTINGS,
        _CLIENT,
        f"{_CLIENT}\n  FUNCTIONS_WORKER_RUNTIME: 'python'",
        security_rules.has_allowed_settings,
    ),
    Mutation(
        _SETTINGS,
        _CLIENT,
        f"{_CLIENT}\n  ChannelService: ''",
        security_rules.has_allowed_settings,
    ),
    Mutation(
        _SETTINGS,
        "{ AzureWebJobsStorage__accountName: storageName }",
        "{ AzureWebJobsStorage: 'AccountName=x;AccountKey=y' }",
        security_rules.has_allowed_settings,
    ),
    Mutation(
        _APP, "'azd-service-name': 'bot'", "'azd-service-name': 'app'", security_rules.has_tags
    ),
    Mutation(_STORAGE, "  tags: tags\n  kind", "  kind", security_rules.has_tags),
)
