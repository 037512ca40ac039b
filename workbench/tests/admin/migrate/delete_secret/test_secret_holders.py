"""Other apps that hold the bot's secret: `delete-secret` finds them, and no others."""

from collections.abc import Callable

import pytest

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.cloud import PUBLIC
from bot_workbench.admin.azure.errors import Conflict
from bot_workbench.admin.migrate.delete_secret.secret_holders import PASSWORD, password_removals
from bot_workbench.emulator.resource_manager.resource import Resource
from tests.admin.migrate.delete_secret.deletion import SECRET, Deletion
from tests.admin.migrate.migration import OTHER_APP_ID

Arrange = Callable[[Deletion, Resource], None]
EASY_AUTH = "MICROSOFT_PROVIDER_AUTHENTICATION_SECRET"
REFERENCE = "@Microsoft.KeyVault(SecretUri=https://contoso-vault.vault.azure.net/secrets/other)"


def use_authentication(deletion: Deletion, site: Resource, setting: str, app_id: str = "") -> None:
    """Let App Service authentication sign users in with a registration."""
    registration = {
        "clientId": app_id or deletion.registration.app_id.upper(),
        "clientSecretSettingName": setting,
    }
    providers = {"azureActiveDirectory": {"enabled": True, "registration": registration}}
    deletion.call(site.hidden.update, {"authsettingsv2": {"identityProviders": providers}})


def other_app(deletion: Deletion) -> Resource:
    """An app of somebody else, which is no bot."""
    site: Resource = deletion.call(deletion.azure.add_old_bot, "fabrikam-bot").site
    deletion.call(deletion.azure.group.set_app_settings, site, {"OTHER": "setting"})
    return site


def secret_of(deletion: Deletion) -> str:
    """The value of the bot's secret."""
    return deletion.settings_of(deletion.migration.old.site)[PASSWORD]


def microsoft_identity_web(deletion: Deletion, site: Resource) -> None:
    """The usual names of a web app in .NET."""
    values = {"AzureAd__ClientId": deletion.registration.app_id, "AzureAd__ClientSecret": SECRET}
    deletion.set_settings(site, **values)


def app_service_authentication(deletion: Deletion, site: Resource) -> None:
    """Its client id is not in the settings."""
    deletion.set_settings(site, **{EASY_AUTH: SECRET})
    use_authentication(deletion, site, EASY_AUTH)


def authentication_with_a_name_of_its_own(deletion: Deletion, site: Resource) -> None:
    """The setting may have any name."""
    deletion.set_settings(site, SIGN_IN=SECRET)
    use_authentication(deletion, site, "SIGN_IN")


def value_of_the_secret(deletion: Deletion, site: Resource) -> None:
    """The value begins as the secret does; the id is in the app's code."""
    deletion.set_settings(site, GRAPH_PASSWORD=secret_of(deletion))


def reference_to_a_vault(deletion: Deletion, site: Resource) -> None:
    """The id is there, and the value cannot be compared."""
    values = {"BOT": deletion.registration.app_id, "BOT_CLIENT_SECRET": REFERENCE}
    deletion.set_settings(site, **values)


HOLDERS: dict[Arrange, str] = {
    microsoft_identity_web: "AzureAd__ClientSecret",
    app_service_authentication: EASY_AUTH,
    authentication_with_a_name_of_its_own: "SIGN_IN",
    value_of_the_secret: "GRAPH_PASSWORD",
    reference_to_a_vault: "BOT_CLIENT_SECRET",
}


@pytest.mark.parametrize("arrange", HOLDERS, ids=lambda arrange: arrange.__name__)
def test_found(deletion: Deletion, arrange: Arrange) -> None:
    """The command refuses, and names the setting and its app."""
    site = other_app(deletion)
    arrange(deletion, site)
    ended = deletion.run("--json", "--timeout", "5")
    assert ended.status == 1, ended.output + ended.errors
    assert f"the setting {HOLDERS[arrange]} of {site.name} may hold" in ended.json["reason"]
    assert secret_of(deletion) not in ended.output
    assert SECRET not in ended.output


def test_the_live_app_holds_it_under_another_name(deletion: Deletion) -> None:
    """Its MicrosoftAppPassword is deleted, and something else would stop working."""
    deletion.set_settings(deletion.migration.new.site, **{EASY_AUTH: secret_of(deletion)})
    deletion.talk()
    ended = deletion.run("--json", "--timeout", "5")
    assert ended.status == 1
    assert f"the setting {EASY_AUTH} of contoso-functions may hold" in ended.json["reason"]


def password_of_something_else(deletion: Deletion, site: Resource) -> None:
    """Its value begins in another way."""
    deletion.set_settings(site, BOT=deletion.registration.app_id, DATABASE_PASSWORD=SECRET)


def authentication_of_another_registration(deletion: Deletion, site: Resource) -> None:
    """The secret is that registration's."""
    deletion.set_settings(site, **{EASY_AUTH: SECRET})
    use_authentication(deletion, site, EASY_AUTH, OTHER_APP_ID)


def authentication_with_an_identity(deletion: Deletion, site: Resource) -> None:
    """The setting with this name holds an identity's client id."""
    name = "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"
    deletion.set_settings(site, **{name: OTHER_APP_ID})
    use_authentication(deletion, site, name)


def live_app_with_a_reference(deletion: Deletion, _: Resource) -> None:
    """The bot's app has a secret of something else in a vault."""
    deletion.set_settings(deletion.migration.new.site, DATABASE_PASSWORD=REFERENCE)
    deletion.talk()


@pytest.mark.parametrize(
    "arrange",
    [
        password_of_something_else,
        authentication_of_another_registration,
        authentication_with_an_identity,
        live_app_with_a_reference,
    ],
    ids=lambda arrange: arrange.__name__,
)
def test_not_found(deletion: Deletion, arrange: Arrange) -> None:
    """What is no secret of the registration does not stand against the command."""
    arrange(deletion, other_app(deletion))
    ended = deletion.run("--dry-run")
    assert ended.status == 0, ended.output + ended.errors


def test_settings_that_changed_meanwhile_are_kept(deletion: Deletion) -> None:
    """Somebody sets another setting between the look and the removal: nothing is sent."""
    site = deletion.migration.new.site
    with AzureClients(PUBLIC) as azure:
        found = azure.arm.get(site.id)
        (change,) = password_removals(azure.arm, found)
        deletion.set_settings(site, ADDED="meanwhile")
        assert change.send is not None
        with pytest.raises(Conflict, match="just changed"):
            change.send()
        assert deletion.new_settings[PASSWORD] == SECRET
        (change,) = password_removals(azure.arm, found)
        assert change.send is not None
        change.send()
    assert PASSWORD not in deletion.new_settings
    assert deletion.new_settings["ADDED"] == "meanwhile"
