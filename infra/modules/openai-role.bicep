// The bot's role on an Azure OpenAI or Microsoft Foundry resource that exists. It is deployed into that resource's group.

param accountName string

@minLength(36)
@maxLength(36)
@description('Object id of the managed identity, or of the service principal of the app registration.')
param principalId string

@description('Says whose assignment it is, for `bot deployment remove`.')
param assignedFor string

// Cognitive Services OpenAI User: calls the models that are deployed there; reads no key, deploys no model
var openaiUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: accountName
}

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  // However the id is spelled, the assignment keeps its name: a second one would be refused.
  name: guid(toLower(account.id), principalId, openaiUser)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', openaiUser)
    description: assignedFor
  }
}
