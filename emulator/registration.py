"""Registration: what Entra knows of the bot."""

from dataclasses import dataclass, field

from cryptography import x509

CHANNEL_TENANT = "d6d49420-f39b-4df7-a1dc-d59a935871db"
"""The tenant behind `botframework.com`, where multi-tenant bots sign in (GUID)."""


@dataclass
class Registration:
    """The bot's app registration, or its managed identity (same client id, no certificates).

    Attributes:
        app_id: GUID, MicrosoftAppId.
        tenant_id: GUID, the home tenant.
        app_type: UserAssignedMSI, SingleTenant or MultiTenant.
        certificates: those uploaded to the registration; Entra accepts assertions of no others.
    """

    app_id: str
    tenant_id: str
    app_type: str
    certificates: list[x509.Certificate] = field(default_factory=list)

    @property
    def sign_in_tenant(self) -> str:
        """The tenant (GUID) that issues the tokens which channels accept from this bot."""
        return CHANNEL_TENANT if self.app_type == "MultiTenant" else self.tenant_id

    @property
    def token_issuer(self) -> str:
        """The `iss` claim of those tokens (Entra, version 1.0 tokens)."""
        return f"https://sts.windows.net/{self.sign_in_tenant}/"
