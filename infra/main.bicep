// A bot on Azure Functions that holds no secret, with all that it needs, in a resource group of its own.
targetScope = 'subscription'

@minLength(1)
@maxLength(20)
@description('Name of this deployment: letters, digits and hyphens. The resources are named for it.')
param environmentName string

@minLength(1)
@description('Azure region. It must offer Flex Consumption: az functionapp list-flexconsumption-locations.')
param location string

@description('How the bot signs in. ManagedIdentity needs no app registration; the others need botAppId.')
@allowed(['ManagedIdentity', 'Certificate', 'SignInVault', 'Federated'])
param credential string = 'ManagedIdentity'

@description('Whether a turn runs while the channel waits (Inline), or from a queue (Queued).')
@allowed(['Inline', 'Queued'])
param turns string = 'Inline'

@description('The cloud that you deploy to: the one that az or azd is signed in to.')
@allowed(['Public', 'USGovernment', 'China'])
param cloud string = 'Public'

@description('App id (GUID) of the app registration; not used with ManagedIdentity. With azd, the pre-provision hook creates one.')
param botAppId string = ''

@description('MultiTenant is for a bot that exists, with a certificate: Azure Bot Service creates no new ones.')
@allowed(['SingleTenant', 'MultiTenant'])
param botAppType string = 'SingleTenant'

@description('Instances that are always ready for HTTP requests, and as many for queued turns. 0: the first turn after a pause waits for a cold start.')
@minValue(0)
@maxValue(20)
param alwaysReady int = 0

@description('F0 is free, with a monthly limit of messages on Direct Line and Web Chat. Teams is free and unlimited with both.')
@allowed(['F0', 'S1'])
param botSku string = 'F0'

@description('Whether to add the Direct Line channel, for a web page or an app of your own. Its keys are secrets: keep them in your service.')
param directLine bool = false

@description('Email address for alerts; empty or none: alerts are shown in the portal only.')
param alertEmail string = ''

@description('recover: a vault of this name was deleted in the last days, and cannot be created anew. With azd, the pre-provision hook finds out.')
@allowed(['default', 'recover'])
param vaultCreateMode string = 'default'

@description('Resource id of the Azure OpenAI or Microsoft Foundry resource whose models the bot may call, in any subscription of the tenant; empty or none: no role.')
param openaiResourceId string = ''

@description('Object id of the service principal of botAppId, for the role on openaiResourceId; not used with ManagedIdentity. With azd, the pre-provision hook finds it.')
param botPrincipalId string = ''

var tags = { 'azd-env-name': environmentName }
// However the name and the region are spelled, the resources of a group keep their names.
var region = toLower(replace(location, ' ', ''))
var token = uniqueString(subscription().id, toLower(environmentName), region)
var name = '${toLower(replace(replace(environmentName, '_', '-'), '.', '-'))}-${token}'
var vaultName = 'kv-${token}'

var isIdentity = credential == 'ManagedIdentity'
var usesVault = credential == 'SignInVault' || credential == 'Certificate'
var appType = isIdentity ? 'UserAssignedMSI' : botAppType
var botId = isIdentity ? identity.outputs.clientId : botAppId

var callsModel = !empty(openaiResourceId) && openaiResourceId != 'none'
// Resource Manager needs a module's scope even if the condition is false: then it is the bot's own group.
var noModel = '${subscription().id}/resourceGroups/rg-${environmentName}/providers/Microsoft.CognitiveServices/accounts/none'
var modelParts = split(callsModel ? openaiResourceId : noModel, '/')

// Where the channels of each cloud are (Bot Framework docs, "Implement a bot for a national cloud").
var channelServices = {
  Public: ''
  USGovernment: 'https://botframework.azure.us'
  China: 'https://botframework.azure.cn'
}

