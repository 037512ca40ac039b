"""Settings: what each setting may say, and everything that is wrong, told at once."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from auth.clouds import CHINA, PUBLIC, US_GOVERNMENT, AzureCloud
from auth.errors import ServiceUrlRefused, SettingsError
from auth.settings import CertificateSource, Settings, StorageSource, names_storage

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
HOSTED_MARKS = (
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
"""Overrides, and the attribute that each changes."""


def problems(environ: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by the setting's name; empty when nothing is."""
    try:
        Settings.from_environ(environ)
    except SettingsError as error:
        told, text = error.problems, str(error)
    else:
        return {}
    assert all(problem in text for problem in told)
    found = dict(problem.split(": ", 1) for problem in told)
    assert len(found) == len(told), "a setting is named twice"
    return found


def certificate(**changes: str) -> CertificateSource:
    """The certificate's source in the settings of a SingleTenant bot."""
    source = Settings.from_environ({**SINGLE, **changes}).certificate
    assert source is not None
    return source


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
    """A SingleTenant bot signs in at home, with a certificate from the vault."""
    settings = Settings.from_environ(SINGLE)
    assert settings.authority == f"https://login.microsoftonline.com/{TENANT}"
    assert settings.certificate == CertificateSource(
        vault_url=VAULT,
        name="bot",
        path="",
        key_use="Export",
        thumbprints=frozenset(),
        send_x5c=False,
    )
    assert settings.identity_client_id == ""


@pytest.mark.parametrize("value", ["SignInVault", "signinvault", " SIGNINVAULT "])
def test_signing_in_the_vault(value: str) -> None:
    """The key may stay in the vault; everything else is as it is with an exported one."""
    source = certificate(CertificateKeyUse=value)
    assert source.key_use == "SignInVault"
    assert replace(source, key_use="Export") == certificate()
    assert problems({**MULTI, "CertificateKeyUse": value}) == {}


def test_signing_in_the_vault_needs_one() -> None:
    """A file cannot sign in a vault; beside a vault it is the place that is told to be unclear."""
    file = {"CertificatePath": "bot.pem", "CertificateKeyUse": "SignInVault"}
    alone = problems({**SINGLE, "CertificateVaultUrl": "", "CertificateName": "", **file})
    assert alone.keys() == {"CertificateKeyUse"}
    assert "a file has no vault" in alone["CertificateKeyUse"]
    assert problems({**SINGLE, **file}).keys() == {"CertificateVaultUrl", "CertificateKeyUse"}


@pytest.mark.parametrize("value", ["Federated", "federated", " FEDERATED"])
def test_federated(value: str) -> None:
    """A federated bot signs in at home, with an identity in the place of a certificate."""
    settings = Settings.from_environ({**FEDERATED, "BotCredential": value})
    assert settings.credential == "Federated"
    assert settings.certificate is None
    assert settings.identity_client_id == OTHER
    assert settings.federation_audience == "api://AzureADTokenExchange"
    assert settings.authority == f"https://login.microsoftonline.com/{TENANT}"


def test_federated_needs_no_certificate() -> None:
    """Left over settings of a certificate do not keep a federated bot from starting."""
    left = {"CertificateThumbprint": "?", "CertificateKeyUse": "?", "CertificateVaultUrl": "?"}
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
    """A MultiTenant bot signs in at the channel's own tenant, whatever its home is."""
    environ = {**MULTI, "ChannelService": service, "MicrosoftAppTenantId": tenant}
    assert Settings.from_environ(environ).authority == authority


