"""FederatedCredentials: what Graph allows to be done to an application's federated credentials.

Rules: Graph reference, "federatedIdentityCredential resource type", and "Important considerations
and restrictions for federated identity credentials".
"""

import re
from dataclasses import replace
from typing import Any

from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.graph.application_object import federated_credential
from bot_workbench.emulator.graph.errors import GraphError, bad_request, not_found

JsonObject = dict[str, Any]

MAX_CREDENTIALS = 20
MAX_LENGTH = 600
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}")
INVALID = "InvalidFederatedIdentityCredentialValue"


class FederatedCredentials:
    """Changes federated credentials on applications of one directory.

    Args:
        directory: its propagation delays apply to new, changed and removed credentials.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def add(self, registration: Registration, body: JsonObject) -> JsonObject:
        """Add one, and return its JSON.

        Args:
            registration: the application.
            body: of the request.

        Raises:
            GraphError: the credential breaks a rule.
        """
        name = body.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise _invalid("Name", name)
        made = _checked(TrustedSubject("", "", "", name), body)
        if name in (each.name for each in registration.federated_credentials):
            raise GraphError(
                409,
                "Request_MultipleObjectsWithSameKeyValue",
                f"FederatedIdentityCredential with name {name} already exists.",
            )
        if len(registration.federated_credentials) >= MAX_CREDENTIALS:
            # The real service's words for this are not known.
            raise bad_request(
                f"An application can have at most {MAX_CREDENTIALS} federated identity "
                "credentials.",
                INVALID,
            )
        self._store(registration, made, None)
        return federated_credential(made)

    def change(self, registration: Registration, name: str, body: JsonObject) -> None:
        """Change one; its name cannot be changed.

        Args:
            registration: the application.
            name: the credential's id (GUID) or name.
            body: of the request.

        Raises:
            GraphError: there is none of that name, or the change breaks a rule.
        """
        old = find(registration, name)
        if body.get("name", old.name) != old.name:
            raise _invalid("Name", body["name"])
        self._store(registration, _checked(old, {**federated_credential(old), **body}), old)

    def remove(self, registration: Registration, name: str) -> None:
        """Remove one.

        Args:
            registration: the application.
            name: the credential's id (GUID) or name.

        Raises:
            GraphError: there is none of that name.
        """
        delay = self._directory.propagation.deleted_federated
        registration.distrust(find(registration, name), after=delay)

    def _store(
        self, registration: Registration, made: TrustedSubject, old: TrustedSubject | None
    ) -> None:
        listed = registration.federated_credentials
        for other in listed:
            if other is not old and (other.issuer, other.subject) == (made.issuer, made.subject):
                raise bad_request(
                    "The combination of issuer and subject must be unique for the application. "
                    f"Issuer {made.issuer} and Subject: {made.subject} already exist. "
                    "paramName: FederatedIdentityCredential.Subject, paramValue: "
                    f"{made.subject}, "
                    "objectType: Microsoft.Online.DirectoryServices.Application",
                    INVALID,
                )
        delays, position = self._directory.propagation, len(listed)
        if old is not None:
            position = listed.index(old)
            registration.distrust(old, after=delays.deleted_federated)
        registration.trust(made, after=delays.federated)
        listed.insert(position, listed.pop())


def find(registration: Registration, name: str) -> TrustedSubject:
    """The federated credential with an id (GUID) or name.

    Raises:
        GraphError: there is none.
    """
    for each in registration.federated_credentials:
        if name in (each.key_id, each.name):
            return each
    raise not_found(name)


def _checked(credential: TrustedSubject, body: JsonObject) -> TrustedSubject:
    """The credential with the values of a request."""
    for name in ("issuer", "subject"):
        if not _is_text(body.get(name)):
            raise _invalid(name.capitalize(), body.get(name))
    if "://" not in body["issuer"]:
        raise _invalid("Issuer", body["issuer"])
    audiences = body.get("audiences")
    if not isinstance(audiences, list) or len(audiences) != 1 or not _is_text(audiences[0]):
        raise _invalid("Audiences", audiences)
    description = body.get("description") or ""
    if not isinstance(description, str) or len(description) > MAX_LENGTH:
        raise _invalid("Description", description)
    return replace(
        credential,
        issuer=body["issuer"],
        subject=body["subject"],
        audience=audiences[0],
        description=description,
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_LENGTH


def _invalid(name: str, value: object) -> GraphError:
    return bad_request(
        f"The value is invalid. paramName: FederatedIdentityCredential.{name}, "
        f"paramValue: {value}, objectType: Microsoft.Online.DirectoryServices.Application",
        INVALID,
    )
