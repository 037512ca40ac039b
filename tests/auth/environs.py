"""Sets of app settings that the tests change, and what is wrong with them."""

from collections.abc import Mapping

from auth.errors import SettingsError
from auth.settings import CertificateSource, Settings

APP_ID = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
OTHER = "9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33"
VAULT = "https://contoso.vault.azure.net"
SHA1 = "0123456789ABCDEF0123456789ABCDEF01234567"
SHA256 = "0123456789abcdef" * 4
Environ = dict[str, str]
MANAGED: Environ = {
    "MicrosoftAppType": "UserAssignedMSI",
    "MicrosoftAppId": APP_ID,
    "MicrosoftAppTenantId": TENANT,
}
SINGLE: Environ = {
    "MicrosoftAppType": "SingleTenant",
    "MicrosoftAppId": APP_ID,
    "MicrosoftAppTenantId": TENANT,
    "BotCredential": "Certificate",
    "CertificateVaultUrl": VAULT,
    "CertificateName": "bot",
}
FEDERATED: Environ = {
    "MicrosoftAppType": "SingleTenant",
    "MicrosoftAppId": APP_ID,
    "MicrosoftAppTenantId": TENANT,
    "BotCredential": "Federated",
    "AZURE_CLIENT_ID": OTHER,
}
MULTI: Environ = {**SINGLE, "MicrosoftAppType": "MultiTenant", "MicrosoftAppTenantId": ""}
DEVELOPMENT: Environ = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
HOSTING_VARIABLES = (
    "WEBSITE_INSTANCE_ID",
    "WEBSITE_SITE_NAME",
    "WEBSITE_POD_NAME",
    "CONTAINER_APP_NAME",
    "CONTAINER_APP_REVISION",
    "CONTAINER_APP_HOSTNAME",
    "CONTAINER_APP_JOB_NAME",
    "KUBERNETES_SERVICE_HOST",
    "Fabric_ApplicationName",
)
URLS = {
    "AZURE_AUTHORITY_HOST": "authority",
    "ToChannelFromBotLoginUrl": "authority",
    "ToChannelFromBotOAuthScope": "channel_audience",
    "ToBotFromChannelTokenIssuer": "channel_issuer",
    "ToBotFromChannelOpenIdMetadataUrl": "channel_metadata_url",
    "OAuthUrl": "token_service_url",
}
"""Settings that override a cloud's URL, and the attribute that each changes."""


def problems(environ: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by the setting's name; empty when nothing is."""
    try:
        Settings.from_environ(environ)
    except SettingsError as error:
        reported, text = error.problems, str(error)
    else:
        return {}
    assert all(problem in text for problem in reported)
    found = dict(problem.split(": ", 1) for problem in reported)
    assert len(found) == len(reported), "a setting is named twice"
    return found


def certificate(**changes: str) -> CertificateSource:
    """The certificate's source in the settings of a SingleTenant bot."""
    source = Settings.from_environ({**SINGLE, **changes}).certificate
    assert source is not None
    return source
