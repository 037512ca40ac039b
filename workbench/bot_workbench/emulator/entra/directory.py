"""Directory: one tenant's applications, service principals and sign-ins."""

import datetime
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bot_workbench.emulator.entra.credentials import ClientSecret, UsedCredential
from bot_workbench.emulator.entra.registration import (
    MULTI_TENANT,
    MULTI_TENANT_AUDIENCE,
    Registration,
)
from bot_workbench.emulator.entra.token_issuer import TokenIssuer

MANAGED_IDENTITY = "ManagedIdentity"
APPLICATION = "Application"
MANAGED_IDENTITY_APP = "UserAssignedMSI"
"""The app type of a registration that stands for a managed identity: it has no application."""


@dataclass(frozen=True)
class ServicePrincipal:
    """An application or a managed identity in the tenant.

    Attributes:
        object_id: GUID, the `oid` of its tokens; an identity's principal id.
        app_id: GUID, the client id.
        display_name: as the portal shows it.
        kind: APPLICATION or MANAGED_IDENTITY, Graph's `servicePrincipalType`.
        resource_id: of a managed identity: its id in Azure.
    """

    object_id: str
    app_id: str
    display_name: str = ""
    kind: str = APPLICATION
    resource_id: str = ""


@dataclass(frozen=True)
class DirectoryUser:
    """A user of the tenant.

    Attributes:
        name: user principal name.
        object_id: GUID.
    """

    name: str
    object_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class SignIn:
    """One successful sign-in of an application.

    Attributes:
        when: seconds since 1970.
        app_id: GUID.
        credential: what it signed in with.
        resource: what the token is for (URL or GUID).
        tenant_id: GUID of the tenant that signed it in; only its own reports have the sign-in.
        sign_in_id: GUID.
    """

    when: float
    app_id: str
    credential: UsedCredential
    resource: str
    tenant_id: str
    sign_in_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Propagation:
    """The seconds until changes that clients make at Graph are known elsewhere.

    Attributes:
        certificate: until Entra accepts a new certificate.
        secret: until Entra accepts a new client secret.
        federated: until Entra accepts a new federated credential.
        deleted_certificate, deleted_secret, deleted_federated: until Entra refuses what was
            deleted.
        graph: until all of Graph's servers show a change.
        alternates: whether, until then, only every second read of an object is answered by a server
            that does not know of the change; else all reads are.
    """

    certificate: float = 0.0
    secret: float = 0.0
    federated: float = 0.0
    deleted_certificate: float = 0.0
    deleted_secret: float = 0.0
    deleted_federated: float = 0.0
    graph: float = 0.0
    alternates: bool = True


