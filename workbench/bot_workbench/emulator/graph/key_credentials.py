"""KeyCredentials: what Graph allows to be done to an application's certificates.

Rules: Graph reference, "Update application", "application: addKey" and "application: removeKey".
"""

import base64
import binascii
import datetime
from dataclasses import replace
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.entra.credentials import KeyCredential
from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.graph.application_object import (
    CERTIFICATE_TYPE,
    CERTIFICATE_USAGE,
    key_credential,
    moment,
)
from bot_workbench.emulator.graph.errors import bad_proof, bad_request, invalid_value

JsonObject = dict[str, Any]

MAX_DISPLAY_NAME = 90
PROOF_AUDIENCES = [
    "00000002-0000-0000-c000-000000000000",
    "00000003-0000-0000-c000-000000000000",
]
MAX_PROOF_SECONDS = 600
DATES = ("startDateTime", "endDateTime")


class KeyCredentials:
    """Changes certificates on applications of one directory.

    Args:
        directory: its propagation delays apply to new and removed certificates.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def replace(self, registration: Registration, entries: object) -> None:
        """Make `entries` the whole collection, as PATCH does: what is left out is removed.

        Args:
            registration: the application.
            entries: `keyCredentials` of the request.

        Raises:
            GraphError: an entry breaks a rule; nothing has changed then.
        """
        if not isinstance(entries, list):
            raise invalid_value()
        known = {each.key_id: each for each in registration.key_credentials()}
        wanted = [self._wanted(entry, known) for entry in entries]
        certificates = [each.certificate for each in wanted]
        if len(set(certificates)) != len(certificates):
            # What the real service answers to the same certificate twice is not known.
            raise invalid_value()
        for credential in known.values():
            if credential not in wanted:
                self._withdraw(registration, credential)
        for credential in wanted:
            if credential.key_id not in known:
                registration.add_key(credential, self._directory.propagation.certificate)

    def add(self, registration: Registration, body: JsonObject) -> JsonObject:
        """Add a certificate, with a proof that the caller has the key of another one.

        Args:
            registration: the application.
            body: of the request.

        Returns:
            The new key credential, without its key.

        Raises:
            GraphError: the proof or the certificate is refused.
        """
        _check_proof(registration, body.get("proof"))
        entry = body.get("keyCredential")
        if not isinstance(entry, dict):
            raise invalid_value()
        made = self._new({"type": None, "usage": None, **entry, "keyId": None})
        if made.certificate in registration.certificates:
            raise invalid_value()
        registration.add_key(made, self._directory.propagation.certificate)
        return {**key_credential(made), "key": None}

    def remove(self, registration: Registration, body: JsonObject) -> None:
        """Remove a certificate, with the same proof.

        Args:
            registration: the application.
            body: of the request.

        Raises:
            GraphError: the proof is refused, or there is no such certificate.
        """
        _check_proof(registration, body.get("proof"))
        for credential in registration.key_credentials():
            if credential.key_id == body.get("keyId"):
                self._withdraw(registration, credential)
                return
        raise bad_request("No key credential found with keyId.")

    def _withdraw(self, registration: Registration, credential: KeyCredential) -> None:
        delay = self._directory.propagation.deleted_certificate
        registration.withdraw(credential.certificate, after=delay)

    def _wanted(self, entry: object, known: dict[str, KeyCredential]) -> KeyCredential:
        if not isinstance(entry, dict):
            raise invalid_value()
        for name, accepted in (("type", ()), ("usage", ("Sign", CERTIFICATE_USAGE))):
            if not entry.get(name) or (accepted and entry[name] not in accepted):
                raise _invalid_property(name, accepted or (CERTIFICATE_TYPE,))
        existing = known.get(str(entry.get("keyId")))
        if existing is None:
            return self._new(entry)
        _check_unchanged(entry, key_credential(existing))
        return existing

    def _new(self, entry: JsonObject) -> KeyCredential:
        kind = (entry["type"] or CERTIFICATE_TYPE, entry["usage"] or CERTIFICATE_USAGE)
        if kind != (CERTIFICATE_TYPE, CERTIFICATE_USAGE):
            raise invalid_value()
        name = entry.get("displayName") or ""
        if not isinstance(name, str) or len(name) > MAX_DISPLAY_NAME:
            raise invalid_value()
        certificate = _certificate(entry.get("key"))
        start = moment(entry.get("startDateTime")) or certificate.not_valid_before_utc
        end = moment(entry.get("endDateTime")) or certificate.not_valid_after_utc
        if end > certificate.not_valid_after_utc or end <= self._directory.now():
            raise bad_request("Key credential end date is invalid.", "KeyCredentialsInvalidEndDate")
        if start < certificate.not_valid_before_utc or start >= end:
            raise bad_request(
                "Key credential start date is invalid.", "KeyCredentialsInvalidStartDate"
            )
        made = KeyCredential(
            certificate,
            start,
            end,
            display_name=name or certificate.subject.rfc4514_string(),
            identifier=str(entry.get("customKeyIdentifier") or ""),
        )
        chosen = entry.get("keyId")
        return replace(made, key_id=str(chosen)) if chosen else made


def _invalid_property(name: str, accepted: tuple[str, ...]) -> Exception:
    return bad_request(
        f'The value for the property "{name}" in one of your credentials is invalid. '
        f"Acceptable values are {', '.join(accepted)}."
    )


def _check_unchanged(entry: JsonObject, shown: JsonObject) -> None:
    """Pass when an old entry comes back as it is; a key that is null or left out stays."""
    for name, value in entry.items():
        if name not in shown or (name == "key" and value is None):
            continue
        same = moment(value) == moment(shown[name]) if name in DATES else value == shown[name]
        if not same:
            raise bad_request(
                f"Update to existing credential with KeyId '{shown['keyId']}' is not allowed."
            )


def _certificate(key: object) -> x509.Certificate:
    if not isinstance(key, str) or not key:
        raise bad_request("Key credential value is invalid.", "KeyCredentialsInvalidValue")
    try:
        return x509.load_der_x509_certificate(base64.b64decode("".join(key.split()), validate=True))
    except (binascii.Error, ValueError) as error:
        message = "Key credential value is invalid."
        raise bad_request(message, "KeyCredentialsInvalidValue") from error


def _check_proof(registration: Registration, proof: object) -> None:
    """Pass when a valid certificate of the application signed the proof in the last ten minutes."""
    now = datetime.datetime.fromtimestamp(registration.clock(), datetime.UTC)
    for credential in registration.key_credentials():
        key = credential.certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or not credential.start <= now < credential.end:
            continue
        try:
            claims = jwt.decode(
                str(proof),
                key,
                algorithms=["RS256", "PS256"],
                audience=PROOF_AUDIENCES,
                issuer=registration.object_id,
                options={"require": ["aud", "exp", "iss", "nbf"]},
            )
        except jwt.InvalidTokenError:
            continue
        if claims["exp"] - claims["nbf"] <= MAX_PROOF_SECONDS:
            return
    raise bad_proof()