GOOD = (
    ("MicrosoftAppType", "userassignedmsi", MANAGED),
    ("MicrosoftAppType", "USERASSIGNEDMSI", MANAGED),
    ("MicrosoftAppType", "singletenant", SINGLE),
    ("MicrosoftAppType", " SingleTenant ", SINGLE),
    ("MicrosoftAppType", "multitenant", MULTI),
    ("MicrosoftAppId", APP_ID.upper(), MANAGED),
    ("MicrosoftAppTenantId", TENANT.upper(), MANAGED),
    ("BotCredential", "managedidentity", MANAGED),
    ("BotCredential", "", MANAGED),
    ("BotCredential", "CERTIFICATE", SINGLE),
    ("AZURE_CLIENT_ID", OTHER.upper(), SINGLE),
    ("AZURE_CLIENT_ID", "", SINGLE),
    ("AZURE_CLIENT_ID", OTHER.upper(), FEDERATED),
    ("CertificateVaultUrl", VAULT + "/", SINGLE),
    ("CertificateName", "Bot-1", SINGLE),
    ("CertificateKeyUse", "", SINGLE),
    ("CertificateKeyUse", "export", SINGLE),
    ("CertificateThumbprint", SHA1.lower(), SINGLE),
    ("CertificateSendX5c", "TRUE", SINGLE),
    ("CertificateSendX5c", "False", SINGLE),
    ("ChannelService", "https://botframework.azure.us/", SINGLE),
    ("ChannelService", "https://botframework.azure.cn", SINGLE),
    ("AllowedTenants", f"{TENANT}, {OTHER.upper()},", MANAGED),
    ("AllowedServiceHosts", "contoso.com, Chat.Contoso.com", MANAGED),
    ("BotTurns", "inline", MANAGED),
    ("OAuthUrl", "https://token.contoso.com:8443/", MANAGED),
    ("DANGEROUSLY_ALLOW_UNAUTHENTICATED", "false", MANAGED),
)

