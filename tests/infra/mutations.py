"""Mutations: single changes to the templates, each of which one rule must notice."""

from collections.abc import Callable, Iterator

from tests.infra import security_rules, syntax_rules
from tests.infra.template import Template

Rule = Callable[[Template], Iterator[str]]

Mutation = tuple[str, str, str]
"""A file of infra/, a text that stands in it once, and what replaces it."""

_MAIN, _APP, _BOT = "main.bicep", "modules/app.bicep", "modules/bot.bicep"
_SETTINGS = "modules/settings.bicep"
_STORAGE, _VAULT = "modules/storage.bicep", "modules/vault.bicep"
_MODELS = "modules/openai-role.bicep"
_MONITORING, _IDENTITY = "modules/monitoring.bicep", "modules/identity.bicep"
_CLIENT = "AzureWebJobsStorage__clientId: identityClientId"
_OUT = "output name string = app.name"
_CHANNELS = "var channelServices = {"
_QUEUES = "'974c5e8b-45b9-4653-ba55-5f855dd0fb88'"
_TERMS = "      acceptedTerms: true\n"

MUTATIONS: dict[Rule, tuple[Mutation, ...]] = {
    syntax_rules.parses: (
        (_MAIN, "var tags = {", "var tags = {{"),
        (_MAIN, "param turns string", "param turns strin g ="),
    ),
    syntax_rules.has_no_key_calls: (
        (
            _STORAGE,
            "output name",
            "output key string = account.listKeys().keys[0].value\noutput name",
        ),
        (_SETTINGS, _CLIENT, f"{_CLIENT}\n  Key: listKeys(app.id, '2024-11-01').key"),
    ),
    syntax_rules.has_no_secrets: (
        (_APP, _OUT, f"{_OUT}\noutput logs string = insights.properties.ConnectionString"),
        (_BOT, "param sku string", "@secure()\nparam sku string"),
        (
            _MAIN,
            "param botAppId string = ''",
            "param botAppId string = ''\n@description('x')\nparam botSecret string = ''",
        ),
    ),
    syntax_rules.uses_everything: (
        (_BOT, "param sku string", "param sku string\nparam other string = ''"),
        (_MAIN, _CHANNELS, f"var unused = 1\n{_CHANNELS}"),
        (_APP, _OUT, f"{_OUT}\noutput planName string = plan.name"),
        (
            _SETTINGS,
            "CONNECTION_STRING: insights.properties.ConnectionString",
            "CONNECTION_STRING: app.id",
        ),
    ),
    syntax_rules.uses_every_module: (
        (_MAIN, "module bot 'modules/bot.bicep'", "module bot 'modules/app.bicep'"),
    ),
    syntax_rules.names_no_cloud: (
        (_MAIN, "${environment().suffixes.keyvaultDns}", ".vault.azure.net"),
        (_SETTINGS, ".queue.${environment().suffixes.storage}", ".queue.core.windows.net"),
    ),
    syntax_rules.is_plain: (
        (_BOT, "  sku: { name: sku }", "  sku: { name: sku }\n  dependsOn: []"),
        (_BOT, "displayName: displayName", "displayName: '${displayName}'"),
        (_BOT, "? null : homeTenant", "? null : tenant().tenantId"),
        (_SETTINGS, "union(botSettings,", "union({ BotTurns: 'Inline' },"),
        (_BOT, "  parent: bot\n  name: 'MsTeamsChannel'", "  name: 'bot/MsTeamsChannel'"),
    ),
    syntax_rules.has_descriptions: (
        (
            _MAIN,
            "@description('Whether to add the Direct Line",
            "@metadata('Whether to add the Direct Line",
        ),
    ),
    security_rules.has_known_types: (
        (_VAULT, "vaults@2026-02-01", "vaults@2016-10-01"),
        (_APP, "httpsOnly: true", "httpOnly: true"),
        (_STORAGE, "'Standard_LRS'", "'Standard'"),
        (_BOT, "    displayName: displayName\n", ""),
    ),
    security_rules.has_valid_names: (
        (_MAIN, "var vaultName = 'kv-${token}'", "var vaultName = 'bot-vault-of-${token}'"),
        (_MAIN, "'st${token}'", "'st-${token}'"),
        (_MAIN, "@maxLength(20)", "@maxLength(60)"),
        (_MAIN, "replace(environmentName, '_', '-')", "replace(environmentName, '-', '_')"),
        (
            _STORAGE,
            "guid(account.id, identityPrincipalId, role)",
            "guid(account.id, identityPrincipalId)",
        ),
    ),
    security_rules.protects_storage: (
        (_STORAGE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
        (_STORAGE, "    allowSharedKeyAccess: false\n", ""),
        (_STORAGE, "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
        (_STORAGE, "TLS1_2", "TLS1_0"),
        (_STORAGE, "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false"),
        (_STORAGE, "defaultToOAuthAuthentication: true", "defaultToOAuthAuthentication: false"),
        (
            _STORAGE,
            "  name: 'app-package'\n",
            "  name: 'app-package'\n  properties: { publicAccess: 'Blob' }\n",
        ),
    ),
    security_rules.protects_vault: (
        (_VAULT, "enableRbacAuthorization: true", "enableRbacAuthorization: false"),
        (_VAULT, "    enablePurgeProtection: true\n", ""),
        (_MAIN, "'modules/vault.bicep' = if (usesVault) {", "'modules/vault.bicep' = {"),
    ),
    security_rules.records_who_uses_the_vault: (
        (_VAULT, "  scope: vault\n  name: 'audit'", "  name: 'audit'"),
        (_VAULT, "    workspaceId: workspaceId\n", ""),
        (_VAULT, "    logAnalyticsDestinationType: 'Dedicated'\n", ""),
        (_VAULT, "enabled: true }", "enabled: false }"),
        (_VAULT, "category: 'AuditEvent'", "category: 'AzurePolicyEvaluationDetails'"),
        (
            _MAIN,
            "workspaceId: monitoring.outputs.workspaceId\n  }\n}\n\nmodule app",
            "workspaceId: identity.outputs.id\n  }\n}\n\nmodule app",
        ),
    ),
    security_rules.protects_telemetry: (
        (_MONITORING, "DisableLocalAuth: true", "DisableLocalAuth: false"),
        (_MONITORING, "    features: { disableLocalAuth: true }\n", ""),
        (_MONITORING, "    WorkspaceResourceId: workspace.id\n", ""),
        (_SETTINGS, "'Authorization=AAD;ClientId=${identityClientId}'", "'Authorization=AAD'"),
    ),
    security_rules.protects_site: (
        (_APP, "httpsOnly: true", "httpsOnly: false"),
        (_APP, "ftpsState: 'Disabled'", "ftpsState: 'AllAllowed'"),
        (_APP, "      minTlsVersion: '1.2'\n", ""),
        (_APP, "version: '3.13'", "version: '3.12'"),
        (_APP, "type: 'UserAssignedIdentity'", "type: 'StorageAccountConnectionString'"),
        (_APP, "    keyVaultReferenceIdentity: identityId\n", ""),
        (_APP, "'functionapp,linux'", "'functionapp'"),
        (_STORAGE, "${packages.name}'", "packages'"),
        (_APP, "perInstanceConcurrency: 16", "perInstanceConcurrency: 1"),
        (_MAIN, "['http', 'function:turns']", "['function:turns']"),
        (_APP, "properties: { reserved: true }", "properties: {}"),
    ),
    security_rules.refuses_passwords: (
        (
            _APP,
            "  name: 'scm'\n  properties: { allow: false }",
            "  name: 'scm'\n  properties: { allow: true }",
        ),
        (_APP, "  name: 'ftp'\n", "  name: 'scm'\n"),
    ),
    security_rules.grants_only_needed_roles: (
        (_STORAGE, _QUEUES, f"{_QUEUES}\n  '17d1049b-9a84-46fb-8f53-869881c3d3ab'"),
        (_STORAGE, "  scope: account\n", ""),
        (_VAULT, "roles = signsInVault ?", "roles = !signsInVault ?"),
        (_MAIN, "= if (callsModel) {", "= {"),
        (_MODELS, "  scope: account\n", ""),
        (_MODELS, "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", "a001fd3d-188f-4b5d-821b-7da978bf7442"),
        (
            _MAIN,
            "principalId: isIdentity ? identity.outputs.principalId : botPrincipalId",
            "principalId: identity.outputs.principalId",
        ),
        (
            _MONITORING,
            "3913510d-42f4-4e42-8a64-420c390055eb",
            "b24988ac-6180-42a0-ab88-20f7382dd24c",
        ),
    ),
    security_rules.serves_channels: (
        (_BOT, _TERMS, ""),
        (_BOT, _TERMS, "      acceptedTerms: false\n"),
        (_BOT, "if (directLine) ", ""),
        (_BOT, "isV1Enabled: false", "isV1Enabled: true"),
        (_APP, "}/api/messages'", "}/api/message'"),
        (_BOT, "endpoint: endpoint", "endpoint: 'https://example.com/api/messages'"),
    ),
    security_rules.signs_in_as_the_bot: (
        (
            _MAIN,
            "BotCredential: credential",
            "BotCredential: usesVault ? 'Certificate' : credential",
        ),
        (_MAIN, "isIdentity ? 'UserAssignedMSI' : botAppType", "botAppType"),
        (_BOT, "msaAppType: appType", "msaAppType: 'SingleTenant'"),
        (
            _MAIN,
            "var botId = isIdentity ? identity.outputs.clientId : botAppId",
            "var botId = botAppId",
        ),
        (
            _MAIN,
            "cloud == 'Public' ? {} : { ChannelService",
            "cloud == 'China' ? {} : { ChannelService",
        ),
        (_MAIN, "isIdentity ? {} : { AZURE_CLIENT_ID", "usesVault ? {} : { AZURE_CLIENT_ID"),
        (
            _IDENTITY,
            "clientId string = identity.properties.clientId",
            "clientId string = identity.properties.principalId",
        ),
    ),
    security_rules.has_allowed_settings: (
        (_SETTINGS, _CLIENT, f"{_CLIENT}\n  FUNCTIONS_WORKER_RUNTIME: 'python'"),
        (_SETTINGS, _CLIENT, f"{_CLIENT}\n  ChannelService: ''"),
        (
            _SETTINGS,
            "{ AzureWebJobsStorage__accountName: storageName }",
            "{ AzureWebJobsStorage: 'AccountName=x;AccountKey=y' }",
        ),
    ),
    security_rules.has_tags: (
        (_APP, "'azd-service-name': 'bot'", "'azd-service-name': 'app'"),
        (_STORAGE, "  tags: tags\n  kind", "  kind"),
    ),
}
"""The changes that a rule must notice, by rule."""