class Directory:
    """One tenant. Entra, Graph, Resource Manager and the vaults share it.

    Args:
        tenant_id: GUID.

    Attributes:
        clock: seconds since 1970; a test may replace it.
        registrations: app registrations by app id (GUID in lower case).
        identities: managed identities by principal id (GUID).
        user: the one user.
        issuers: other OpenID Connect issuers by URL, whose tokens federated credentials may trust.
        sign_ins: those of applications so far, in any tenant, the newest last.
        deleted: app registrations that were deleted and can be restored, by app id as above.
        disabled: object ids (GUID) of service principals that may not sign in.
        assignment_required: object ids (GUID) of service principals whose users need an assignment.
        propagation: delays of changes that clients make at Graph.
    """

    def __init__(self, tenant_id: str) -> None:
        self.tenant_id = tenant_id
        self.clock: Callable[[], float] = time.time
        self.registrations: dict[str, Registration] = {}
        self.identities: dict[str, ServicePrincipal] = {}
        self.user = DirectoryUser("admin@contoso.onmicrosoft.com")
        self.issuers: dict[str, TokenIssuer] = {}
        self.sign_ins: list[SignIn] = []
        self.deleted: dict[str, Registration] = {}
        self.disabled: set[str] = set()
        self.assignment_required: set[str] = set()
        self.propagation = Propagation()

    def add(self, registration: Registration) -> Registration:
        """Add an app registration, or a bot's managed identity, and return it."""
        self.registrations[registration.app_id.lower()] = registration
        return registration

    def add_application(self, display_name: str, *, audience: str = "AzureADMyOrg") -> Registration:
        """Register an application, with its service principal.

        Args:
            display_name: as the portal shows it; need not be unique.
            audience: Graph's `signInAudience`: AzureADMyOrg or AzureADMultipleOrgs.
        """
        is_multi_tenant = audience == MULTI_TENANT_AUDIENCE
        registration = Registration(
            str(uuid.uuid4()),
            self.tenant_id,
            MULTI_TENANT if is_multi_tenant else "SingleTenant",
            clock=lambda: self.clock(),
            display_name=display_name,
            created=self.clock(),
        )
        return self.add(registration)

    def add_secret(
        self, registration: Registration, *, name: str = "", ends_in_days: float = 365
    ) -> str:
        """Make a client secret, which Entra accepts immediately.

        Args:
            registration: an application of this tenant.
            name: the secret's display name.
            ends_in_days: until it expires; negative: it has expired.

        Returns:
            The secret's value, which is stored nowhere.
        """
        now = self.now()
        end = now + datetime.timedelta(days=ends_in_days)
        secret, value = ClientSecret.create(min(now, end), end, name)
        registration.secrets.append(secret)
        return value

    def add_identity(
        self, principal_id: str, client_id: str, *, display_name: str = "", resource_id: str = ""
    ) -> None:
        """Make the service principal of a managed identity.

        Args:
            principal_id: GUID, its object id.
            client_id: GUID.
            display_name: the identity's name.
            resource_id: the identity's id in Azure.
        """
        self.identities[principal_id] = ServicePrincipal(
            principal_id, client_id, display_name, MANAGED_IDENTITY, resource_id
        )

    def add_service_principal(self, registration: Registration) -> ServicePrincipal:
        """Make the service principal of an application that has none."""
        registration.service_principal_id = str(uuid.uuid4())
        return _service_principal_of(registration)

    def find(self, app_id: str) -> Registration | None:
        """The registration of an app id (GUID in any case)."""
        return self.registrations.get(app_id.lower())

    def delete(self, registration: Registration) -> None:
        """Remove an app registration; for 30 days, it can be restored (Graph reference, "Delete
        application")."""
        app_id = registration.app_id.lower()
        self.deleted[app_id] = self.registrations.pop(app_id)

    def restore(self, registration: Registration) -> None:
        """Bring a deleted app registration back, without its service principal."""
        app_id = registration.app_id.lower()
        self.registrations[app_id] = self.deleted.pop(app_id)
        registration.service_principal_id = ""

    def applications(self) -> Iterator[Registration]:
        """The registrations that are applications."""
        return (
            each for each in self.registrations.values() if each.app_type != MANAGED_IDENTITY_APP
        )

    def service_principals(self) -> list[ServicePrincipal]:
        """Those of the applications and the managed identities."""
        of_applications = [
            _service_principal_of(each) for each in self.applications() if each.service_principal_id
        ]
        return [*of_applications, *self.identities.values()]

    def service_principal(self, object_id: str) -> ServicePrincipal | None:
        """The one with an object id (GUID)."""
        found = (each for each in self.service_principals() if each.object_id == object_id)
        return next(found, None)

    def record_sign_in(
        self, app_id: str, credential: UsedCredential, resource: str, tenant_id: str = ""
    ) -> None:
        """Remember that an application has signed in.

        Args:
            app_id: GUID.
            credential: what it signed in with.
            resource: what the token is for (URL or GUID).
            tenant_id: GUID of the tenant that signed it in; empty: this one.
        """
        tenant = tenant_id or self.tenant_id
        self.sign_ins.append(SignIn(self.clock(), app_id, credential, resource, tenant))

    def own_sign_ins(self) -> list[SignIn]:
        """The sign-ins in this tenant, which its reports have."""
        return [each for each in self.sign_ins if each.tenant_id == self.tenant_id]

    def now(self) -> datetime.datetime:
        """The time that `clock` shows."""
        return datetime.datetime.fromtimestamp(self.clock(), datetime.UTC)


def _service_principal_of(registration: Registration) -> ServicePrincipal:
    return ServicePrincipal(
        registration.service_principal_id, registration.app_id, registration.display_name
    )
