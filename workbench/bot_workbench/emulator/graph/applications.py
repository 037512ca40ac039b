"""Applications: the directory's app registrations, as Graph shows and changes them."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot_workbench.emulator.entra.credentials import ClientSecret
from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import (
    MULTI_TENANT,
    MULTI_TENANT_AUDIENCE,
    SINGLE_TENANT_AUDIENCE,
    Registration,
)
from bot_workbench.emulator.graph.application_object import (
    OTHERS,
    READ_ONLY,
    application,
    moment,
    new_others,
    password_credential,
    timestamp,
)
from bot_workbench.emulator.graph.errors import bad_request, invalid_value, not_found
from bot_workbench.emulator.graph.federated_credentials import FederatedCredentials
from bot_workbench.emulator.graph.key_credentials import KeyCredentials
from bot_workbench.emulator.graph.replica import Replica

JsonObject = dict[str, Any]

APP_TYPES = {SINGLE_TENANT_AUDIENCE: "SingleTenant", MULTI_TENANT_AUDIENCE: MULTI_TENANT}
"""App type by `signInAudience`; the local cloud has no personal accounts."""

SECRET_LIFETIME = datetime.timedelta(days=730)
"""Of a client secret without an end (addPassword reference: two years)."""


class Applications:
    """Reads show the state before a change for as long as the directory's propagation says.

    Args:
        directory: the applications.
        replica: what is shown.
    """

    def __init__(self, directory: Directory, replica: Replica) -> None:
        self._directory = directory
        self._replica = replica
        self._others: dict[str, JsonObject] = {}
        self.keys = KeyCredentials(directory)
        self.federated = FederatedCredentials(directory)

    def all(self) -> list[JsonObject]:
        """Every application that is shown, with its keys and federated credentials."""
        current = {each.object_id: each for each in self._directory.applications()}
        ids = dict.fromkeys([*current, *self._replica.object_ids()])
        shown = (self._shown(object_id, current.get(object_id)) for object_id in ids)
        return [each for each in shown if each is not None]

    def get(self, object_id: str) -> JsonObject:
        """One application; see `all`.

        Args:
            object_id: GUID.

        Raises:
            GraphError: it is not shown.
        """
        shown = self._shown(object_id, self._find(object_id))
        if shown is None:
            raise not_found(object_id)
        return shown

    def changeable(self, object_id: str) -> Registration:
        """The application to change.

        Raises:
            GraphError: it is not shown yet, or no longer there.
        """
        self.get(object_id)
        found = self._find(object_id)
        if found is None:
            raise not_found(object_id)
        return found

    @contextmanager
    def change(self, registration: Registration) -> Iterator[None]:
        """Let a change be shown only after the directory's delay; a refused one changes nothing."""
        before = self._record(registration)
        yield
        self._replica.remember(registration.object_id, before)

    def create(self, body: JsonObject, owner: str) -> JsonObject:
        """Register an application, without a service principal.

        Args:
            body: of the request.
            owner: object id (GUID) of the caller.

        Raises:
            GraphError: a property breaks a rule.
        """
        name = body.get("displayName")
        if not isinstance(name, str) or not name:
            raise invalid_value()
        made = self._directory.add_application(name)
        made.service_principal_id = ""
        made.owners.add(owner)
        try:
            self._update(made, body)
        except Exception:
            del self._directory.registrations[made.app_id.lower()]
            raise
        self._replica.remember(made.object_id, None)
        return self._record(made)

    def update(self, registration: Registration, body: JsonObject) -> None:
        """Change properties, as PATCH does.

        Raises:
            GraphError: a property breaks a rule.
        """
        with self.change(registration):
            self._update(registration, body)

    def delete(self, registration: Registration) -> None:
        """Remove an application and its service principal."""
        with self.change(registration):
            self._directory.delete(registration)

    def deleted(self) -> list[JsonObject]:
        """The deleted applications that can still be restored."""
        now = timestamp(self._directory.now())
        return [
            {**self._record(each), "deletedDateTime": now}
            for each in self._directory.deleted.values()
        ]

    def restore(self, object_id: str) -> JsonObject:
        """Bring a deleted application back, without its service principal (v1.0 reference,
        "Restore deleted item").

        Args:
            object_id: its `id` (GUID).

        Raises:
            GraphError: 404, it was not deleted.
        """
        found = next(
            (one for one in self._directory.deleted.values() if one.object_id == object_id), None
        )
        if found is None:
            raise not_found(object_id)
        self._directory.restore(found)
        return self._record(found)

    def add_password(self, registration: Registration, body: JsonObject) -> JsonObject:
        """Make a client secret, and return it with its value.

        Raises:
            GraphError: a date is invalid.
        """
        wanted = body.get("passwordCredential") or {}
        start = moment(wanted.get("startDateTime")) or self._directory.now()
        end = moment(wanted.get("endDateTime")) or start + SECRET_LIFETIME
        if end <= start:
            raise bad_request("Password credential end date is invalid.")
        secret, value = ClientSecret.create(start, end, wanted.get("displayName") or "")
        with self.change(registration):
            registration.secrets.append(secret)
            registration.delay(secret, self._directory.propagation.secret)
        return {**password_credential(secret), "secretText": value}

    def remove_password(self, registration: Registration, body: JsonObject) -> None:
        """Delete a client secret.

        Raises:
            GraphError: there is no such secret.
        """
        for secret in registration.secrets:
            if secret.key_id == body.get("keyId"):
                with self.change(registration):
                    delay = self._directory.propagation.deleted_secret
                    registration.remove_secret(secret, after=delay)
                return
        raise bad_request("No password credential found with keyId.")

    def _find(self, object_id: str) -> Registration | None:
        found = (each for each in self._directory.applications() if each.object_id == object_id)
        return next(found, None)

    def _record(self, registration: Registration) -> JsonObject:
        others = self._others.setdefault(registration.object_id, new_others())
        return application(registration, others)

    def _shown(self, object_id: str, current: Registration | None) -> JsonObject | None:
        return self._replica.shown(object_id, self._record(current) if current else None)

    def _update(self, registration: Registration, body: JsonObject) -> None:
        self._check(registration, body)
        if "keyCredentials" in body:
            self.keys.replace(registration, body["keyCredentials"])
        registration.display_name = body.get("displayName", registration.display_name)
        registration.identifier_uris[:] = body.get("identifierUris", registration.identifier_uris)
        if "signInAudience" in body:
            registration.app_type = APP_TYPES[body["signInAudience"]]
        if "requestedAccessTokenVersion" in (body.get("api") or {}):
            registration.token_version = body["api"]["requestedAccessTokenVersion"] or 1
        others = self._others.setdefault(registration.object_id, new_others())
        others.update({name: value for name, value in body.items() if name in OTHERS})

    def _check(self, registration: Registration, body: JsonObject) -> None:
        """Pass when all properties but the certificates can be set to these values."""
        for name in body.keys() - self._record(registration).keys():
            raise bad_request(f"Invalid property '{name}'.")
        for name in body.keys() & READ_ONLY:
            raise bad_request(f"Property '{name}' is read-only and cannot be set.")
        if not body.get("displayName", "-"):
            raise invalid_value()
        if body.get("signInAudience", SINGLE_TENANT_AUDIENCE) not in APP_TYPES:
            raise invalid_value()
        if (body.get("api") or {}).get("requestedAccessTokenVersion") not in (None, 1, 2):
            raise invalid_value()
        passwords = [password_credential(each) for each in registration.secrets]
        sent = body.get("passwordCredentials", passwords) or ()
        if [*map(_compared, sent)] != [*map(_compared, passwords)]:
            raise bad_request(
                "New password credentials must be generated with service actions.",
            )
        uris = body.get("identifierUris", [])
        if not isinstance(uris, list):
            raise invalid_value()
        for other in self._directory.registrations.values():
            if other is not registration and set(uris) & set(other.identifier_uris):
                raise bad_request(
                    "Another object with the same value for property identifierUris already exists."
                )


def _compared(item: JsonObject) -> JsonObject:
    """An object without nulls, which clients leave out, and with dates that they may write anew."""
    return {
        name: moment(value) if name.endswith("DateTime") else value
        for name, value in item.items()
        if value is not None
    }
