"""CLOUDS: the addresses that Microsoft documents for each Azure cloud."""

from dataclasses import astuple, fields
from typing import Any

import pytest
from botbuilder.schema import CallerIdConstants
from botframework.connector.auth import AuthenticationConstants, GovernmentConstants

from auth.clouds import CHINA, CLOUDS, PUBLIC, US_GOVERNMENT, AzureCloud
from auth.errors import ServiceUrlRefused
from auth.inbound.caller import PLAIN_URL, ServiceUrls
from auth.settings import Settings

every_cloud = pytest.mark.parametrize(
    "cloud", [PUBLIC, US_GOVERNMENT, CHINA], ids=["public", "US Government", "China"]
)

ROWS = {
    "": (
        "https://login.microsoftonline.com",
        "botframework.com",
        "d6d49420-f39b-4df7-a1dc-d59a935871db",
        "https://sts.windows.net",
        "https://api.botframework.com",
        "api://AzureADTokenExchange",
        "https://api.botframework.com",
        "https://login.botframework.com/v1/.well-known/openidconfiguration",
        "https://token.botframework.com",
        "urn:botframework:azure",
    ),
    "https://botframework.azure.us": (
        "https://login.microsoftonline.us",
        "MicrosoftServices.onmicrosoft.us",
        "cab8a31a-1906-4287-a0d8-4eef66b95f6e",
        "https://sts.windows.net",
        "https://api.botframework.us",
        "api://AzureADTokenExchangeUSGov",
        "https://api.botframework.us",
        "https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
        "https://tokengcch.botframework.azure.us",
        "urn:botframework:azureusgov",
    ),
    "https://botframework.azure.cn": (
        "https://login.partner.microsoftonline.cn",
        "microsoftservices.partner.onmschina.cn",
        "a55a4d5b-9241-49b1-b4ff-befa8db00269",
        "https://sts.chinacloudapi.cn",
        "https://api.botframework.azure.cn",
        "api://AzureADTokenExchangeChina",
        "https://api.botframework.azure.cn",
        "https://login.botframework.azure.cn/v1/.well-known/openidconfiguration",
        "https://token.botframework.azure.cn",
        "urn:botframework:azurechina",
    ),
}
"""By ChannelService, in the order of AzureCloud's attributes.

From Microsoft's "Deploy a bot to Azure Government", the same for Azure operated by 21Vianet, and
"Configure an application to trust a managed identity".
"""

OVERRIDES = {
    "AZURE_AUTHORITY_HOST": {"authority_host"},
    "ToChannelFromBotLoginUrl": {"authority_host", "multi_tenant_authority"},
    "ToChannelFromBotOAuthScope": {"channel_audience"},
    "ToBotFromChannelTokenIssuer": {"channel_issuer"},
    "ToBotFromChannelOpenIdMetadataUrl": {"channel_metadata_url"},
    "OAuthUrl": {"token_service_url"},
    "AllowedServiceHosts": {"service_hosts"},
}
"""Settings, and the attributes that each replaces or extends."""

SERVICE_URLS: dict[str, set[AzureCloud]] = {
    "https://smba.trafficmanager.net/teams/": {PUBLIC},
    "https://webchat.botframework.com/": {PUBLIC},
    "https://directline.botframework.com/": {PUBLIC},
    "https://smba.infra.gcc.teams.microsoft.com/gcc": {PUBLIC},
    "https://smba.infra.gov.teams.microsoft.us/": {PUBLIC, US_GOVERNMENT},
    "https://webchat.botframework.azure.us/": {US_GOVERNMENT},
    "https://directline.botframework.azure.cn/": {CHINA},
    "https://smba.trafficmanager.net.example.com/": set(),
}
"""Service URLs as channels send them, and the clouds in which a bot accepts them."""


@pytest.mark.parametrize("service", ROWS)
def test_rows_are_microsoft_s(service: str) -> None:
    """Each address of each cloud is exactly the documented one."""
    *addresses, _ = astuple(CLOUDS[service])
    assert tuple(addresses) == ROWS[service]
    assert CLOUDS.keys() == ROWS.keys()


