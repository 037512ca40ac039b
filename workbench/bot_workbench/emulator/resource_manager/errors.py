"""ArmError: a refusal by Resource Manager or a resource provider, and the table of all of them."""

from typing import Any

from bot_workbench.emulator.faults import FAULT

ERRORS: dict[str, tuple[int, str]] = {
    "AccountNameInvalid": (
        400,
        "{name} is not a valid storage account name. Storage account name must be between 3 and "
        "24 characters in length and use numbers and lower-case letters only.",
    ),
    "AuthenticationFailed": (401, "Authentication failed. The 'Authorization' header is missing."),
    "AuthorizationFailed": (
        403,
        "The client '{name}' with object id '{object_id}' does not have authorization to perform "
        "action '{action}' over scope '{scope}' or the scope is invalid. If access was recently "
        "granted, please refresh your credentials.",
    ),
    "BadRequest: access policy": (400, "The operation kind '{kind}' is unknown."),
    "BadRequest: audience": (400, "The property 'audiences' must have one value."),
    "BadRequest: credential exists": (
        400,
        "Issuer and subject are those of the federated credential '{name}'.",
    ),
    "BadRequest: credential name": (
        400,
        "The name '{name}' of a federated credential must have 3 to 120 letters, digits, hyphens "
        "and underscores, and start with a letter or digit.",
    ),
    "BadRequest: credential property": (400, "The property '{name}' is required."),
    "BadRequest: credentials": (
        400,
        "An identity can have at most {maximum} federated credentials.",
    ),
    "BadRequest: purge protection": (
        400,
        'The property "enablePurgeProtection" cannot be set to false. Enabling the purge '
        "protection for a vault is an irreversible action.",
    ),
    "BadRequest: query": (
        400,
        "The local Azure does not understand this query of Resource Graph: {part}",
    ),
    # The service's own words for this are not known.
    "BadRequest: retention": (
        400,
        'The property "softDeleteRetentionInDays" must be from 7 to 90.',
    ),
    "BadRequest: retention is set": (
        400,
        'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.',
    ),
    # The service's own words for this are not known.
    "BadRequest: setting name": (400, "Each of the app settings needs a name."),
    "BadRequest: setting on Flex": (
        400,
        "The following app setting ({names}) for Flex Consumption sites is invalid. Please remove "
        "or rename it before retrying.",
    ),
    "BadRequest: setting value": (
        400,
        "The value of the setting '{name}' must be a text.",
    ),
    "BadRequest: vault": (
        400,
        "The parameters 'tenantId' and 'sku' of a vault are required.",
    ),
    "BadRequestFormat": (400, "The request was incorrectly formatted."),
    "Conflict": (409, "Website with given name {name} already exists."),
    "ConflictError": (
        409,
        "A vault with the same name already exists in deleted state. You need to either recover or "
        "purge existing key vault '{name}'. Follow this link "
        "https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
    ),
    "DeletedVaultNotFound": (404, "The specified deleted vault '{name}' does not exist."),
    "ExpiredAuthenticationToken": (401, "The access token is expired."),
    "InternalServerError": (500, "Encountered internal server error."),
    "InvalidApiVersionParameter": (
        400,
        "The api-version '{version}' is invalid. The supported versions are of the form "
        "'yyyy-MM-dd' or 'yyyy-MM-dd-preview'.",
    ),
    "InvalidAuthenticationToken": (401, "The access token is invalid."),
    "InvalidAuthenticationToken: object id": (
        401,
        "The received access token is not valid: at least one of the claims 'puid' or 'altsecid' "
        "or 'oid' should be present.",
    ),
    "InvalidAuthenticationToken: signature": (
        401,
        "The access token is invalid: its signature could not be verified.",
    ),
    "InvalidAuthenticationTokenAudience": (
        401,
        "The access token has been obtained for wrong audience or resource '{audience}'. It should "
        "exactly match with one of the allowed audiences {allowed}.",
    ),
    "InvalidAuthenticationTokenTenant": (
        401,
        "The access token is from the wrong issuer '{issuer}'. It must match the tenant '{own}' "
        "associated with this subscription.",
    ),
    "InvalidBotCreationData": (
        400,
        "Multitenant bot creation is deprecated. Please use SingleTenant or UserAssignedMSI",
    ),
    "InvalidBotData": (
        400,
        "Bot is not valid. Errors: {problem}.. See https://aka.ms/bot-requirements for detailed "
        "requirements.",
    ),
    "InvalidBotData: sku": (400, "Bot is not valid. Errors: Sku '{sku}' is unknown"),
    # The service's own words for this are not known.
    "InvalidChannelData": (400, "The channel has no such site or key."),
    "InvalidChannelData: name": (
        400,
        "Channel name '{sent}' does not match '{name}' of the URL.",
    ),
    "InvalidChannelName": (400, "The channel name '{name}' is not supported."),
    "InvalidConnectionSettings": (400, "The property 'serviceProviderId' is required."),
    "InvalidConnectionSettings: key": (400, "Each of the parameters needs a key."),
    "InvalidFilterInQueryString": (
        400,
        "Invalid $filter '{expression}' specified in the query.",
    ),
    "InvalidIdentityType": (400, "The identity type '{kinds}' is unknown."),
    "InvalidQueryParameter": (400, "The value of '{name}' must be a number."),
    "InvalidRequestContent": (
        400,
        "The request content was invalid and could not be deserialized: '{reason}'.",
    ),
    "InvalidRequestContent: role": (
        400,
        "The request content is not valid and could not be deserialized: 'principalId' and "
        "'roleDefinitionId' are required.",
    ),
    "InvalidResourceGroup": (400, "The resource group name is invalid or too long."),
    "InvalidResourceGroupLocation": (
        409,
        "Invalid resource group location '{wanted}'. The Resource group already exists in location "
        "'{known}'.",
    ),
    "InvalidResourceLocation": (
        409,
        "The resource '{name}' already exists in location '{known}' in resource group '{group}'. A "
        "resource with the same name cannot be created in location '{wanted}'. Please select a new "
        "resource name.",
    ),
    "InvalidResourceNamespace": (404, "The resource namespace '{namespace}' is invalid."),
    "InvalidResourceType": (
        404,
        "The resource type could not be found in the namespace '{namespace}' for api version "
        "'{version}'.",
    ),
    "InvalidRoleAssignmentId": (
        400,
        "The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.",
    ),
    "InvalidRoleDefinition": (400, "The role needs a roleName and assignableScopes."),
    "InvalidTagOperation": (400, "The operation '{operation}' on tags is unknown."),
    "LinkedAuthorizationFailed": (
        403,
        "The client '{name}' with object id '{object_id}' has permission to perform action "
        "'{action}' on scope '{scope}'; however, it does not have permission to perform action(s) "
        "'{linked_action}' on the linked scope(s) '{linked_scope}' (respectively) or the linked "
        "scope(s) are invalid.",
    ),
    "LocationRequired": (400, "The location property is required for this definition."),
    "MethodNotAllowed": (
        405,
        "The request method '{method}' is not allowed for '{path}'.",
    ),
    "MethodNotAllowed: configuration": (405, "The configuration '{name}' has no {method}."),
    "MethodNotAllowed: purge": (
        400,
        "Operation 'DeletedVaultPurge' is not allowed because purge protection is enabled on the "
        "vault '{name}'.",
    ),
    "MissingApiVersionParameter": (
        400,
        "The api-version query parameter (?api-version=) is required for all requests.",
    ),
    "MissingSubscription": (
        404,
        "The request did not have a subscription or a valid tenant level resource provider.",
    ),
    "MissingSubscriptionRegistration": (
        409,
        "The subscription is not registered to use namespace '{namespace}'. See "
        "https://aka.ms/rps-not-found for how to register subscriptions.",
    ),
    "NoRegisteredProviderFound": (
        400,
        "No registered resource provider found for location '{location}' and API version "
        "'{version}' for type '{type}'. The supported api-versions are '{versions}'. The supported "
        "locations are ', global'.",
    ),
    "NotFound: action": (404, "The action '{action}' is unknown for '{type}'."),
    "NotFound: action of configuration": (404, "There is no action '{action}' for '{name}'."),
    "NotFound: configuration": (404, "There is no configuration '{name}'."),
    "NotFound: function": (404, "Function with name '{name}' is not found."),
    "NotFound: operation": (404, "The operation '{name}' was not found."),
    "NotFound: plan": (404, "Cannot find serverfarm with name {name}."),
    "NotFound: policy": (404, "There is no policy '{name}'."),
    "ParentResourceNotFound": (
        404,
        "Failed to perform 'write' on resource(s) of type '{type}', because the parent resource "
        "'{parent}' could not be found.",
    ),
    "PrincipalNotFound": (
        400,
        "Principal {principal} does not exist in the directory. Check that you have the correct "
        "principal ID. If you are creating this principal and then immediately assigning a role, "
        "this error might be related to a replication delay. In this case, set the role assignment "
        "principalType property to a value, such as ServicePrincipal, User, or Group. See "
        "https://aka.ms/docs-principaltype",
    ),
    "ResourceGroupNotFound": (404, "Resource group '{name}' could not be found."),
    "ResourceNotFound": (
        404,
        "The Resource '{type}/{name}' under resource group '{group}' was not found. For more "
        "details please go to https://aka.ms/ARMResourceNotFoundFix",
    ),
    "RoleAssignmentExists": (
        409,
        "The role assignment already exists. The ID of the existing role assignment is {id}.",
    ),
    "RoleAssignmentNotFound": (404, "The role assignment '{name}' is not found."),
    "RoleAssignmentUpdateNotPermitted": (
        400,
        "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
    ),
    "RoleDefinitionCannotBeDeleted": (400, "Built-in role definitions cannot be deleted."),
    "RoleDefinitionDoesNotExist": (
        404,
        "The specified role definition with ID '{id}' does not exist.",
    ),
    "RoleDefinitionDoesNotExist: assigned": (
        400,
        "The specified role definition with ID '{id}' does not exist.",
    ),
    "RoleDefinitionHasAssignments": (
        400,
        "There are existing role assignments referencing role (code: "
        "RoleDefinitionHasAssignments).",
    ),
    "RoleDefinitionIsBuiltIn": (400, "Built-in roles cannot be changed."),
    "RoleDefinitionWithSameNameExists": (
        409,
        "A custom role with the same name already exists in this directory. Use a different name.",
    ),
    "StorageAccountAlreadyTaken": (409, "The storage account named {name} is already taken."),
    "SubscriptionNotFound": (404, "The subscription '{id}' could not be found."),
    "SubscriptionRequestsThrottled": (
        429,
        "Number of '{operation}' requests exceeded the limit. Please try again after '{seconds}' "
        "seconds after additional tokens are available. Refer to "
        "https://aka.ms/arm-throttling for additional information.",
    ),
    # The spelling is Azure's.
    "UnmatchedPrincipalType": (
        400,
        "The PrincipalId '{principal}' has type '{kind}' , which is different from specified "
        "PrinciaplType '{sent}'.",
    ),
    "UnsupportedQuery": (
        400,
        "The filter '{expression}' is not supported. Supported filters are either 'atScope()' or "
        "'principalId eq '{{value}}' or assignedTo('{{value}}')'.",
    ),
    # Azure's own words for this are not known.
    "UnsupportedQuery: roles": (400, "The filter '{expression}' is not supported."),
    "UserAssignedIdentitiesMissing": (
        400,
        "The identity type 'UserAssigned' needs at least one user-assigned identity.",
    ),
    "VaultAlreadyExists": (
        409,
        "The vault name '{name}' is already in use. Vault names are globally unique so it is "
        "possible that the name is already taken.",
    ),
    "VaultNameNotValid": (
        400,
        "The vault name is invalid. A vault's name must be between 3-24 alphanumeric characters. "
        "The name must begin with a letter, end with a letter or digit, and not contain "
        "consecutive hyphens.",
    ),
}
"""HTTP status and text by code. Where a code has several texts, what follows it in the key tells
them apart."""


class ArmError(Exception):
    """One refusal.

    Args:
        status: HTTP status.
        code: ARM's code, for example `ResourceNotFound`.
        message: ARM's text.
        headers: sent with it, for example `Retry-After`.
        details: further errors, each with `code` and `message`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        details: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}
        self.details = details

    def body(self) -> dict[str, object]:
        """The response's JSON."""
        error: dict[str, object] = {"code": self.code, "message": str(self)}
        if self.details is not None:
            error["details"] = self.details
        return {"error": error}


def error(key: str, **values: object) -> ArmError:
    """An error of the table.

    Args:
        key: of ERRORS.
        values: what its text names.
    """
    status, text = ERRORS[key]
    return ArmError(status, key.partition(":")[0], text.format(**values))


def fault(status: int) -> dict[str, object]:
    """The JSON of a faulty response."""
    code = {429: "TooManyRequests", 503: "ServiceUnavailable"}.get(status, "InternalServerError")
    return ArmError(status, code, FAULT).body()