BAD = (
    ("MicrosoftAppType", "", MANAGED, "missing; set one of UserAssignedMSI"),
    ("MicrosoftAppType", "Multi", MANAGED, "'Multi' is not known; set one of UserAssignedMSI"),
    ("MicrosoftAppId", "", MANAGED, "missing; it is the bot's id"),
    ("MicrosoftAppId", "bot", MANAGED, "'bot' is not a GUID"),
    ("MicrosoftAppId", f"{{{APP_ID}}}", MANAGED, "not a GUID"),
    ("MicrosoftAppId", APP_ID + "0", MANAGED, "not a GUID"),
    ("MicrosoftAppTenantId", "", MANAGED, "missing; it is the bot's home tenant"),
    ("MicrosoftAppTenantId", "", SINGLE, "missing; it is the bot's home tenant"),
    ("MicrosoftAppTenantId", "contoso.com", SINGLE, "not a GUID"),
    ("MicrosoftAppTenantId", "contoso.com", MULTI, "not a GUID"),
    ("BotCredential", "", SINGLE, "set one of ManagedIdentity, Certificate, Federated"),
    ("BotCredential", "", MULTI, "set one of ManagedIdentity, Certificate, Federated"),
    ("BotCredential", "Secret", SINGLE, "'Secret' is not known"),
    ("BotCredential", "ManagedIdentity", SINGLE, "cannot sign in as an app registration"),
    ("BotCredential", "ManagedIdentity", SINGLE, "set Federated or Certificate"),
    ("BotCredential", "ManagedIdentity", MULTI, "has an app registration"),
    ("BotCredential", "Certificate", MANAGED, "a managed identity has no certificate"),
    ("BotCredential", "Federated", MANAGED, "signs in itself; leave BotCredential out"),
    ("BotCredential", "Federated", MULTI, "trusts no managed identity; set Certificate"),
    ("MicrosoftAppTenantId", "", FEDERATED, "missing; it is the bot's home tenant"),
    ("AZURE_CLIENT_ID", "", FEDERATED, "missing; it is the user-assigned identity"),
    ("AZURE_CLIENT_ID", "reader", FEDERATED, "not a GUID"),
    ("AZURE_CLIENT_ID", "reader", SINGLE, "not a GUID"),
    ("CertificateVaultUrl", "", SINGLE, "CertificateName needs it"),
    ("CertificateVaultUrl", "http://contoso.vault.azure.net", SINGLE, "not an https URL"),
    ("CertificateVaultUrl", "contoso", SINGLE, "not an https URL"),
    ("CertificateVaultUrl", f"{VAULT}/certificates/bot", SINGLE, "has a path"),
    ("CertificateName", "", SINGLE, "letters, digits and hyphens"),
    ("CertificateName", "bot/1", SINGLE, "letters, digits and hyphens"),
    ("CertificateName", "b" * 128, SINGLE, "letters, digits and hyphens"),
    (
        "CertificateKeyUse",
        "Keep",
        SINGLE,
        "'Keep' is not known; set one of Export, SignInVault",
    ),
    ("CertificateThumbprint", SHA1[1:], SINGLE, "not a SHA-1 thumbprint of 40 hex digits"),
    ("CertificateThumbprint", "x" * 40, SINGLE, "not a SHA-1 thumbprint of 40 hex digits"),
    ("CertificateThumbprint", SHA256, SINGLE, "SHA-256 thumbprint; set the SHA-1 one"),
    ("CertificateThumbprint", ",", SINGLE, "lists nothing"),
    ("CertificateSendX5c", "yes", SINGLE, "'yes' is not known; set one of true, false"),
    ("ChannelService", "https://botframework.com", MANAGED, "leave it empty, or set one of"),
    ("ChannelService", "azure.us", MANAGED, "leave it empty, or set one of"),
    ("AllowedTenants", "contoso.com", MANAGED, "'contoso.com' is not a GUID"),
    ("AllowedTenants", f"{TENANT};{OTHER}", MANAGED, "not a GUID"),
    ("AllowedTenants", " , ", MANAGED, "lists nothing"),
    ("AllowedServiceHosts", "https://contoso.com", MANAGED, "not a host name; write contoso.com"),
    ("AllowedServiceHosts", "*.contoso.com", MANAGED, "not a host name"),
    ("AllowedServiceHosts", ".contoso.com", MANAGED, "not a host name"),
    ("AllowedServiceHosts", "contoso.com.", MANAGED, "not a host name"),
    ("AllowedServiceHosts", "contoso.com:443", MANAGED, "not a host name"),
    ("AllowedServiceHosts", "com", MANAGED, "not a host name"),
    ("AllowedServiceHosts", "localhost", MANAGED, "not a host name"),
    ("BotTurns", "Later", MANAGED, "'Later' is not known"),
    ("DANGEROUSLY_ALLOW_UNAUTHENTICATED", "1", MANAGED, "set one of true, false"),
)


@pytest.mark.parametrize(("name", "value", "environ"), GOOD)
def test_good_values(name: str, value: str, environ: Environ) -> None:
    """These values pass, in any case and with white space around."""
    assert problems({**environ, name: value}) == {}


@pytest.mark.parametrize(("name", "value", "environ", "cure"), BAD)
def test_bad_values(name: str, value: str, environ: Environ, cure: str) -> None:
    """Each of these is a problem of its own, with the setting's name and the cure."""
    found = problems({**environ, name: value})
    assert found.keys() == {name}
    assert cure in found[name]


@pytest.mark.parametrize("name", MANAGED)
def test_missing_is_as_good_as_empty(name: str) -> None:
    """A setting that is not there at all is told like an empty one."""
    absent = {key: value for key, value in MANAGED.items() if key != name}
    assert problems(absent) == problems({**MANAGED, name: "  "}) != {}


def test_everything_at_once() -> None:
    """Every problem is reported in one go."""
    environ = {
        "MicrosoftAppType": "SingleTenant",
        "MicrosoftAppId": "bot",
        "BotCredential": "Certificate",
        "AZURE_CLIENT_ID": "reader",
        "CertificateKeyUse": "?",
        "CertificateThumbprint": "?",
        "CertificateSendX5c": "?",
        "ChannelService": "?",
        "AllowedTenants": "?",
        "AllowedServiceHosts": "?",
        "BotTurns": "?",
        "DANGEROUSLY_ALLOW_UNAUTHENTICATED": "true",
        **dict.fromkeys(URLS, "?"),
    }
    assert problems(environ).keys() == (
        environ.keys() - {"MicrosoftAppType", "BotCredential"}
        | {"MicrosoftAppTenantId", "CertificateVaultUrl"}
    )


