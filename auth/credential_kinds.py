"""The credentials with which a bot may sign in, a row each.

Settings, and the tests of the templates and of the docs, read this table. A test compares it with
the workbench's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

USER_ASSIGNED_MSI = "UserAssignedMSI"
SINGLE_TENANT = "SingleTenant"
MULTI_TENANT = "MultiTenant"
APP_TYPES = (USER_ASSIGNED_MSI, SINGLE_TENANT, MULTI_TENANT)

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
        refused: why it signs in no bot of a type, and the cure, by MicrosoftAppType. It signs in
            bots of all other types.
        vault_operations: what the app does in the key vault that has its certificate; empty: the
            app has no certificate.
        identity: what AZURE_CLIENT_ID is, without which the bot cannot sign in; empty: it may be
            unset; None: it is not read.
    """

    name: str
    refused: Mapping[str, str]
    vault_operations: tuple[str, ...] = ()
    identity: str | None = None

    @property
    def app_types(self) -> tuple[str, ...]:
        """The types of bot that it signs in; a new bot gets the first."""
        return tuple(each for each in APP_TYPES if each not in self.refused)

    @property
    def has_certificate(self) -> bool:
        """Whether the app registration knows the bot by a certificate."""
        return bool(self.vault_operations)

    @property
    def loads_key(self) -> bool:
        """Whether the app has the certificate's private key, from the vault or from a file."""
        return READ_SECRET in self.vault_operations


_NO_CERTIFICATE = (
    "a managed identity has no certificate; leave BotCredential out, or set MicrosoftAppType to"
    " SingleTenant"
)

KINDS: Mapping[str, CredentialKind] = {
    kind.name: kind
    for kind in (
        CredentialKind(
            MANAGED_IDENTITY,
            refused={
                SINGLE_TENANT: (
                    "a managed identity alone cannot sign in as an app registration; set"
                    " Federated, SignInVault or Certificate, or set MicrosoftAppType to"
                    " UserAssignedMSI"
                ),
                MULTI_TENANT: (
                    "a multi-tenant bot has an app registration, not a managed identity; set"
                    " SignInVault or Certificate"
                ),
            },
        ),
        CredentialKind(
            CERTIFICATE,
            refused={USER_ASSIGNED_MSI: _NO_CERTIFICATE},
            vault_operations=(READ_SECRET,),
            identity="",
        ),
        CredentialKind(
            SIGN_IN_VAULT,
            refused={USER_ASSIGNED_MSI: _NO_CERTIFICATE},
            vault_operations=(READ_CERTIFICATE, SIGN),
            identity="",
        ),
        CredentialKind(
            FEDERATED,
            refused={
                USER_ASSIGNED_MSI: (
                    "a user-assigned managed identity signs in itself; leave BotCredential out, or"
                    " set MicrosoftAppType to SingleTenant"
                ),
                MULTI_TENANT: (
                    "the channels' tenant, where a multi-tenant bot signs in, trusts no managed"
                    " identity; set SignInVault or Certificate"
                ),
            },
            identity="it is the user-assigned identity that Entra trusts",
        ),
    )
}
"""By the name; the first is the one of a new bot for which nothing is chosen."""

WITH_CERTIFICATE = tuple(kind.name for kind in KINDS.values() if kind.has_certificate)
