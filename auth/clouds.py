"""The Azure clouds, with the addresses of each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AzureCloud:
    """The addresses of one cloud.

    Attributes:
        authority_host: URL of Entra's sign-in host.
        multi_tenant_authority: the tenant at which a MultiTenant bot signs in.
        multi_tenant_id: that tenant's GUID.
        v1_issuer_host: the base URL of the `iss` of Entra's version 1.0 tokens.
        channel_audience: the resource (URL) that outbound tokens are for.
        federation_audience: the resource (URI) that a managed identity's token is for when it is
            exchanged for an app registration's token.
        channel_issuer: the `iss` of the channel's tokens.
        channel_metadata_url: URL of the OpenID metadata for the channel's signing keys.
        token_service_url: URL of the Bot Framework token service, which stores user tokens.
        caller_id: the `callerId` of activities from the channel.
        service_hosts: host names allowed in service URLs; subdomains are allowed too.
    """

    authority_host: str
    multi_tenant_authority: str
    multi_tenant_id: str
    v1_issuer_host: str
    channel_audience: str
    federation_audience: str
    channel_issuer: str
    channel_metadata_url: str
    token_service_url: str
    caller_id: str
    service_hosts: tuple[str, ...]


PUBLIC = AzureCloud(
    authority_host="https://login.microsoftonline.com",
    multi_tenant_authority="botframework.com",
    multi_tenant_id="d6d49420-f39b-4df7-a1dc-d59a935871db",
    v1_issuer_host="https://sts.windows.net",
    channel_audience="https://api.botframework.com",
    federation_audience="api://AzureADTokenExchange",
    channel_issuer="https://api.botframework.com",
    channel_metadata_url="https://login.botframework.com/v1/.well-known/openidconfiguration",
    token_service_url="https://token.botframework.com",  # noqa: S106  # a URL, not a password
    caller_id="urn:botframework:azure",
    service_hosts=(
        "botframework.com",
        "smba.trafficmanager.net",
        "smba.onyx.prod.teams.trafficmanager.net",
        "teams.microsoft.com",
        "teams.microsoft.us",
    ),
)
US_GOVERNMENT = AzureCloud(
    authority_host="https://login.microsoftonline.us",
    multi_tenant_authority="MicrosoftServices.onmicrosoft.us",
    multi_tenant_id="cab8a31a-1906-4287-a0d8-4eef66b95f6e",
    v1_issuer_host="https://sts.windows.net",
    channel_audience="https://api.botframework.us",
    federation_audience="api://AzureADTokenExchangeUSGov",
    channel_issuer="https://api.botframework.us",
    channel_metadata_url="https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
    token_service_url="https://tokengcch.botframework.azure.us",  # noqa: S106  # a URL
    caller_id="urn:botframework:azureusgov",
    service_hosts=("botframework.azure.us", "teams.microsoft.us"),
)
CHINA = AzureCloud(
    authority_host="https://login.partner.microsoftonline.cn",
    multi_tenant_authority="microsoftservices.partner.onmschina.cn",
    multi_tenant_id="a55a4d5b-9241-49b1-b4ff-befa8db00269",
    v1_issuer_host="https://sts.chinacloudapi.cn",
    channel_audience="https://api.botframework.azure.cn",
    federation_audience="api://AzureADTokenExchangeChina",
    channel_issuer="https://api.botframework.azure.cn",
    channel_metadata_url="https://login.botframework.azure.cn/v1/.well-known/openidconfiguration",
    token_service_url="https://token.botframework.azure.cn",  # noqa: S106  # a URL
    caller_id="urn:botframework:azurechina",
    service_hosts=("botframework.azure.cn", "teams.microsoftonline.cn"),
)

CLOUDS = {
    "": PUBLIC,
    "https://botframework.azure.us": US_GOVERNMENT,
    "https://botframework.azure.cn": CHINA,
}
"""The clouds, keyed by the value of the setting ChannelService."""
