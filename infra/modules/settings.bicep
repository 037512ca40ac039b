// The app's settings. Each deployment replaces all of them.

param appName string
param storageName string
param isPublicCloud bool
param insightsName string
param identityClientId string
param botSettings object

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// The Functions host and the bot complete an account's name with the public cloud's domain.
var storageUrls = {
  AzureWebJobsStorage__blobServiceUri: 'https://${storageName}.blob.${environment().suffixes.storage}'
  AzureWebJobsStorage__queueServiceUri: 'https://${storageName}.queue.${environment().suffixes.storage}'
}
var storageSettings = isPublicCloud ? { AzureWebJobsStorage__accountName: storageName } : storageUrls
var hostSettings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  // It only says where to send: the identity must be allowed to.
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identityClientId}'
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(botSettings, storageSettings, hostSettings)
}
