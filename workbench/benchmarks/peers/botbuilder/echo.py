"""The echo bot and its adapter, made of BotBuilder's own classes as its samples make them."""

import os
from collections.abc import Mapping
from pathlib import Path

from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.schema import CallerIdConstants
from botframework.connector.auth import (
    AuthenticationConstants,
    CertificateAppCredentials,
    CertificateServiceClientCredentialsFactory,
)
from msal import ConfidentialClientApplication


class EchoBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Says what it heard."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Reply to the message."""
        await turn_context.send_activity(f"You said: {turn_context.activity.text}")


class Configuration:
    """A bot's configuration, as the SDK reads it: the public cloud's values, but for addresses.

    Args:
        environ: the settings that a bot has in Azure.
    """

    TO_CHANNEL_FROM_BOT_OAUTH_SCOPE = AuthenticationConstants.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE
    TO_BOT_FROM_CHANNEL_TOKEN_ISSUER = AuthenticationConstants.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER
    CALLER_ID = CallerIdConstants.public_azure_channel

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.APP_TYPE = environ["MicrosoftAppType"]
        self.APP_ID = environ["MicrosoftAppId"]
        self.APP_TENANTID = environ["MicrosoftAppTenantId"]
        self.TO_CHANNEL_FROM_BOT_LOGIN_URL = (
            f"{environ['AZURE_AUTHORITY_HOST']}/{self.APP_TENANTID}"
        )
        self.TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL = environ["ToBotFromChannelOpenIdMetadataUrl"]
        self.OAUTH_URL = environ["OAuthUrl"]


class LocalCredentials(CertificateAppCredentials):  # type: ignore[misc]  # untyped SDK base
    """The SDK's certificate credentials, for an authority that Microsoft does not know.

    MSAL asks login.microsoftonline.com about such an authority unless instance discovery is off,
    and the SDK has no setting for that. The rest is unchanged: an MSAL application
    for each object, made on its first use.
    """

    app: ConfidentialClientApplication | None

    def get_access_token(self, force_refresh: bool = False) -> str:
        """The access token, from the application that the base class would have made."""
        if not self.app:
            self.app = ConfidentialClientApplication(
                client_id=self.microsoft_app_id,
                authority=self.oauth_endpoint,
                client_credential={
                    "thumbprint": self.certificate_thumbprint,
                    "private_key": self.certificate_private_key,
                },
                instance_discovery=False,
            )
        token: str = super().get_access_token(force_refresh)
        return token


class LocalCertificate(CertificateServiceClientCredentialsFactory):  # type: ignore[misc]  # untyped
    """The SDK's factory of certificate credentials: as there, new ones each time it is asked."""

    async def create_credentials(
        self, app_id: str, oauth_scope: str, login_endpoint: str, validate_authority: bool
    ) -> LocalCredentials:
        """Credentials for one client."""
        credentials = LocalCredentials(
            app_id,
            self.certificate_thumbprint,
            self.certificate_private_key,
            self.tenant_id,
            oauth_scope,
        )
        credentials.oauth_endpoint = login_endpoint
        return credentials


def adapter_from(environ: Mapping[str, str]) -> CloudAdapter:
    """The adapter for a bot with a certificate or, with no word of one, with what its type says."""
    configuration = Configuration(environ)
    certificate = "BENCH_THUMBPRINT" in environ and LocalCertificate(
        environ["BENCH_THUMBPRINT"],
        Path(environ["BENCH_PRIVATE_KEY"]).read_text(),
        configuration.APP_ID,
        configuration.APP_TENANTID,
    )
    return CloudAdapter(
        ConfigurationBotFrameworkAuthentication(
            configuration, credentials_factory=certificate or None
        )
    )


ADAPTER = adapter_from(os.environ)
BOT = EchoBot()