def test_everything_of_a_federated_bot_at_once() -> None:
    """A federated bot's problems come in one go too."""
    environ = {"MicrosoftAppType": "SingleTenant", "BotCredential": "Federated"}
    assert problems({**environ, "ChannelService": "?"}).keys() == {
        "MicrosoftAppId",
        "MicrosoftAppTenantId",
        "AZURE_CLIENT_ID",
        "ChannelService",
    }


def test_every_item_of_a_list() -> None:
    """In a list, each wrong item is told."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({**MANAGED, "AllowedTenants": f"a,{TENANT},b"})
    assert [text.split(" is")[0] for text in caught.value.problems] == [
        "AllowedTenants: 'a'",
        "AllowedTenants: 'b'",
    ]


def test_nothing_set() -> None:
    """What depends on the type of the bot is not asked for before it is known."""
    assert problems({}).keys() == {"MicrosoftAppType", "MicrosoftAppId"}


@pytest.mark.parametrize(
    "changes",
    [
        {"CertificateVaultUrl": "", "CertificateName": ""},
        {"CertificatePath": "bot.pem"},
        {"CertificatePath": "bot.pem", "CertificateName": ""},
    ],
)
def test_one_place_for_the_certificate(changes: Environ) -> None:
    """A certificate comes from the vault or from a file, not from both and not from neither."""
    found = problems({**SINGLE, **changes})
    assert found.keys() == {"CertificateVaultUrl"}
    assert "CertificatePath alone" in found["CertificateVaultUrl"]


def test_certificate_in_a_file() -> None:
    """A path alone is enough."""
    source = certificate(CertificateVaultUrl="", CertificateName="", CertificatePath="/a/bot.pem")
    assert (source.path, source.vault_url, source.name) == ("/a/bot.pem", "", "")


def test_certificate_details() -> None:
    """The vault stands without a slash at the end, the flag is a bool."""
    source = certificate(CertificateVaultUrl=f"{VAULT}/", CertificateSendX5c="True")
    assert source.vault_url == VAULT
    assert source.send_x5c


@pytest.mark.parametrize("environ", [SINGLE, MULTI, FEDERATED])
def test_the_identity_in_lower_case(environ: Environ) -> None:
    """The identity that reads the vault, or is trusted, is compared in lower case."""
    settings = Settings.from_environ({**environ, "AZURE_CLIENT_ID": OTHER.upper()})
    assert settings.identity_client_id == OTHER


def test_certificate_settings_mean_nothing_to_a_managed_identity() -> None:
    """Left over settings of a certificate do not keep a managed identity from starting."""
    environ = {**MANAGED, "CertificateThumbprint": "?", "AZURE_CLIENT_ID": "?"}
    assert Settings.from_environ(environ).identity_client_id == ""


@pytest.mark.parametrize(
    "text",
    [
        SHA1,
        SHA1.lower(),
        ":".join(SHA1[at : at + 2] for at in range(0, 40, 2)),
        " ".join(SHA1[at : at + 2] for at in range(0, 40, 2)).lower(),
        f" {SHA1} ,",
        f"\u200e{SHA1}",
    ],
)
def test_pins_in_the_portal_s_forms(text: str) -> None:
    """Colons, blanks, lower case and the mark that Windows copies along do not matter."""
    assert certificate(CertificateThumbprint=text).thumbprints == {SHA1}


def test_several_pins() -> None:
    """Several pins stand with commas between them."""
    pins = certificate(CertificateThumbprint=f"{SHA1}, {'f' * 40}").thumbprints
    assert pins == {SHA1, "F" * 40}


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
    assert settings.authority == f"{cloud.authority_host}/{TENANT}"
    assert settings.channel_audience == cloud.channel_audience
    assert settings.federation_audience == cloud.federation_audience
    assert settings.channel_issuer == cloud.channel_issuer
    assert settings.channel_metadata_url == cloud.channel_metadata_url
    assert settings.token_service_url == cloud.token_service_url
    assert settings.caller_id == cloud.caller_id
    assert settings.service_urls.hosts == cloud.service_hosts


@pytest.mark.parametrize(("name", "attribute"), URLS.items())
def test_overrides(name: str, attribute: str) -> None:
    """An override changes its own address and no other."""
    url = "https://contoso.com/somewhere"
    usual, changed = (
        vars(Settings.from_environ({**SINGLE, **extra})) for extra in ({}, {name: url})
    )
    assert {key for key in usual if usual[key] != changed[key]} == {attribute}
    tenant = f"/{TENANT}" if name == "AZURE_AUTHORITY_HOST" else ""
    assert changed[attribute] == f"{url}{tenant}"


def test_scope_may_be_a_scope() -> None:
    """The audience is a resource, whichever way the setting has it."""
    environ = {**MANAGED, "ToChannelFromBotOAuthScope": "https://api.contoso.com/.default"}
    assert Settings.from_environ(environ).channel_audience == "https://api.contoso.com"


@pytest.mark.parametrize("name", [*URLS, "CertificateVaultUrl"])
@pytest.mark.parametrize(
    "url",
    [
        "http://contoso.com",
        "ftp://contoso.com",
        "contoso.com",
        "https://",
        "https://con toso.com",
        "https://<contoso>.com",
        "https://contoso.com:99999",
        "https://[contoso.com",
        "https://user@contoso.com",
        "http://localhost.contoso.com:5000",
    ],
)
def test_urls_are_https(name: str, url: str) -> None:
    """Anything but a plain https URL is refused, in development too."""
    for environ in (SINGLE, {**SINGLE, **DEVELOPMENT}):
        assert problems({**environ, name: url}).keys() == {name}


@pytest.mark.parametrize("name", [*URLS, "CertificateVaultUrl"])
@pytest.mark.parametrize(
    "url", ["http://localhost:5000", "http://127.0.0.1:1", "http://[::1]:65535"]
)
def test_loopback_in_development(name: str, url: str) -> None:
    """http to this machine is for development, and never allowed on a hosting platform."""
    environ = {**SINGLE, name: url}
    assert problems(environ).keys() == {name}
    assert problems({**environ, **DEVELOPMENT}) == {}
    for mark in HOSTED_MARKS:
        assert problems({**environ, **DEVELOPMENT, mark: "x"}).keys() == {name}


@pytest.mark.parametrize("value", ["", "Production", "development", "Development2"])
def test_development_is_exact(value: str) -> None:
    """Nothing but `Development` is development."""
    settings = Settings.from_environ({**MANAGED, "AZURE_FUNCTIONS_ENVIRONMENT": value})
    assert not settings.service_urls.loopback
    assert not settings.development


def test_development() -> None:
    """On a developer's machine the log may show everything; on a hosting platform it may not."""
    environ = {**MANAGED, **DEVELOPMENT}
    assert Settings.from_environ(environ).development
    for mark in HOSTED_MARKS:
        assert not Settings.from_environ({**environ, mark: "x"}).development


