"""The credentials with which a bot may sign in, a row each: what the tools need to know of them.

auth/credential_kinds.py is the base's table, with which a test compares this one. It imports
nothing that must be installed: `make run` reads it before anything is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

USER_ASSIGNED_MSI = "UserAssignedMSI"
SINGLE_TENANT = "SingleTenant"
MULTI_TENANT = "MultiTenant"

MANAGED_IDENTITY = "ManagedIdentity"
CERTIFICATE = "Certificate"
SIGN_IN_VAULT = "SignInVault"
FEDERATED = "Federated"

READ_SECRET = "secrets/get"  # noqa: S105  # an operation of Key Vault
READ_CERTIFICATE = "certificates/get"
SIGN = "keys/sign"


@dataclass(frozen=True)
class CredentialKind:
    """One way to sign in.

    Attributes:
        name: the value of BotCredential, and of the template's parameter `credential`; the `kind`
            that `/api/identity` answers.
        app_types: the types of bot that it signs in; a new bot gets the first.
        vault_operations: what the app does in the key vault that has its certificate; empty: the
            app has no certificate.
    """

    name: str
    app_types: tuple[str, ...]
    vault_operations: tuple[str, ...] = ()

    @property
    def has_certificate(self) -> bool:
        """Whether the app registration knows the bot by a certificate."""
        return bool(self.vault_operations)

    @property
    def loads_key(self) -> bool:
        """Whether the app has the certificate's private key, from the vault or from a file."""
        return READ_SECRET in self.vault_operations


KINDS: Mapping[str, CredentialKind] = {
    kind.name: kind
    for kind in (
        CredentialKind(MANAGED_IDENTITY, (USER_ASSIGNED_MSI,)),
        CredentialKind(CERTIFICATE, (SINGLE_TENANT, MULTI_TENANT), (READ_SECRET,)),
        CredentialKind(SIGN_IN_VAULT, (SINGLE_TENANT, MULTI_TENANT), (READ_CERTIFICATE, SIGN)),
        CredentialKind(FEDERATED, (SINGLE_TENANT,)),
    )
}
"""By the name; the first is the one of a new bot for which nothing is chosen."""

WITH_CERTIFICATE = tuple(kind.name for kind in KINDS.values() if kind.has_certificate)
