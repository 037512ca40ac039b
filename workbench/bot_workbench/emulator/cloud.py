"""Cloud: every part of the local cloud for one bot, started and stopped together."""

import ssl
import uuid
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.credential_kinds import (
    FEDERATED,
    KINDS,
    MANAGED_IDENTITY,
    MULTI_TENANT,
    USER_ASSIGNED_MSI,
    WITH_CERTIFICATE,
)
from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.channel.channel import Channel
from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.channel.connector_operations import BOT_NAME
from bot_workbench.emulator.channel.conversations import Conversations
from bot_workbench.emulator.channel.direct_line import DirectLine
from bot_workbench.emulator.channel.oauth_cards import OAuthCards
from bot_workbench.emulator.channel.user_tokens import UserTokens
from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.identity_endpoint import SYSTEM, IdentityEndpoint
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import RSA_BITS
from bot_workbench.emulator.inspector.inspector import Inspector
from bot_workbench.emulator.key_vault.inventory import VaultCertificate
from bot_workbench.emulator.key_vault.vault import GrantedOperations, KeyVault
from bot_workbench.emulator.language_model.language_model import LanguageModel
from bot_workbench.emulator.loopback import LOCALHOST
from bot_workbench.emulator.pages.assets import PageAssets
from bot_workbench.emulator.pages.chat_page import ChatPage
from bot_workbench.emulator.pages.inspector_page import InspectorPage
from bot_workbench.emulator.pages.sign_in_page import SignInPage
from bot_workbench.emulator.pages.webchat_page import WebChatPage
from bot_workbench.emulator.server import Server
from bot_workbench.emulator.services.services import Services
from bot_workbench.emulator.switches import Switches
from bot_workbench.emulator.teams.apologies import Apologies
from bot_workbench.emulator.teams.directory.teams_directory import TeamsDirectory
from bot_workbench.emulator.teams.teams_channel import TeamsChannel
from bot_workbench.emulator.teams.teams_connector_operations import TeamsConnectorOperations
from bot_workbench.emulator.token_service.service import TokenService

READER_PERMISSIONS = {
    name: {
        *KINDS[name].vault_operations,
        *(each.replace("/get", "/list") for each in KINDS[name].vault_operations),
    }
    for name in WITH_CERTIFICATE
}
"""By credential, the permissions of the identity that reads the vault: no more than it needs, and
to list what it gets."""

CERTIFICATE_NAME = "bot-certificate"

BOT_ENDPOINT = f"http://{LOCALHOST}:7071/api/messages"