def test_service_urls() -> None:
    """More hosts may be allowed; loopback is in development only."""
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


def test_unauthenticated_in_development() -> None:
    """The dangerous switch works on a developer's machine."""
    switch = {"DANGEROUSLY_ALLOW_UNAUTHENTICATED": "True"}
    assert Settings.from_environ({**MANAGED, **DEVELOPMENT, **switch}).unauthenticated


@pytest.mark.parametrize(
    "environ",
    [{}, {"AZURE_FUNCTIONS_ENVIRONMENT": "Production"}]
    + [{**DEVELOPMENT, mark: "something"} for mark in HOSTED_MARKS],
)
def test_unauthenticated_elsewhere(environ: Environ) -> None:
    """It is refused outside of development, and on a hosting platform even with `Development`."""
    name = "DANGEROUSLY_ALLOW_UNAUTHENTICATED"
    found = problems({**MANAGED, **environ, name: "true"})
    assert found.keys() == {name}
    assert "remove this setting" in found[name]
    assert all(mark in found[name] for mark in environ.keys() & {*HOSTED_MARKS})


def test_core_tools_are_development() -> None:
    """Variables that Core Tools and the local cloud set are not a hosting platform's."""
    local = {
        "WEBSITE_HOSTNAME": "localhost:7071",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "IDENTITY_ENDPOINT": "http://localhost:1/token",
        "CONTAINER_NAME": "devcontainer",
    }
    assert Settings.from_environ({**MANAGED, **DEVELOPMENT, **local}).service_urls.loopback


