"""Graph's JSON of an application and of its credentials (resource types of the v1.0 reference)."""

import base64
import copy
import datetime
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding

from bot_workbench.emulator.entra.credentials import ClientSecret, KeyCredential, TrustedSubject
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.graph.errors import invalid_value

JsonObject = dict[str, Any]

FEDERATED = "federatedIdentityCredentials"
"""Relationship of an application, which its own JSON does not have."""

CERTIFICATE_TYPE = "AsymmetricX509Cert"
CERTIFICATE_USAGE = "Verify"

OTHERS: JsonObject = {
    "description": None,
    "groupMembershipClaims": None,
    "isDeviceOnlyAuthSupported": None,
    "isFallbackPublicClient": None,
    "notes": None,
    "serviceManagementReference": None,
    "tags": [],
    "tokenEncryptionKeyId": None,
    "defaultRedirectUri": None,
    "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
    "optionalClaims": None,
    "addIns": [],
    "appRoles": [],
    "info": {
        "logoUrl": None,
        "marketingUrl": None,
        "privacyStatementUrl": None,
        "supportUrl": None,
        "termsOfServiceUrl": None,
    },
    "publicClient": {"redirectUris": []},
    "requiredResourceAccess": [],
    "web": {
        "homePageUrl": None,
        "logoutUrl": None,
        "redirectUris": [],
        "implicitGrantSettings": {
            "enableAccessTokenIssuance": False,
            "enableIdTokenIssuance": False,
        },
    },
    "spa": {"redirectUris": []},
}
"""Properties that clients may set and the local cloud only keeps."""


READ_ONLY = frozenset(
    {
        "id",
        "deletedDateTime",
        "appId",
        "applicationTemplateId",
        "disabledByMicrosoftStatus",
        "createdDateTime",
        "publisherDomain",
    }
)
"""Properties that no client can set."""


def new_others() -> JsonObject:
    """The properties of a new application that the local cloud only keeps."""
    return copy.deepcopy(OTHERS)


def timestamp(when: datetime.datetime) -> str:
    """A DateTimeOffset in whole seconds, UTC."""
    return when.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(value: object) -> datetime.datetime | None:
    """The DateTimeOffset of a request in whole seconds, as Graph shows it again; None: null.

    Raises:
        GraphError: 400, it is not a date.
    """
    if value is None:
        return None
    try:
        parsed = datetime.datetime.fromisoformat(str(value))
    except ValueError as error:
        raise invalid_value() from error
    zoned = parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)
    return zoned.replace(microsecond=0)


def identifier(credential: KeyCredential) -> str:
    """`customKeyIdentifier`: the SHA-1 thumbprint in hexadecimal, unless the client chose it."""
    # The thumbprint is SHA-1 by definition; it is no security decision here.
    return credential.identifier or credential.certificate.fingerprint(SHA1()).hex().upper()  # noqa: S303


def key_credential(credential: KeyCredential) -> JsonObject:
    """A certificate, with its `key`."""
    raw = credential.certificate.public_bytes(Encoding.DER)
    return {
        "customKeyIdentifier": identifier(credential),
        "displayName": credential.display_name or None,
        "endDateTime": timestamp(credential.end),
        "key": base64.b64encode(raw).decode(),
        "keyId": credential.key_id,
        "startDateTime": timestamp(credential.start),
        "type": CERTIFICATE_TYPE,
        "usage": CERTIFICATE_USAGE,
    }


def password_credential(secret: ClientSecret) -> JsonObject:
    """A client secret, without its value."""
    return {
        "customKeyIdentifier": None,
        "displayName": secret.display_name or None,
        "endDateTime": timestamp(secret.end),
        "hint": secret.hint,
        "keyId": secret.key_id,
        "secretText": None,
        "startDateTime": timestamp(secret.start),
    }


def federated_credential(trusted: TrustedSubject) -> JsonObject:
    """A federated identity credential."""
    return {
        "id": trusted.key_id,
        "name": trusted.name,
        "issuer": trusted.issuer,
        "subject": trusted.subject,
        "description": trusted.description or None,
        "audiences": [trusted.audience],
    }


def application(registration: Registration, others: Mapping[str, Any]) -> JsonObject:
    """All that Graph knows of an application: with the keys, and its federated credentials.

    Args:
        registration: the application.
        others: its properties that the local cloud only keeps.
    """
    version = None if registration.token_version == 1 else registration.token_version
    created = datetime.datetime.fromtimestamp(registration.created, datetime.UTC)
    return {
        "id": registration.object_id,
        "deletedDateTime": None,
        "appId": registration.app_id,
        "applicationTemplateId": None,
        "disabledByMicrosoftStatus": None,
        "createdDateTime": timestamp(created),
        "displayName": registration.display_name,
        "identifierUris": list(registration.identifier_uris),
        "publisherDomain": "contoso.onmicrosoft.com",
        "signInAudience": registration.audience,
        "api": {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": version,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "keyCredentials": [key_credential(each) for each in registration.key_credentials()],
        "passwordCredentials": [password_credential(each) for each in registration.secrets],
        **copy.deepcopy(dict(others)),
        FEDERATED: [federated_credential(each) for each in registration.federated_credentials],
    }


def without_keys(shown: JsonObject) -> JsonObject:
    """An application as lists and plain requests show it: each `key` is null."""
    keys = [{**each, "key": None} for each in shown["keyCredentials"]]
    return {**shown, "keyCredentials": keys}
