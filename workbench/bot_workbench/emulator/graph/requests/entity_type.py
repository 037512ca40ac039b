"""EntityType: which properties the objects of each collection have in Graph.

Queries may name any of them, even those that this stand-in does not fill in, and nothing else.
Source: Graph reference, v1.0; for the reports, beta.
"""

from typing import NamedTuple

from bot_workbench.emulator.graph.errors import bad_request


class EntityType(NamedTuple):
    """The type of a collection's objects.

    Attributes:
        name: the one in Graph's messages.
        properties: their names.
    """

    name: str
    properties: frozenset[str]

    def check(self, path: str, problem: str) -> None:
        """Pass a path such as `displayName` or `status/errorCode` whose first property is known.

        Args:
            path: from the query.
            problem: what Graph's message starts with.

        Raises:
            GraphError: 400, naming the property.
        """
        name = path.partition("/")[0]
        if name not in self.properties:
            raise bad_request(
                f"{problem}: Could not find a property named '{name}' on type "
                f"'microsoft.graph.{self.name}'.",
                "BadRequest",
            )

    def check_operator(self, operator: str) -> None:
        """Pass an operator of a filter that is not part of an advanced query.

        Raises:
            GraphError: 400, the operator is `ne` or `not`, and the type is in DIRECTORY_OBJECTS.
        """
        if operator in ("ne", "not") and self.name in DIRECTORY_OBJECTS:
            raise bad_request(
                f"Operator '{operator}' is not supported because the required "
                "parameters might be missing. Try adding $count=true query parameter and "
                "ConsistencyLevel:eventual header. Refer to "
                "https://aka.ms/graph-docs/advanced-queries for more information",
                "Request_UnsupportedQuery",
            )


DIRECTORY_OBJECTS = ("application", "servicePrincipal", "user")
"""Types whose lists have `$count=true` only with the header `ConsistencyLevel: eventual`, and whose
filters have `ne` and `not` only with both (Graph docs, "Advanced query capabilities")."""

_NAMES = {
    "applications": (
        "application",
        "addIns api appId applicationTemplateId appRoles authenticationBehaviors certification "
        "createdDateTime defaultRedirectUri deletedDateTime description "
        "disabledByMicrosoftStatus displayName groupMembershipClaims id identifierUris info "
        "isDeviceOnlyAuthSupported isFallbackPublicClient keyCredentials logo "
        "nativeAuthenticationApisEnabled notes oauth2RequirePostResponse optionalClaims "
        "parentalControlSettings passwordCredentials publicClient publisherDomain "
        "requestSignatureVerification requiredResourceAccess samlMetadataUrl "
        "serviceManagementReference servicePrincipalLockConfiguration signInAudience spa tags "
        "tokenEncryptionKeyId uniqueName verifiedPublisher web",
    ),
    "servicePrincipals": (
        "servicePrincipal",
        "accountEnabled addIns alternativeNames appDescription appDisplayName appId "
        "applicationTemplateId appOwnerOrganizationId appRoleAssignmentRequired appRoles "
        "customSecurityAttributes deletedDateTime description disabledByMicrosoftStatus "
        "displayName homepage id info keyCredentials loginUrl logoutUrl notes "
        "notificationEmailAddresses oauth2PermissionScopes passwordCredentials "
        "preferredSingleSignOnMode preferredTokenSigningKeyThumbprint replyUrls "
        "resourceSpecificApplicationPermissions samlSingleSignOnSettings servicePrincipalNames "
        "servicePrincipalType signInAudience tags tokenEncryptionKeyId verifiedPublisher",
    ),
    "users": (
        "user",
        "accountEnabled ageGroup businessPhones city companyName country createdDateTime "
        "deletedDateTime department displayName employeeId externalUserState faxNumber "
        "givenName id identities imAddresses jobTitle mail mailNickname mobilePhone "
        "officeLocation otherMails postalCode preferredLanguage proxyAddresses signInActivity "
        "state streetAddress surname usageLocation userPrincipalName userType",
    ),
    "federatedIdentityCredentials": (
        "federatedIdentityCredential",
        "audiences claimsMatchingExpression description id issuer name subject",
    ),
    "appCredentialSignInActivities": (
        "appCredentialSignInActivity",
        "appId appObjectId createdDateTime credentialOrigin expirationDateTime id keyId keyType "
        "keyUsage resourceId servicePrincipalObjectId signInActivity",
    ),
    "signIns": (
        "signIn",
        "agent appDisplayName appId appOwnerTenantId appliedConditionalAccessPolicies "
        "authenticationDetails clientAppUsed clientCredentialType conditionalAccessStatus "
        "correlationId createdDateTime crossTenantAccessType deviceDetail federatedCredentialId "
        "flaggedForReview homeTenantId id incomingTokenType ipAddress isInteractive location "
        "managedServiceIdentity resourceDisplayName resourceId resourceOwnerTenantId "
        "resourceServicePrincipalId resourceTenantId riskDetail riskLevelDuringSignIn riskState "
        "servicePrincipalCredentialKeyId servicePrincipalCredentialThumbprint "
        "servicePrincipalId servicePrincipalName signInEventTypes signInIdentifier status "
        "tokenIssuerType uniqueTokenIdentifier userAgent userDisplayName userId "
        "userPrincipalName userType",
    ),
}

ENTITY_TYPES = {
    collection: EntityType(name, frozenset(properties.split()))
    for collection, (name, properties) in _NAMES.items()
}
"""By the name of the collection: the last segment of its URL."""