class Cloud:
    """The Microsoft services that a bot in Azure uses, on loopback, with keys made at start.

    Args:
        folder: for the authority's public certificate; it must outlive the app that trusts it.
        credential: how the bot signs in, a key of KINDS.
        app_type: MicrosoftAppType; empty: the credential's first.
        libraries: the folder with the pages' libraries, if there is one.
        manifest: the app's Teams manifest, if there is one.

    Attributes:
        reader: object id (GUID) of the app's system-assigned identity, which reads the vault.
        user_assigned: client id (GUID) of the app's user-assigned identity. Where the bot signs in
            as a managed identity, it is the bot's own app id.
        model: the language model that a bot may use.
        pages: serves the pages, and what they call.
        teams_directory: the people and conversations of the chat page.
        inspector: what it shows of the bot's turns.
        vault_permissions: operations on the vault by object id (GUID) of who may do them.
        servers: every server by its name.
        services: switches the servers' faults.
    """

    def __init__(
        self,
        folder: Path,
        credential: str = MANAGED_IDENTITY,
        app_type: str = "",
        libraries: Path | None = None,
        manifest: Path | None = None,
    ) -> None:
        self.credential = credential
        self.authority = CertificateAuthority(folder)
        tls = self.authority.server_context()
        self.registration = Registration(
            str(uuid.uuid4()), str(uuid.uuid4()), app_type or KINDS[credential].app_types[0]
        )
        self.entra = Entra(self.registration, tls)
        self.reader = str(uuid.uuid4())
        self.user_assigned = self.registration.app_id
        if credential == FEDERATED:
            self.user_assigned = str(uuid.uuid4())
        self.identity = IdentityEndpoint(self.entra, self._identities())
        self.vault_permissions = GrantedOperations(
            {self.reader: set(READER_PERMISSIONS.get(credential, ()))}
        )
        self.vault = KeyVault(self.entra, tls, self.vault_permissions)
        if credential in READER_PERMISSIONS:
            self.renew_certificate()
        self.model = LanguageModel(self.entra)
        self.servers: dict[str, Server] = {}
        self.services = Services(self.servers)
        self._add_channel(tls)
        self._add_pages(libraries, manifest)
        self._add_token_service(tls)
        self._add_servers()

    def _add_channel(self, tls: ssl.SSLContext) -> None:
        self.channel = Channel(self.registration, tls)
        self.channel.bot_endpoint = BOT_ENDPOINT
        self.conversations = Conversations()
        self.user_tokens = UserTokens(self.entra.issuer, self.registration)
        self.teams_directory = TeamsDirectory(self.registration, self.conversations, BOT_NAME)
        self.user_tokens.object_ids = self.teams_directory.object_ids
        self.connector = BotConnector(
            self.entra.issuer,
            self.registration,
            self.conversations,
            OAuthCards(self.user_tokens, lambda: self.pages.url),
            tls,
            more=TeamsConnectorOperations(self.teams_directory).table(),
        )
        self.direct_line = DirectLine(
            self.channel, lambda: self.connector.server.url, self.conversations
        )

    def _add_pages(self, libraries: Path | None, manifest: Path | None) -> None:
        self.inspector = Inspector(
            self.channel,
            self.connector,
            self.services,
            lambda: self.pages.url,
            lambda: self.teams.new_address(),
        )
        self.teams = TeamsChannel(
            self.channel,
            lambda: self.connector.server.url,
            lambda: self.pages.url,
            self.conversations,
            self.teams_directory,
            self.inspector.status,
            manifest,
        )
        self.inspector.log.listeners.append(Apologies(self.teams_directory))
        assets = PageAssets(libraries)
        sign_in_page = SignInPage(
            self.user_tokens, self.registration.app_id, self.direct_line.announce
        )
        parts = (
            ChatPage(self.channel, assets, self.credential),
            WebChatPage(self.direct_line, assets, "/webchat", self.credential),
            InspectorPage(assets),
            sign_in_page,
            self.teams,
            self.inspector,
            assets,
        )
        routes = [route for part in parts for route in part.routes()]
        self.pages = Server("chat", routes, loopback_host_only=True, host="localhost")

    def _add_token_service(self, tls: ssl.SSLContext) -> None:
        self.token_service = TokenService(
            self.entra.issuer,
            self.registration,
            self.entra.directory.registrations,
            self.user_tokens,
            lambda: self.pages.url,
            tls,
        )

    def _add_servers(self) -> None:
        self.switches = Switches(
            self.servers,
            self.services,
            self.entra,
            self.vault,
            self.channel,
            self.user_tokens,
            lambda lag: self.renew_certificate(lag=lag),
        )
        parts = (
            self.entra,
            self.identity,
            self.vault,
            self.channel,
            self.connector,
            self.token_service,
            self.model,
            self.switches,
        )
        self.servers.update({part.server.name: part.server for part in parts})
        self.servers[self.pages.name] = self.pages

    def _identities(self) -> dict[str, str]:
        identities = {SYSTEM: self.reader}
        if self.registration.app_type == USER_ASSIGNED_MSI or self.credential == FEDERATED:
            identities[self.user_assigned] = str(uuid.uuid4())
        return identities

    def add_bot(self, token_version: int = 1) -> Registration:
        """Register another bot, with a managed identity in the same tenant: a skill, or a parent.

        Args:
            token_version: of the tokens that other bots get for it, 1 or 2.
        """
        tenant_id = self.registration.tenant_id
        bot = Registration(
            str(uuid.uuid4()), tenant_id, USER_ASSIGNED_MSI, token_version=token_version
        )
        self.entra.directory.add(bot)
        self.identity.identities[bot.app_id] = str(uuid.uuid4())
        return bot

    def renew_certificate(self, *, registered: bool = True, lag: float = 0.0) -> VaultCertificate:
        """Make a new version of the bot's certificate in the vault.

        Args:
            registered: upload it to the registration; False leaves that to the caller.
            lag: seconds until Entra knows the uploaded certificate.
        """
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        version = self.vault.inventory.add_version(
            CERTIFICATE_NAME, key=key, exportable=KINDS[self.credential].loads_key
        )
        if registered:
            self.registration.register(version.certificate, after=lag)
        return version

    async def start(self, ports: Mapping[str, int] | None = None) -> None:
        """Start every server.

        Args:
            ports: by server name; the others get a free port.

        Raises:
            OSError: a port is in use.
        """
        try:
            for name, server in self.servers.items():
                await server.start((ports or {}).get(name, 0))
            await self.inspector.start()
        except OSError:
            await self.stop()
            raise
        if self.credential == FEDERATED:
            self._trust_user_assigned()

    def _trust_user_assigned(self) -> None:
        """Add a federated credential, whose issuer has an address only once Entra listens."""
        issuer = self.entra.authority.issuer(self.registration.tenant_id)
        subject = self.identity.identities[self.user_assigned]
        self.registration.federated_credentials[:] = [TrustedSubject(issuer, subject)]

    async def stop(self) -> None:
        """Stop every server, and cancel deliveries in progress."""
        await self.inspector.close()
        await self.teams.close()
        await self.direct_line.close()
        await self.channel.close()
        for server in self.servers.values():
            await server.stop()

    def watch(self) -> None:
        """Have the inspector watch what the bot is sent, and what it calls."""
        self.inspector.watch(self.token_service.server)

    def settings(self, other: Registration | None = None) -> dict[str, str]:
        """The app settings that point an app to this cloud; known once it is started.

        Args:
            other: see `add_bot`; None: the settings of the cloud's first bot.
        """
        if other is not None:
            return self._shared_settings(other, MANAGED_IDENTITY)
        settings = self._shared_settings(self.registration, self.credential)
        if self.credential in READER_PERMISSIONS:
            settings["CertificateVaultUrl"] = self.vault.server.url
            settings["CertificateName"] = CERTIFICATE_NAME
        if self.credential == FEDERATED:
            settings["AZURE_CLIENT_ID"] = self.user_assigned
        if self.registration.app_type == MULTI_TENANT:
            # Such a bot signs in at the channels' tenant, which is not a setting.
            settings["MicrosoftAppTenantId"] = ""
        return settings

    def _shared_settings(self, bot: Registration, credential: str) -> dict[str, str]:
        return {
            "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
            # Set in a dev container on Kubernetes, where the app would treat itself as deployed.
            "KUBERNETES_SERVICE_HOST": "",
            "MicrosoftAppType": bot.app_type,
            "MicrosoftAppId": bot.app_id,
            "MicrosoftAppTenantId": bot.tenant_id,
            "BotCredential": credential,
            "AZURE_AUTHORITY_HOST": self.entra.server.url,
            "ToBotFromChannelOpenIdMetadataUrl": (
                f"{self.channel.server.url}/v1/.well-known/openidconfiguration"
            ),
            "OAuthUrl": self.token_service.server.url,
            "SSL_CERT_FILE": str(self.authority.path),
            "REQUESTS_CA_BUNDLE": str(self.authority.path),
            **self.identity.settings(),
            **self.model.settings(),
        }
