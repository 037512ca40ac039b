// The vault of the bot's certificate, and of nothing else: whoever signs with its key is the bot.

param name string
param location string
param tags object
@allowed(['default', 'recover'])
param createMode string
param signsInVault bool
param identityPrincipalId string
param workspaceId string

// The roles are on the vault, because the certificate is created after this deployment.
var roles = signsInVault ? [
  '21090545-7ca7-4776-b22c-e363652d74d2' // Key Vault Reader: reads the certificate, never its key
  '12338af0-0e69-4776-bea7-57ae8d297424' // Key Vault Crypto User: lets the vault sign with the key
] : [
  '4633458b-17de-408a-b874-0445c86b69e6' // Key Vault Secrets User: reads the certificate with its key
]

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    createMode: createMode
    // Role assignments alone decide who may use the vault, never access policies.
    enableRbacAuthorization: true
    // The certificate cannot be lost by mistake. A vault that was deleted keeps its name for 7 days.
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    enablePurgeProtection: true
  }
}

// Who signs as the bot, or reads its key, is recorded: docs/operations.md asks the log for it.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    // Into a table of its own, AZKVAuditLogs, and not among the columns of AzureDiagnostics.
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      { category: 'AuditEvent', enabled: true }
    ]
  }
}

resource identityGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in roles: {
  scope: vault
  name: guid(vault.id, identityPrincipalId, role)
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]
