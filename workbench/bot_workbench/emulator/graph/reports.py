"""Graph's reports of sign-ins: the last one of each credential, and each one of applications.

They have the sign-ins in the directory's own tenant only: a multi-tenant bot signs in in the
channels' tenant, and is in none of them.

Shapes: beta reference, "appCredentialSignInActivity" and "signIn resource type".
"""

import base64
import datetime
from typing import Any

from bot_workbench.emulator.entra.credentials import (
    CERTIFICATE,
    CLIENT_SECRET,
    FEDERATED,
    ClientSecret,
    KeyCredential,
)
from bot_workbench.emulator.entra.directory import Directory, SignIn
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.graph.application_object import identifier, timestamp

JsonObject = dict[str, Any]

KEY_TYPES = {CLIENT_SECRET: "clientSecret", CERTIFICATE: "certificate"}
SERVICE_PRINCIPAL = "servicePrincipal"
"""One of `signInEventTypes`."""


def credential_activities(directory: Directory, before: float) -> list[JsonObject]:
    """The last sign-in with each secret and certificate that was ever used.

    Args:
        directory: the sign-ins, and the credentials of applications.
        before: seconds since 1970; the report does not have later sign-ins yet.
    """
    last = {
        sign_in.credential.key_id: sign_in
        for sign_in in directory.own_sign_ins()
        if sign_in.when <= before and sign_in.credential.kind in KEY_TYPES
    }
    return [_activity(directory, each) for each in last.values()]


def _activity(directory: Directory, sign_in: SignIn) -> JsonObject:
    key_id, registration = sign_in.credential.key_id, directory.find(sign_in.app_id)
    identity = base64.b64encode(f"{key_id}|application".encode()).decode()
    start, end = _validity(registration, key_id)
    return {
        "id": identity,
        "keyId": key_id,
        "keyType": KEY_TYPES[sign_in.credential.kind],
        "keyUsage": "verify",
        "appId": sign_in.app_id,
        "appObjectId": registration.object_id if registration else None,
        "servicePrincipalObjectId": registration.service_principal_id if registration else None,
        "resourceId": sign_in.resource,
        "credentialOrigin": "application",
        "createdDateTime": start,
        "expirationDateTime": end,
        "signInActivity": {
            "lastSignInDateTime": _moment(sign_in),
            "lastSignInRequestId": sign_in.sign_in_id,
        },
    }


def _validity(registration: Registration | None, key_id: str) -> tuple[str | None, str | None]:
    if registration is None:
        return None, None
    credentials: list[ClientSecret | KeyCredential] = [
        *registration.secrets,
        *registration.key_credentials(),
    ]
    found = next((each for each in credentials if each.key_id == key_id), None)
    return (timestamp(found.start), timestamp(found.end)) if found else (None, None)


def sign_ins(directory: Directory, before: float) -> list[JsonObject]:
    """Every sign-in of an application, the newest first.

    Args:
        directory: the sign-ins, and the applications' names.
        before: seconds since 1970; the log does not have later sign-ins yet.
    """
    done = [each for each in directory.own_sign_ins() if each.when <= before]
    return [_sign_in(directory, each) for each in reversed(done)]


def _sign_in(directory: Directory, sign_in: SignIn) -> JsonObject:
    registration = directory.find(sign_in.app_id)
    kind, key_id = sign_in.credential
    name = registration.display_name if registration else ""
    return {
        "id": sign_in.sign_in_id,
        "createdDateTime": _moment(sign_in),
        "appId": sign_in.app_id,
        "appDisplayName": name,
        "clientCredentialType": kind,
        "federatedCredentialId": key_id if kind == FEDERATED else None,
        "ipAddress": "127.0.0.1",
        "resourceId": sign_in.resource,
        "servicePrincipalCredentialKeyId": key_id if kind != FEDERATED else None,
        "servicePrincipalCredentialThumbprint": _thumbprint(registration, key_id),
        "servicePrincipalId": registration.service_principal_id if registration else None,
        "servicePrincipalName": name,
        "signInEventTypes": [SERVICE_PRINCIPAL],
        "status": {"errorCode": 0, "failureReason": None, "additionalDetails": None},
    }


def _thumbprint(registration: Registration | None, key_id: str) -> str | None:
    keys = registration.key_credentials() if registration else []
    return next((identifier(each) for each in keys if each.key_id == key_id), None)


def _moment(sign_in: SignIn) -> str:
    return timestamp(datetime.datetime.fromtimestamp(sign_in.when, datetime.UTC))
