// Rules that search the log for what needs action. Each costs about $0.50 a month, the price of a
// rule that runs every 15 minutes or less often. They have no identity and need no role: they read the workspace with
// the rights of whoever deployed them last.

param name string
param location string
param tags object
param workspaceId string

@description('Gets an email for each alert; empty: alerts are only shown in the portal.')
param alertEmail string

var receivers = [
  { name: 'email', emailAddress: alertEmail, useCommonAlertSchema: true }
]

// The queries of docs/operations.md, each with the rows that are worth an alert. They look back as far as the rule's
// window: ago() can widen what a rule reads to two days (Azure Monitor docs, "Override query time range"), and with
// ago(24h) an alert would not resolve for a day.
var rules = [
  {
    name: 'dead-letters'
    title: 'Dead letters'
    description: 'Activities or notifications became dead letters: see docs/operations.md, question 7.'
    severity: 2
    query: replace(loadTextContent('../queries/dead-letters.kql'), 'ago(24h)', 'ago(30m)')
    window: 'PT30M'
    frequency: 'PT15M'
    resolves: true
  }
  {
    name: 'certificate'
    title: 'The certificate expires soon'
    description: 'No newer certificate is in use: see docs/operations.md, question 4.'
    severity: 2
    query: '${replace(loadTextContent('../queries/sign-in.kql'), 'ago(3d)', 'ago(1d)')}| where Warning in ("certificate ends", "new certificate is not registered")'
    window: 'P1D'
    frequency: 'PT6H'
    resolves: false
  }
  {
    name: 'refusals'
    title: 'The channel is refused'
    description: 'Ten or more requests were refused, or could not be answered, for one reason: see docs/operations.md, question 2.'
    severity: 1
    query: '${replace(loadTextContent('../queries/refusals.kql'), 'ago(24h)', 'ago(30m)')}| where Refusals >= 10 and Reason !has "there is no bearer token" and Reason !has "not a JWT" and Reason !endswith " is unknown, though the keys were fetched just now"'
    window: 'PT30M'
    frequency: 'PT15M'
    resolves: true
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'bot'
    enabled: true
    emailReceivers: empty(alertEmail) ? [] : receivers
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: 'alert-${rule.name}-${name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: '${rule.title} (${name})'
    description: rule.description
    severity: rule.severity
    enabled: true
    scopes: [workspaceId]
    // In a new workspace, the log's tables are unknown until something was logged.
    skipQueryValidation: true
    windowSize: rule.window
    evaluationFrequency: rule.frequency
    // A rule that does not resolve by itself sends its alert once a day.
    autoMitigate: rule.resolves
    muteActionsDuration: rule.resolves ? null : 'P1D'
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [people.id] }
  }
}]
