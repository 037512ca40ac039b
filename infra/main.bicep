// A bot on Azure Functions that holds no secret, with all that it needs, in a resource group of its own.
targetScope = 'subscription'

@minLength(1)
@maxLength(20)
@description('The name of this deployment. The resources are named for it.')
param environmentName string

@minLength(1)
@description('Azure region of every resource that has one. Flex Consumption and Python 3.13 must be available there.')
param location string

@description('How the bot signs in. ManagedIdentity needs no app registration; the others need botAppId.')
@allowed(['ManagedIdentity', 'SignInVault', 'Certificate', 'Federated'])
param credential string = 'ManagedIdentity'

@description('Whether a turn runs while the channel waits (Inline), or from a queue (Queued).')
@allowed(['Inline', 'Queued'])
param turns string = 'Inline'

@description('The cloud that the deployment runs in.')
@allowed(['Public', 'USGovernment', 'China'])
param cloud string = 'Public'

@description('App id (GUID) of the app registration; empty with ManagedIdentity. The pre-provision hook creates one.')
param botAppId string = ''

@description('MultiTenant is for existing bots with a certificate only: new ones cannot be created.')
@allowed(['SingleTenant', 'MultiTenant'])
param botAppType string = 'SingleTenant'

@description('Object id (GUID) of who deploys, who may create the certificate; empty: nobody is given that role.')
param principalId string = ''

@description('What the deploying principal is.')
@allowed(['User', 'ServicePrincipal'])
param principalType string = 'User'

@description('Instances that are always ready for HTTP, and with queued turns as many for the queue.')
@minValue(0)
@maxValue(20)
param alwaysReady int = 0

@description('F0 is free and limited on Direct Line and Web Chat; Teams is free with both.')
@allowed(['F0', 'S1'])
param botSku string = 'F0'

@description('The Direct Line channel, for a bot on a web page or in an app of your own.')
param directLine bool = false

@description('Email address that gets the alerts; empty: alerts are only shown in the portal.')
param alertEmail string = ''

@description('Whether the vault is new, or one of the same name that was deleted less than 7 days ago is recovered. The pre-provision hook decides.')
@allowed(['default', 'recover'])
param vaultCreateMode string = 'default'

var tags = { 'azd-env-name': environmentName }
var token = uniqueString(subscription().id, environmentName, location)
var name = '${toLower(replace(environmentName, '_', '-'))}-${token}'
var vaultName = 'kv-${token}'
var usesVault = credential == 'SignInVault' || credential == 'Certificate'

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
    deployerPrincipalId: principalId
    deployerPrincipalType: principalType
  }
}

// What the bot reads of how it signs in. The identity is the bot itself, or reaches what proves the bot.
var isIdentity = credential == 'ManagedIdentity'
var appType = isIdentity ? 'UserAssignedMSI' : botAppType
var botId = isIdentity ? identity.outputs.clientId : botAppId
var signIn = union(
  {
    MicrosoftAppType: appType
    MicrosoftAppId: botId
    BotCredential: usesVault ? 'Certificate' : credential
    BotTurns: turns
  },
  appType == 'MultiTenant' ? {} : { MicrosoftAppTenantId: tenant().tenantId },
  isIdentity ? {} : { AZURE_CLIENT_ID: identity.outputs.clientId },
  usesVault ? {
    CertificateVaultUrl: 'https://${vaultName}${environment().suffixes.keyvaultDns}'
    CertificateName: 'bot-certificate'
    CertificateKeyUse: credential == 'SignInVault' ? 'SignInVault' : 'Export'
  } : {},
  cloud == 'Public' ? {} : { ChannelService: channelServices[cloud] }
)
var channelServices = {
  Public: ''
  USGovernment: 'https://botframework.azure.us'
  China: 'https://botframework.azure.cn'
}
var warmGroups = turns == 'Queued' ? ['http', 'function:turns'] : ['http']

module app 'modules/app.bicep' = {
  scope: group
  name: 'app'
  params: {
    name: name
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    packagesUrl: storage.outputs.packagesUrl
    insightsName: monitoring.outputs.insightsName
    botSettings: signIn
    warmGroups: alwaysReady == 0 ? [] : warmGroups
    warmInstances: alwaysReady
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

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_TENANT_ID string = tenant().tenantId
output BOT_NAME string = bot.outputs.name
output BOT_APP_NAME string = app.outputs.name
output BOT_ENDPOINT string = app.outputs.endpoint
output BOT_ID string = botId
output BOT_IDENTITY_NAME string = identity.outputs.name
output BOT_VAULT_NAME string = usesVault ? vaultName : ''