// How the bot signs in. The identity is the bot itself, or it may use what proves that it is the bot.
var credentialSettings = {
  MicrosoftAppType: appType
  MicrosoftAppId: bot.outputs.appId
  BotCredential: credential
  BotTurns: turns
}
// A multi-tenant bot signs in at the channels' tenant; only tokens for other services are its own tenant's.
var tenantSettings = appType == 'MultiTenant' && !callsModel ? {} : { MicrosoftAppTenantId: tenant().tenantId }
var identitySettings = isIdentity ? {} : { AZURE_CLIENT_ID: identity.outputs.clientId }
var vaultSettings = usesVault ? {
  CertificateVaultUrl: 'https://${vaultName}${environment().suffixes.keyvaultDns}'
  CertificateName: 'bot-certificate'
} : {}
// The bot's own, such as AllowedTenants. Each deployment replaces all app settings, so set them there
// and not in the portal.
var ownSettings = loadJsonContent('app-settings.json')
var channelSettings = cloud == 'Public' ? {} : { ChannelService: channelServices[cloud] }

// A function is only kept ready if it is named: function:turns alone would leave HTTP cold.
var readyGroups = turns == 'Queued' ? ['http', 'function:turns'] : ['http']

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  name: 'identity'
  params: {
    name: 'id-${name}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  name: 'monitoring'
  params: {
    name: name
    location: location
    tags: tags
    identityPrincipalId: identity.outputs.principalId
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  name: 'storage'
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    identityPrincipalId: identity.outputs.principalId
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  name: 'alerts'
  params: {
    name: name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    alertEmail: alertEmail == 'none' ? '' : alertEmail
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  name: 'workbook'
  params: {
    name: name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

// Only a certificate needs a vault.
module vault 'modules/vault.bicep' = if (usesVault) {
  scope: group
  name: 'vault'
  params: {
    name: vaultName
    location: location
    tags: tags
    createMode: vaultCreateMode
    signsInVault: credential == 'SignInVault'
    identityPrincipalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module app 'modules/app.bicep' = {
  scope: group
  name: 'app'
  params: {
    name: name
    location: location
    tags: tags
    identityId: identity.outputs.id
    packagesUrl: storage.outputs.packagesUrl
    readyGroups: alwaysReady == 0 ? [] : readyGroups
    readyInstances: alwaysReady
  }
}

module bot 'modules/bot.bicep' = {
  scope: group
  name: 'bot'
  params: {
    name: 'bot-${name}'
    tags: tags
    displayName: environmentName
    sku: botSku
    endpoint: app.outputs.endpoint
    appType: appType
    appId: botId
    identityId: identity.outputs.id
    directLine: directLine
  }
}

// In the group and the subscription of the resource, where two bots may deploy at the same time: hence the name.
module openaiRole 'modules/openai-role.bicep' = if (callsModel) {
  scope: resourceGroup(modelParts[2], modelParts[4])
  name: 'openai-role-${token}'
  params: {
    accountName: modelParts[8]
    principalId: isIdentity ? identity.outputs.principalId : botPrincipalId
    assignedFor: toLower('azd-env:${subscription().subscriptionId}/${environmentName}')
  }
}

// After the Azure Bot, which cannot get another app id: if it refuses one, the app keeps its settings.
module settings 'modules/settings.bicep' = {
  scope: group
  name: 'settings'
  params: {
    appName: app.outputs.name
    storageName: storage.outputs.name
    isPublicCloud: cloud == 'Public'
    insightsName: monitoring.outputs.insightsName
    identityClientId: identity.outputs.clientId
    botSettings: union(ownSettings, credentialSettings, tenantSettings, identitySettings, vaultSettings, channelSettings)
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_TENANT_ID string = tenant().tenantId
output BOT_NAME string = bot.outputs.name
output BOT_APP_NAME string = app.outputs.name
output BOT_ENDPOINT string = app.outputs.endpoint
output BOT_ID string = bot.outputs.appId
output BOT_IDENTITY_NAME string = identity.outputs.name
output BOT_VAULT_NAME string = usesVault ? vaultName : ''
