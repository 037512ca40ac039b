"""Clouds: the rows agree with the SDK's constants where it has them, and keep to themselves."""

from typing import Any

import pytest
from botbuilder.schema import CallerIdConstants
from botframework.connector.auth import AuthenticationConstants, GovernmentConstants

from auth.clouds import CHINA, CLOUDS, PUBLIC, US_GOVERNMENT, Cloud
from auth.errors import ServiceUrlRefused
from auth.service_url import PLAIN_URL, ServiceUrls

every_cloud = pytest.mark.parametrize(
    "cloud", [PUBLIC, US_GOVERNMENT, CHINA], ids=["public", "US Government", "China"]
)

SERVICE_URLS: dict[str, set[Cloud]] = {
    "https://smba.trafficmanager.net/teams/": {PUBLIC},
    "https://webchat.botframework.com/": {PUBLIC},
    "https://directline.botframework.com/": {PUBLIC},
    "https://smba.infra.gcc.teams.microsoft.com/gcc": {PUBLIC},
    "https://smba.infra.gov.teams.microsoft.us/": {PUBLIC, US_GOVERNMENT},
    "https://webchat.botframework.azure.us/": {US_GOVERNMENT},
    "https://directline.botframework.azure.cn/": {CHINA},
    "https://smba.trafficmanager.net.example.com/": set(),
}
"""Service URLs as channels send them, and the clouds in which a bot answers there."""


@pytest.mark.parametrize(
    ("cloud", "sdk", "caller_id"),
    [
        (PUBLIC, AuthenticationConstants, CallerIdConstants.public_azure_channel),
        (US_GOVERNMENT, GovernmentConstants, CallerIdConstants.us_gov_channel),
    ],
    ids=["public", "US Government"],
)
def test_rows_are_the_sdk_s(cloud: Cloud, sdk: Any, caller_id: Any) -> None:
    """Authority, audience, issuer, metadata and caller id are the Bot Framework SDK's."""
    assert f"{cloud.authority_host}/{cloud.multi_tenant_authority}" == (
        f"{sdk.TO_CHANNEL_FROM_BOT_LOGIN_URL_PREFIX}{sdk.DEFAULT_CHANNEL_AUTH_TENANT}"
    )
    assert cloud.channel_audience == sdk.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE
    assert cloud.channel_issuer == sdk.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER
    assert cloud.channel_metadata_url == sdk.TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL
    assert cloud.caller_id == caller_id.value


def test_names_are_the_sdk_s() -> None:
    """ChannelService is empty for the public cloud and names the others as the SDK does."""
    assert CLOUDS[""] is PUBLIC
    assert CLOUDS[GovernmentConstants.CHANNEL_SERVICE] is US_GOVERNMENT
    assert CLOUDS["https://botframework.azure.cn"] is CHINA


@every_cloud
def test_addresses_are_plain(cloud: Cloud) -> None:
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
    """What is signed or published in one cloud counts for nothing in another."""
    for name in ("authority_host", "channel_audience", "channel_issuer", "channel_metadata_url"):
        assert len({getattr(cloud, name) for cloud in CLOUDS.values()}) == len(CLOUDS)


@every_cloud
@pytest.mark.parametrize("url", SERVICE_URLS)
def test_service_hosts(cloud: Cloud, url: str) -> None:
    """A bot answers the channels of its own cloud only."""
    check = ServiceUrls(cloud.service_hosts).check
    if cloud in SERVICE_URLS[url]:
        check(url)
    else:
        with pytest.raises(ServiceUrlRefused):
            check(url)