def test_a_secret_is_never_read() -> None:
    """A secret gives one warning; its value is in no text and no setting."""
    secret = "s3cret~value"
    settings = Settings.from_environ({**MANAGED, "MicrosoftAppPassword": secret})
    [warning] = settings.warnings
    assert "MicrosoftAppPassword" in warning
    assert secret not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"MicrosoftAppPassword": secret})
    assert secret not in str(caught.value)


def test_an_empty_secret_is_none() -> None:
    """An empty setting is not warned of."""
    assert Settings.from_environ({**MANAGED, "MicrosoftAppPassword": ""}).warnings == ()


def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the mapping that is passed, and from nowhere else."""
    for name in (*SINGLE, *URLS, "ChannelService", "BotTurns", *HOSTED_MARKS):
        monkeypatch.setenv(name, "?")
    monkeypatch.setenv("MicrosoftAppPassword", "?")
    settings = Settings.from_environ({**MANAGED, **DEVELOPMENT})
    assert settings.service_urls.loopback
    assert settings.warnings == ()


# Storage

CONNECTION = "DefaultEndpointsProtocol=https;AccountName=abc;AccountKey=c2VjcmV0;"
BY_NAME: Environ = {
    "AzureWebJobsStorage__accountName": "contoso1",
    "AzureWebJobsStorage__credential": "managedidentity",
    "AzureWebJobsStorage__clientId": OTHER,
}
BLOBS, QUEUES = "https://a.blob.example.net", "https://a.queue.example.net"
BY_URL: Environ = {
    "AzureWebJobsStorage__blobServiceUri": f"{BLOBS}/",
    "AzureWebJobsStorage__queueServiceUri": QUEUES,
}


def test_no_storage() -> None:
    """State is in memory then."""
    for environ in (MANAGED, {**MANAGED, "AzureWebJobsStorage": " "}):
        settings = Settings.from_environ(environ)
        assert (settings.storage, settings.queued) == (None, False)
        assert not names_storage(environ)


@pytest.mark.parametrize(
    ("environ", "source"),
    [
        ({"AzureWebJobsStorage": CONNECTION}, StorageSource(connection_string=CONNECTION)),
        (
            {"AzureWebJobsStorage": "UseDevelopmentStorage=true"},
            StorageSource(connection_string="UseDevelopmentStorage=true"),
        ),
        (
            BY_NAME,
            StorageSource(
                blob_url="https://contoso1.blob.core.windows.net",
                queue_url="https://contoso1.queue.core.windows.net",
                client_id=OTHER,
            ),
        ),
        (BY_URL, StorageSource(blob_url=BLOBS, queue_url=QUEUES)),
        (
            {**BY_URL, "AZURE_CLIENT_ID": APP_ID},
            StorageSource(blob_url=BLOBS, queue_url=QUEUES, client_id=APP_ID),
        ),
        (
            {**BY_NAME, "AZURE_CLIENT_ID": APP_ID, "AzureWebJobsStorage__queueServiceUri": QUEUES},
            StorageSource(
                blob_url="https://contoso1.blob.core.windows.net",
                queue_url=QUEUES,
                client_id=OTHER,
            ),
        ),
        (
            {**BY_NAME, "AzureWebJobsStorage": CONNECTION},
            StorageSource(connection_string=CONNECTION),
        ),
    ],
)
def test_where_storage_is(environ: Environ, source: StorageSource) -> None:
    """A connection string, an account's name, or both URLs, as the Functions host reads them."""
    assert names_storage(environ)
    assert Settings.from_environ({**MANAGED, **environ}).storage == source


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"AzureWebJobsStorage": "hello"}, {"AzureWebJobsStorage"}),
        ({"AzureWebJobsStorage": "a=b;c"}, {"AzureWebJobsStorage"}),
        ({"AzureWebJobsStorage": "a=;b=c"}, {"AzureWebJobsStorage"}),
        (
            {**BY_NAME, "AzureWebJobsStorage__accountName": "a_b"},
            {"AzureWebJobsStorage__accountName"},
        ),
        (
            {**BY_NAME, "AzureWebJobsStorage__credential": "key"},
            {"AzureWebJobsStorage__credential"},
        ),
        ({**BY_NAME, "AzureWebJobsStorage__clientId": "me"}, {"AzureWebJobsStorage__clientId"}),
        ({"AzureWebJobsStorage__blobServiceUri": BLOBS}, {"AzureWebJobsStorage__queueServiceUri"}),
        ({"AzureWebJobsStorage__queueServiceUri": QUEUES}, {"AzureWebJobsStorage__blobServiceUri"}),
        (
            {
                "AzureWebJobsStorage__blobServiceUri": "http://a.example",
                "AzureWebJobsStorage__queueServiceUri": "a.example",
            },
            {"AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__queueServiceUri"},
        ),
    ],
)
def test_storage_that_is_none(environ: Environ, names: set[str]) -> None:
    """Each problem is told by the setting's name, and no part of a connection string is."""
    assert names_storage(environ)
    found = problems({**MANAGED, **environ})
    assert found.keys() == names
    assert not any("a=b" in text for text in found.values())


