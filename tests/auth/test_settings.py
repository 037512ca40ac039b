"""Settings: what the app settings mean."""

from dataclasses import replace

import pytest

from auth.clouds import CHINA, PUBLIC, US_GOVERNMENT, AzureCloud
from auth.errors import ServiceUrlRefused, SettingsError
from auth.settings import CertificateSource, Settings
from tests.auth.environs import (
    APP_ID,
    DEVELOPMENT,
    FEDERATED,
    MANAGED,
    MULTI,
    OTHER,
    SINGLE,
    TENANT,
    URLS,
    VAULT,
    Environ,
    certificate,
    problems,
)


def test_managed_identity() -> None:
    """Three settings are enough for a bot with a managed identity."""
    settings = Settings.from_environ(MANAGED)
    assert settings.app_type == "UserAssignedMSI"
    assert settings.app_id == APP_ID
    assert settings.tenant_id == TENANT
    assert settings.credential == "ManagedIdentity"
    assert settings.certificate is None
    assert settings.authority == f"https://login.microsoftonline.com/{TENANT}"
    assert settings.allowed_tenants == frozenset()
    assert settings.warnings == ()
    assert not settings.service_urls.loopback
    assert not settings.unauthenticated
    assert not settings.development


def test_certificate_in_a_vault() -> None:
    """A SingleTenant bot signs in at its home tenant, with a certificate from the vault."""
    settings = Settings.from_environ(SINGLE)
    assert settings.authority == f"https://login.microsoftonline.com/{TENANT}"
    assert settings.certificate == CertificateSource(
        vault_url=VAULT,
        name="bot",
        path="",
        thumbprints=frozenset(),
        send_x5c=False,
    )
    assert settings.identity_client_id == ""


FILE = {"CertificatePath": "bot.pem"}


@pytest.mark.parametrize("value", ["SignInVault", "signinvault", " SIGNINVAULT "])
def test_signing_in_the_vault(value: str) -> None:
    """The key may stay in the vault; all else is the same as with a key that the bot loads."""
    settings = Settings.from_environ({**SINGLE, "BotCredential": value})
    assert settings.credential == "SignInVault"
    assert replace(settings, credential="Certificate") == Settings.from_environ(SINGLE)
    assert problems({**MULTI, "BotCredential": value}) == {}


def test_signing_in_the_vault_needs_one() -> None:
    """A file has no vault that signs, and is refused beside a vault, too."""
    without = {**SINGLE, "BotCredential": "SignInVault", "CertificateVaultUrl": ""}
    without["CertificateName"] = ""
    (missing,) = problems(without).items()
    assert missing[0] == "CertificateVaultUrl"
    assert missing[1].endswith("set CertificateVaultUrl and CertificateName")
    for beside in (SINGLE, without):
        (found,) = problems({**without, **beside, "BotCredential": "SignInVault", **FILE}).items()
        assert found[0] == "CertificatePath"
        assert "SignInVault needs a vault" in found[1]


@pytest.mark.parametrize("value", ["Federated", "federated", " FEDERATED"])
def test_federated(value: str) -> None:
    """A federated bot signs in at its home tenant, with an identity instead of a certificate."""
    settings = Settings.from_environ({**FEDERATED, "BotCredential": value})
    assert settings.credential == "Federated"
    assert settings.certificate is None
    assert settings.identity_client_id == OTHER
    assert settings.federation_audience == "api://AzureADTokenExchange"
    assert settings.authority == f"https://login.microsoftonline.com/{TENANT}"


def test_federated_needs_no_certificate() -> None:
    """Unused certificate settings are ignored."""
    left = {"CertificateThumbprint": "?", "CertificateVaultUrl": "?"}
    assert problems({**FEDERATED, **left}) == {}


@pytest.mark.parametrize("tenant", ["", TENANT])
@pytest.mark.parametrize(
    ("service", "authority"),
    [
        ("", "https://login.microsoftonline.com/botframework.com"),
        (
            "https://botframework.azure.us",
            "https://login.microsoftonline.us/MicrosoftServices.onmicrosoft.us",
        ),
    ],
)
def test_multi_tenant_authority(service: str, authority: str, tenant: str) -> None:
    """A MultiTenant bot signs in at the channel's tenant, whatever its home tenant is."""
    environ = {**MULTI, "ChannelService": service, "MicrosoftAppTenantId": tenant}
    settings = Settings.from_environ(environ)
    assert settings.authority == authority
    home = f"{authority.rpartition('/')[0]}/{TENANT}" if tenant else ""
    assert settings.home_authority == home


def test_certificate_in_a_file() -> None:
    """A path alone is enough."""
    source = certificate(CertificateVaultUrl="", CertificateName="", CertificatePath="/a/bot.pem")
    assert (source.path, source.vault_url, source.name) == ("/a/bot.pem", "", "")


def test_certificate_details() -> None:
    """The vault's URL loses its slash at the end, and the flag becomes a bool."""
    source = certificate(CertificateVaultUrl=f"{VAULT}/", CertificateSendX5c="True")
    assert source.vault_url == VAULT
    assert source.send_x5c


@pytest.mark.parametrize("environ", [SINGLE, MULTI, FEDERATED])
def test_the_identity_in_lower_case(environ: Environ) -> None:
    """The identity's client id is in lower case."""
    settings = Settings.from_environ({**environ, "AZURE_CLIENT_ID": OTHER.upper()})
    assert settings.identity_client_id == OTHER