def test_what_can_be_overridden() -> None:
    """A setting can override every attribute but those that only Microsoft can know."""
    covered = set().union(*OVERRIDES.values())
    assert {field.name for field in fields(AzureCloud)} - covered == {
        "federation_audience",
        "caller_id",
        "multi_tenant_id",
        "v1_issuer_host",
    }


@pytest.mark.parametrize("service", ROWS)
def test_overrides_hold_in_every_cloud(service: str) -> None:
    """Settings override the addresses of each cloud."""
    url = "https://contoso.com/other"
    settings = Settings.from_environ(
        {
            "MicrosoftAppType": "MultiTenant",
            "MicrosoftAppId": "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11",
            "BotCredential": "Certificate",
            "CertificatePath": "bot.pem",
            "ChannelService": service,
            **dict.fromkeys(OVERRIDES.keys() - {"ToChannelFromBotLoginUrl"}, url),
            "AllowedServiceHosts": "contoso.com",
        }
    )
    cloud = CLOUDS[service]
    assert settings.authority == f"{url}/{cloud.multi_tenant_authority}"
    assert settings.channel_audience == settings.channel_issuer == url
    assert settings.channel_metadata_url == settings.token_service_url == url
    assert settings.service_urls.hosts == (*cloud.service_hosts, "contoso.com")
    assert settings.federation_audience == cloud.federation_audience


@pytest.mark.parametrize(
    ("cloud", "sdk", "caller_id"),
    [
        (PUBLIC, AuthenticationConstants, CallerIdConstants.public_azure_channel),
        (US_GOVERNMENT, GovernmentConstants, CallerIdConstants.us_gov_channel),
    ],
    ids=["public", "US Government"],
)
def test_rows_are_the_sdk_s(cloud: AzureCloud, sdk: Any, caller_id: Any) -> None:
    """Authority, audience, issuer, metadata and caller id are the Bot Framework SDK's."""
    assert f"{cloud.authority_host}/{cloud.multi_tenant_authority}" == (
        f"{sdk.TO_CHANNEL_FROM_BOT_LOGIN_URL_PREFIX}{sdk.DEFAULT_CHANNEL_AUTH_TENANT}"
    )
    assert cloud.channel_audience == sdk.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE
    assert cloud.channel_issuer == sdk.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER
    assert cloud.channel_metadata_url == sdk.TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL
    assert cloud.caller_id == caller_id.value


def test_names_are_the_sdk_s() -> None:
    """ChannelService is empty for the public cloud; the other values are the SDK's."""
    assert CLOUDS[""] is PUBLIC
    assert CLOUDS[GovernmentConstants.CHANNEL_SERVICE] is US_GOVERNMENT
    assert CLOUDS["https://botframework.azure.cn"] is CHINA


@every_cloud
def test_addresses_are_plain(cloud: AzureCloud) -> None:
    """Every address is an https URL without a slash at the end."""
    for url in (
        cloud.authority_host,
        cloud.channel_audience,
        cloud.channel_issuer,
        cloud.channel_metadata_url,
        cloud.token_service_url,
    ):
        assert PLAIN_URL.fullmatch(url)
        assert url.startswith("https://")
        assert not url.endswith("/")


def test_clouds_share_no_address() -> None:
    """No two clouds share an address, so a token of one is not valid in another."""
    for name in (
        "authority_host",
        "multi_tenant_authority",
        "channel_audience",
        "federation_audience",
        "channel_issuer",
        "channel_metadata_url",
        "token_service_url",
        "caller_id",
    ):
        assert len({getattr(cloud, name) for cloud in CLOUDS.values()}) == len(CLOUDS)


@every_cloud
@pytest.mark.parametrize("url", SERVICE_URLS)
def test_service_hosts(cloud: AzureCloud, url: str) -> None:
    """A bot accepts the channels of its own cloud only."""
    check = ServiceUrls(cloud.service_hosts).check
    if cloud in SERVICE_URLS[url]:
        check(url)
    else:
        with pytest.raises(ServiceUrlRefused):
            check(url)