@pytest.mark.parametrize("value", ["Queued", "queued", " QUEUED "])
def test_queued_turns(value: str) -> None:
    """They need a storage account."""
    environ = {**MANAGED, "BotTurns": value}
    assert Settings.from_environ({**environ, **BY_NAME}).queued
    found = problems(environ)
    assert found.keys() == {"BotTurns"}
    assert "AzureWebJobsStorage__accountName" in found["BotTurns"]


def test_turns_of_another_kind() -> None:
    """What BotTurns may be is told; nothing of storage is asked for then."""
    assert not Settings.from_environ({**MANAGED, "BotTurns": "Inline"}).queued
    assert problems({**MANAGED, "BotTurns": "Later"}).keys() == {"BotTurns"}


def test_broken_storage_is_told_once() -> None:
    """Queued turns do not ask for an account that is named, though wrongly."""
    environ = {**MANAGED, "BotTurns": "Queued", "AzureWebJobsStorage": "hello"}
    assert problems(environ).keys() == {"AzureWebJobsStorage"}


def test_an_account_key_is_a_secret() -> None:
    """In Azure it gives a warning with the cure; on a developer's machine it is Azurite's."""
    environ = {**MANAGED, "AzureWebJobsStorage": CONNECTION}
    settings = Settings.from_environ(environ)
    [warning] = settings.warnings
    assert "AzureWebJobsStorage__accountName" in warning
    assert "c2VjcmV0" not in warning
    assert "c2VjcmV0" not in repr(settings)
    assert Settings.from_environ({**environ, **DEVELOPMENT}).warnings == ()
    assert Settings.from_environ({**MANAGED, **BY_NAME}).warnings == ()
    marked = {**environ, **DEVELOPMENT, "WEBSITE_SITE_NAME": "x"}
    assert len(Settings.from_environ(marked).warnings) == 1
