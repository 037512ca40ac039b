"""Cloud: all parts of the local cloud, for one bot, started and stopped together."""

import uuid
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from emulator.certificates import CertificateAuthority
from emulator.channel.channel import Channel
from emulator.channel.connector import BotConnector
from emulator.channel.conversations import Conversations
from emulator.channel.direct_line import DirectLine
from emulator.entra.endpoints import Entra
from emulator.entra.identity_endpoint import SYSTEM, IdentityEndpoint
from emulator.entra.registration import Registration, TrustedSubject
from emulator.entra.token_issuer import RSA_BITS
from emulator.key_vault.certificate import VaultCertificate
from emulator.key_vault.vault import KeyVault
from emulator.pages.chat_page import ChatPage
from emulator.pages.sign_in_page import SignInPage
from emulator.server import Server
from emulator.switches import Switches
from emulator.token_service.service import TokenService
from emulator.token_service.user_tokens import UserTokens

MANAGED_IDENTITY = "ManagedIdentity"
CERTIFICATE = "Certificate"
SIGN_IN_VAULT = "SignInVault"
FEDERATED = "Federated"

APP_TYPES = {
    MANAGED_IDENTITY: "UserAssignedMSI",
    CERTIFICATE: "SingleTenant",
    SIGN_IN_VAULT: "SingleTenant",
    FEDERATED: "SingleTenant",
}
"""The type of bot that each credential is shown with: the keys are what CREDENTIAL may be."""

READER_PERMISSIONS = {
    CERTIFICATE: {"secrets/get", "secrets/list"},
    SIGN_IN_VAULT: {"certificates/get", "certificates/list", "keys/sign"},
}
"""What the identity that reads the vault may do there: as much as its credential needs."""

CERTIFICATE_NAME = "bot-certificate"

WEBCHAT_BUNDLE = Path(__file__).parent.parent / ".cache" / "webchat" / "webchat.js"
"""Where `make setup` puts Web Chat."""

BOT_ENDPOINT = "http://localhost:7071/api/messages"


