// The vault of the bot's certificate, and of nothing else: whoever signs with its key is the bot.

param name string
param location string
param tags object
param createMode string
param signsInVault bool
param identityPrincipalId string
param deployerPrincipalId string
param deployerPrincipalType string

var certificatesOfficer = 'a4417e6f-fecd-4de8-b567-7b0420556985'
var signerRoles = [
  '21090545-7ca7-4776-b22c-e363652d74d2' // Key Vault Reader: the certificate's public half
  '12338af0-0e69-4776-bea7-57ae8d297424' // Key Vault Crypto User: signs with its key
]
var readerRoles = [
  '4633458b-17de-408a-b874-0445c86b69e6' // Key Vault Secrets User: the certificate with its key
]

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    createMode: createMode
    enableRbacAuthorization: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: 7
  }
}

resource identityGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in signsInVault ? signerRoles : readerRoles: {
  scope: vault
  name: guid(vault.id, identityPrincipalId, role)
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

// The deployer creates the certificate, which Bicep cannot declare.
resource deployerGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  scope: vault
  name: guid(vault.id, deployerPrincipalId, certificatesOfficer)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', certificatesOfficer)
  }
}
