"""Settings: every value that is wrong is reported, all at once."""

import pytest

from auth.errors import SettingsError
from auth.settings import Settings
from tests.auth.environs import (
    APP_ID,
    FEDERATED,
    MANAGED,
    MULTI,
    OTHER,
    SHA1,
    SHA256,
    SINGLE,
    TENANT,
    URLS,
    VAULT,
    Environ,
    problems,
)

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
    ("BotCredential", "signInVault", SINGLE),
    ("CertificateThumbprint", SHA1.lower(), SINGLE),
    ("CertificateSendX5c", "TRUE", SINGLE),
    ("CertificateSendX5c", "False", SINGLE),
    ("ChannelService", "https://botframework.azure.us/", SINGLE),
    ("ChannelService", "https://botframework.azure.cn", SINGLE),
    ("AllowedTenants", f"{TENANT}, {OTHER.upper()},", MANAGED),
    ("AllowedCallers", f"{TENANT}, {OTHER.upper()},", MANAGED),
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
    ("BotCredential", "", SINGLE, "missing; set one of Certificate, SignInVault, Federated"),
    ("BotCredential", "", MULTI, "missing; set one of Certificate, SignInVault"),
    ("BotCredential", "Certificat", MULTI, "not known; set one of Certificate, SignInVault"),
    ("BotCredential", "Secret", SINGLE, "'Secret' is not known"),
    ("BotCredential", "ManagedIdentity", SINGLE, "cannot sign in as an app registration"),
    ("BotCredential", "ManagedIdentity", SINGLE, "set Federated, SignInVault or Certificate"),
    ("BotCredential", "ManagedIdentity", MULTI, "has an app registration"),
    ("BotCredential", "Certificate", MANAGED, "a managed identity has no certificate"),
    ("BotCredential", "SignInVault", MANAGED, "a managed identity has no certificate"),
    ("BotCredential", "Federated", MANAGED, "signs in itself; leave BotCredential out"),
    ("BotCredential", "Federated", MULTI, "trusts no managed identity; set SignInVault"),
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
    ("AllowedCallers", "*", MANAGED, "'*' is not a GUID"),
    ("AllowedCallers", " , ", MANAGED, "lists nothing"),
    ("AllowedCallers", f"{OTHER},{APP_ID.upper()}", MANAGED, "it lists this bot itself"),
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
    """These values are accepted, in any case and with surrounding white space."""
    assert problems({**environ, name: value}) == {}


@pytest.mark.parametrize(("name", "value", "environ", "cure"), BAD)
def test_bad_values(name: str, value: str, environ: Environ, cure: str) -> None:
    """Each of these is one problem, with the setting's name and the cure."""
    found = problems({**environ, name: value})
    assert found.keys() == {name}
    assert cure in found[name]


@pytest.mark.parametrize("name", MANAGED)
def test_missing_is_empty(name: str) -> None:
    """A missing setting is reported like an empty one."""
    absent = {key: value for key, value in MANAGED.items() if key != name}
    assert problems(absent) == problems({**MANAGED, name: "  "}) != {}


def test_everything_at_once() -> None:
    """Every problem is reported at once."""
    environ = {
        "MicrosoftAppType": "SingleTenant",
        "MicrosoftAppId": "bot",
        "BotCredential": "Certificate",
        "AZURE_CLIENT_ID": "reader",
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
    """A federated bot's problems are reported at once, too."""
    environ = {"MicrosoftAppType": "SingleTenant", "BotCredential": "Federated"}
    assert problems({**environ, "ChannelService": "?"}).keys() == {
        "MicrosoftAppId",
        "MicrosoftAppTenantId",
        "AZURE_CLIENT_ID",
        "ChannelService",
    }


def test_every_item_of_a_list() -> None:
    """Each wrong item of a list is reported."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({**MANAGED, "AllowedTenants": f"a,{TENANT},b"})
    assert [text.split(" is")[0] for text in caught.value.problems] == [
        "AllowedTenants: 'a'",
        "AllowedTenants: 'b'",
    ]


def test_nothing_set() -> None:
    """What depends on the bot's type is not required before the type is known."""
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