class Cloud:
    """What a bot on Azure has around it, on loopback, with keys made at start.

    Args:
        folder: for the authority's public certificate; it must outlive the app that trusts it.
        credential: how the bot signs in, a key of APP_TYPES.
        app_type: MicrosoftAppType, when it is not the credential's usual one.
        webchat_bundle: path of Web Chat's webchat.js, if there is one.
    """

    def __init__(
        self,
        folder: Path,
        credential: str = MANAGED_IDENTITY,
        app_type: str = "",
        webchat_bundle: Path | None = None,
    ) -> None:
        self.credential = credential
        self.authority = CertificateAuthority(folder)
        tls = self.authority.server_context()
        self.registration = Registration(
            str(uuid.uuid4()), str(uuid.uuid4()), app_type or APP_TYPES[credential]
        )
        self.entra = Entra(self.registration, tls)
        self.reader = str(uuid.uuid4())
        """Object id (GUID) of the app's system-assigned identity, which reads the vault."""
        self.user_assigned = self.registration.app_id
        """Client id (GUID) of the app's user-assigned identity: the bot's own, where it is one."""
        if credential == FEDERATED:
            self.user_assigned = str(uuid.uuid4())
        self.identity = IdentityEndpoint(self.entra, self._identities())
        self.vault = KeyVault(self.entra, tls)
        self.vault.permissions[self.reader] = set(READER_PERMISSIONS.get(credential, ()))
        self.channel = Channel(self.registration, tls)
        self.channel.bot_endpoint = BOT_ENDPOINT
        self.conversations = Conversations()
        self.connector = BotConnector(self.entra.issuer, self.registration, self.conversations, tls)
        self.direct_line = DirectLine(
            self.channel, lambda: self.connector.server.url, self.conversations
        )
        self.user_tokens = UserTokens(self.entra.issuer, self.registration)
        self.token_service = TokenService(
            self.entra.issuer,
            self.registration,
            self.user_tokens,
            lambda: self.chat_page.server.url,
            tls,
        )
        sign_in_page = SignInPage(self.user_tokens, self.registration.app_id)
        self.chat_page = ChatPage(self.direct_line, sign_in_page, webchat_bundle, credential)
        self.switches = Switches(self)
        if credential in READER_PERMISSIONS:
            self.renew_certificate()

    def _identities(self) -> dict[str, str]:
        identities = {SYSTEM: self.reader}
        if self.registration.app_type == "UserAssignedMSI" or self.credential == FEDERATED:
            identities[self.user_assigned] = str(uuid.uuid4())
        return identities

    def renew_certificate(self, *, registered: bool = True, lag: float = 0.0) -> VaultCertificate:
        """Make a new version of the bot's certificate in the vault.

        Args:
            registered: it is uploaded to the registration; False leaves that to the caller.
            lag: seconds until Entra knows what was uploaded.
        """
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        version = self.vault.add_version(
            CERTIFICATE_NAME, key=key, exportable=self.credential != SIGN_IN_VAULT
        )
        if registered:
            self.registration.register(version.certificate, after=lag)
        return version

    @property
    def servers(self) -> Mapping[str, Server]:
        """Every server by its name."""
        parts = (
            self.entra,
            self.identity,
            self.vault,
            self.channel,
            self.connector,
            self.token_service,
            self.chat_page,
            self.switches,
        )
        return {part.server.name: part.server for part in parts}

    async def start(self, ports: Mapping[str, int] | None = None) -> None:
        """Start every server, on the port that `ports` gives its name, or a free one.

        Raises:
            OSError: a port is in use.
        """
        try:
            for name, server in self.servers.items():
                await server.start((ports or {}).get(name, 0))
        except OSError:
            await self.stop()
            raise
        if self.credential == FEDERATED:
            self._federate()

    def _federate(self) -> None:
        """Let the registration trust the user-assigned identity; Entra has its address by now."""
        issuer = self.entra.federation_issuer(self.registration.tenant_id)
        subject = self.identity.identities[self.user_assigned]
        self.registration.federated_credentials[:] = [TrustedSubject(issuer, subject)]

    async def stop(self) -> None:
        """Stop every server and end what is under way."""
        await self.direct_line.close()
        await self.channel.close()
        for server in self.servers.values():
            await server.stop()

    def settings(self) -> dict[str, str]:
        """The environment with which an app talks to this cloud, known once it is started."""
        settings = {
            "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
            # In a dev container on Kubernetes, the app would otherwise take itself for deployed.
            "KUBERNETES_SERVICE_HOST": "",
            "MicrosoftAppType": self.registration.app_type,
            "MicrosoftAppId": self.registration.app_id,
            "MicrosoftAppTenantId": self.registration.tenant_id,
            "BotCredential": self.credential,
            "AZURE_AUTHORITY_HOST": self.entra.server.url,
            "ToBotFromChannelOpenIdMetadataUrl": (
                f"{self.channel.server.url}/v1/.well-known/openidconfiguration"
            ),
            "OAuthUrl": self.token_service.server.url,
            "SSL_CERT_FILE": str(self.authority.path),
            "REQUESTS_CA_BUNDLE": str(self.authority.path),
            **self.identity.settings(),
        }
        if self.credential in READER_PERMISSIONS:
            settings["BotCredential"] = CERTIFICATE
            settings["CertificateVaultUrl"] = self.vault.server.url
            settings["CertificateName"] = CERTIFICATE_NAME
        if self.credential == SIGN_IN_VAULT:
            settings["CertificateKeyUse"] = SIGN_IN_VAULT
        if self.credential == FEDERATED:
            settings["AZURE_CLIENT_ID"] = self.user_assigned
        if self.registration.app_type == "MultiTenant":
            # Entra's stand-in knows the channels' tenant by this name, as the real one does.
            settings["MicrosoftAppTenantId"] = ""
        return settings
