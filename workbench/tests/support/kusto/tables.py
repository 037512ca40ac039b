"""The tables of a Log Analytics workspace that the queries read, with their columns.

Source: Azure Monitor tables reference, learn.microsoft.com/azure/azure-monitor/reference/tables
"""

COMMON = (
    "TimeGenerated:datetime AppRoleInstance:string AppRoleName:string AppVersion:string"
    " ClientBrowser:string ClientCity:string ClientCountryOrRegion:string ClientIP:string"
    " ClientModel:string ClientOS:string ClientStateOrProvince:string ClientType:string"
    " IKey:string ItemCount:int OperationId:string OperationName:string ParentId:string"
    " Properties:dynamic ResourceGUID:string SDKVersion:string SessionId:string"
    " SourceSystem:string SyntheticSource:string TenantId:string Type:string"
    " UserAccountId:string UserAuthenticatedId:string UserId:string"
    " _BilledSize:real _IsBillable:string _ResourceId:string _SubscriptionId:string"
)
"""The columns of every table of Application Insights."""

OWN = {
    "AppRequests": "DurationMs:real Id:string Measurements:dynamic Name:string"
    " ReferencedItemId:string ReferencedType:string ResultCode:string Source:string Success:bool"
    " Url:string",
    "AppTraces": "Measurements:dynamic Message:string ReferencedItemId:string"
    " ReferencedType:string SeverityLevel:int",
    "AppExceptions": "Assembly:string Details:dynamic ExceptionType:string HandledAt:string"
    " InnermostAssembly:string InnermostMessage:string InnermostMethod:string InnermostType:string"
    " Measurements:dynamic Message:string Method:string OuterAssembly:string OuterMessage:string"
    " OuterMethod:string OuterType:string ProblemId:string ReferencedItemId:string"
    " ReferencedType:string SeverityLevel:int",
    "AppDependencies": "Data:string DependencyType:string DurationMs:real Id:string"
    " Measurements:dynamic Name:string ReferencedItemId:string ReferencedType:string"
    " ResultCode:string Success:bool Target:string",
}

USAGE = (
    "TimeGenerated:datetime DataType:string EndTime:datetime IsBillable:bool MeterId:string"
    " Quantity:real QuantityUnit:string ResourceUri:string Solution:string SourceSystem:string"
    " StartTime:datetime Type:string _BilledSize:real _IsBillable:string"
)

VAULT_AUDIT = (
    "TimeGenerated:datetime AddressAuthorizationType:string Algorithm:string"
    " AppliedAssignmentId:string CallerIpAddress:string CertificateIssuerProperties:dynamic"
    " CertificatePolicyProperties:dynamic CertificateProperties:dynamic"
    " CertificateRequestProperties:dynamic ClientInfo:string CorrelationId:string DurationMs:int"
    " HttpStatusCode:int Id:string Identity:dynamic OperationName:string OperationVersion:string"
    " RequestUri:string ResultDescription:string ResultSignature:string ResultType:string"
    " SourceSystem:string TenantId:string Type:string _BilledSize:real _IsBillable:string"
    " _ResourceId:string _SubscriptionId:string"
)

TABLES = {
    **{name: f"({', '.join(f'{COMMON} {own}'.split())})" for name, own in OWN.items()},
    "Usage": f"({', '.join(USAGE.split())})",
    "AZKVAuditLogs": f"({', '.join(VAULT_AUDIT.split())})",
}
"""By table, its columns as Kusto writes a schema: `(Name:type, ...)`."""
