"""Unclaimed app: an app that answers another bot is not taken from it."""

from collections.abc import Sequence

import pytest

from bot_workbench.admin.migrate.steps.function_app import unclaimed_app
from bot_workbench.admin.plan.target import Target
from tests.admin.migrate.migration import APP, BOT, OTHER_APP_ID, VAULT
from tests.admin.migrate.route import CERTIFICATE, FEDERATED, ROTATE, Route

OTHER_BOT = "fabrikam-bot"
IDENTITY = ("managed-identity", "--bot", BOT, "--new-bot", "contoso-bot-2", "--app", APP)


def refusal(target: Target) -> str:
    """Why the app cannot be this bot's; empty: it can."""
    return unclaimed_app(target, lambda: {target.app_id}).look().refusal


def test_an_app_without_a_bot_is_free(route: Route, target: Target) -> None:
    """Other bots, whose endpoints lead elsewhere, do not matter."""
    route.migration.put_other_bot(OTHER_BOT, endpoint="https://elsewhere.contoso.com/api/messages")
    assert refusal(target) == ""


@pytest.mark.parametrize("name", ["MicrosoftAppId", "microsoftappid"])
def test_the_id_of_another_bot_is_refused(route: Route, target: Target, name: str) -> None:
    """Both ids are named, and how to let go of one that nobody uses; names have no case."""
    route.set_settings(**{name: OTHER_APP_ID})
    reason = refusal(target)
    assert OTHER_APP_ID in reason
    assert target.app_id in reason
    assert f"--name {APP} --setting-names MicrosoftAppId" in reason
    assert "delete it" not in reason


def test_the_azure_bot_that_has_the_id_is_named(route: Route, target: Target) -> None:
    """Its users may still talk to another app: this one is being prepared for it."""
    route.migration.put_other_bot(OTHER_BOT, endpoint="https://elsewhere.contoso.com/api/messages")
    route.set_settings(MicrosoftAppId=OTHER_APP_ID.upper())
    assert f"that is the Azure Bot {OTHER_BOT}" in refusal(target)


@pytest.mark.parametrize("host", [f"{APP.upper()}.azurewebsites.net", "bot.contoso.com"])
def test_the_endpoint_of_another_bot_is_refused(route: Route, target: Target, host: str) -> None:
    """It leads to the app, by any of the app's host names."""
    site = route.migration.new.site
    names = [*(site.properties.get("hostNames") or ()), "bot.contoso.com"]
    route.call(site.properties.update, {"hostNames": names})
    route.migration.put_other_bot(OTHER_BOT, endpoint=f"https://{host}/api/messages")
    reason = refusal(target)
    assert f"the endpoint of the Azure Bot {OTHER_BOT} leads to it" in reason
    assert "--setting-names" not in reason


def test_an_app_that_is_the_bots_already_is_not_asked_about(route: Route, target: Target) -> None:
    """Nobody loses anything by settings that stay as they are."""
    route.migration.put_other_bot(OTHER_BOT)
    route.set_settings(MicrosoftAppId=target.app_id.upper())
    assert refusal(target) == ""


@pytest.mark.parametrize("words", [FEDERATED, CERTIFICATE, IDENTITY], ids=lambda words: words[0])
def test_no_command_takes_an_app_from_another_bot(route: Route, words: Sequence[str]) -> None:
    """Nothing is changed, even with --yes, in Azure or in the directory."""
    route.migration.put_other_bot(OTHER_BOT)
    route.set_settings(MicrosoftAppId=OTHER_APP_ID)
    before = route.settings()
    assert OTHER_BOT in route.refused(*words, "--yes")
    assert route.settings() == before
    assert route.registration.federated_credentials == []
    assert (route.added(), route.versions()) == ([], [])


def test_a_certificate_of_another_bots_app_is_not_rotated(route: Route) -> None:
    """Its new version would be registered for the wrong bot."""
    url = f"https://{VAULT}.vault.azure.net"
    settings = {"CertificateVaultUrl": url, "CertificateName": "bot-certificate"}
    route.set_settings(MicrosoftAppId=OTHER_APP_ID, BotCredential="Certificate", **settings)
    assert OTHER_APP_ID in route.refused(*ROTATE)
    assert route.versions() == []


def test_a_bot_that_a_managed_identity_has_replaced_keeps_its_app(route: Route) -> None:
    """The new bot's users would get no answer, if the old bot took the app back."""
    route.done(*IDENTITY)
    before = route.settings()
    assert "contoso-bot-2" in route.refused(*FEDERATED, "--yes")
    assert route.settings() == before


def test_a_route_can_be_changed_before_the_switch(route: Route) -> None:
    """An app that was prepared for the same bot becomes the new bot's."""
    route.done(*FEDERATED)
    route.done(*IDENTITY)
    assert route.settings()["BotCredential"] == "ManagedIdentity"