def test_a_managed_identity_needs_no_certificate() -> None:
    """Unused certificate settings are ignored."""
    environ = {**MANAGED, "CertificateThumbprint": "?", "AZURE_CLIENT_ID": "?"}
    assert Settings.from_environ(environ).identity_client_id == ""


@pytest.mark.parametrize(
    ("service", "cloud"),
    [
        ("", PUBLIC),
        ("https://botframework.azure.us", US_GOVERNMENT),
        ("https://botframework.azure.cn", CHINA),
    ],
)
def test_clouds(service: str, cloud: AzureCloud) -> None:
    """ChannelService chooses every address of the cloud."""
    settings = Settings.from_environ({**SINGLE, "ChannelService": service})
    assert settings.authority == settings.home_authority == f"{cloud.authority_host}/{TENANT}"
    assert settings.channel_audience == cloud.channel_audience
    assert settings.federation_audience == cloud.federation_audience
    assert settings.channel_issuer == cloud.channel_issuer
    assert settings.channel_metadata_url == cloud.channel_metadata_url
    assert settings.token_service_url == cloud.token_service_url
    assert settings.caller_id == cloud.caller_id
    assert settings.service_urls.hosts == cloud.service_hosts


FOLLOWS = {
    "AZURE_AUTHORITY_HOST": {"bot_callers", "bot_metadata_url", "home_authority"},
    "ToChannelFromBotLoginUrl": {"bot_metadata_url"},
}
"""Attributes that are made of an overridden URL."""


@pytest.mark.parametrize(("name", "attribute"), URLS.items())
def test_overrides(name: str, attribute: str) -> None:
    """An override changes its own URL and no other."""
    url = "https://contoso.com/somewhere"
    default, changed = (
        vars(Settings.from_environ({**SINGLE, **extra})) for extra in ({}, {name: url})
    )
    found = {key for key in default if default[key] != changed[key]}
    assert found - FOLLOWS.get(name, set()) == {attribute}
    tenant = f"/{TENANT}" if name == "AZURE_AUTHORITY_HOST" else ""
    assert changed[attribute] == f"{url}{tenant}"


@pytest.mark.parametrize(
    ("environ", "tenant"),
    [
        (MANAGED, TENANT),
        (SINGLE, TENANT),
        (MULTI, PUBLIC.multi_tenant_id),
        ({**MULTI, "MicrosoftAppTenantId": TENANT}, PUBLIC.multi_tenant_id),
    ],
)
def test_callers(environ: Environ, tenant: str) -> None:
    """The tenant that the bot signs in at, and no other, may issue the tokens of other bots."""
    environ = {**environ, "AllowedCallers": f"{OTHER.upper()}, {TENANT}"}
    settings = Settings.from_environ(environ)
    assert settings.bot_callers.app_ids == {OTHER, TENANT}
    assert settings.bot_callers.versions == {
        f"https://sts.windows.net/{tenant}/": "1.0",
        f"https://login.microsoftonline.com/{tenant}/v2.0": "2.0",
    }
    authority = settings.authority
    assert settings.bot_metadata_url == f"{authority}/v2.0/.well-known/openid-configuration"


def test_callers_of_a_private_cloud() -> None:
    """The authority's host is in the issuer of version 2.0 tokens."""
    settings = Settings.from_environ({**MANAGED, "AZURE_AUTHORITY_HOST": "https://login.contoso/"})
    assert f"https://login.contoso/{TENANT}/v2.0" in settings.bot_callers.versions


def test_no_caller() -> None:
    """Unless it is set, no other bot may call."""
    assert not Settings.from_environ(MANAGED).bot_callers.app_ids


def test_scope_may_be_a_scope() -> None:
    """The audience is a resource, even if the setting has a scope."""
    environ = {**MANAGED, "ToChannelFromBotOAuthScope": "https://api.contoso.com/.default"}
    assert Settings.from_environ(environ).channel_audience == "https://api.contoso.com"


def test_service_urls() -> None:
    """More hosts can be allowed; loopback is allowed in development only."""
    environ = {**MANAGED, "AllowedServiceHosts": "Contoso.com"}
    settings = Settings.from_environ(environ)
    settings.service_urls.check("https://chat.contoso.com/")
    settings.service_urls.check("https://smba.trafficmanager.net/amer/")
    with pytest.raises(ServiceUrlRefused):
        settings.service_urls.check("http://localhost:5000/")
    Settings.from_environ({**environ, **DEVELOPMENT}).service_urls.check("http://localhost:5000/")


def test_allowed_tenants() -> None:
    """Tenants are compared in lower case."""
    environ = {**MANAGED, "AllowedTenants": f"{TENANT.upper()},{OTHER}"}
    assert Settings.from_environ(environ).allowed_tenants == {TENANT, OTHER}


def test_a_secret_is_never_read() -> None:
    """A secret causes one warning; its value is in no text and no setting."""
    secret = "s3cret~value"
    settings = Settings.from_environ({**MANAGED, "MicrosoftAppPassword": secret})
    [warning] = settings.warnings
    assert "MicrosoftAppPassword" in warning
    assert secret not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"MicrosoftAppPassword": secret})
    assert secret not in str(caught.value)


def test_an_empty_secret() -> None:
    """An empty secret causes no warning."""
    assert Settings.from_environ({**MANAGED, "MicrosoftAppPassword": ""}).warnings == ()
