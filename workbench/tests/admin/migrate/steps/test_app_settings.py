"""App settings: given settings are so, and no other is lost or shown."""

from collections.abc import Mapping

import pytest

from bot_workbench.admin.azure.errors import Conflict
from bot_workbench.admin.migrate.steps.function_app import app_settings
from bot_workbench.admin.plan.step import Change, Step
from bot_workbench.admin.plan.target import Target
from tests.admin.migrate.route import SECRET_SETTING, Route


def values(_: Mapping[str, str]) -> Mapping[str, str]:
    """Two settings that must be so."""
    return {"CUSTOM": "kept", "BotCredential": "Certificate"}


def change_of(step: Step) -> Change:
    """The one change that is missing, which sends itself."""
    (change,) = step.look().changes
    assert change.send is not None
    return change


def send(change: Change) -> None:
    """Send it."""
    assert change.send is not None
    change.send()


def test_only_what_differs_is_set(route: Route, target: Target) -> None:
    """The others are sent as they are, because Azure replaces them all, and none is printed."""
    change = change_of(app_settings(target, values))
    assert SECRET_SETTING not in str(change.printable_body)
    assert "BotCredential=Certificate" in change.az[0]
    assert "CUSTOM" not in "".join(change.az)
    before = route.settings()
    send(change)
    assert route.settings() == {**before, "BotCredential": "Certificate"}
    assert app_settings(target, values).look().changes == ()


def test_settings_are_deleted(route: Route, target: Target) -> None:
    """A removed setting is neither sent nor hidden under its old value."""
    step = app_settings(target, lambda _: {}, removed=("CUSTOM", "NEVER_THERE"))
    change = change_of(step)
    assert "--setting-names CUSTOM" in change.az[0]
    send(change)
    assert "CUSTOM" not in route.settings()
    assert route.settings()["MicrosoftAppPassword"] == SECRET_SETTING
    assert step.look().changes == ()


def test_settings_that_changed_meanwhile_are_kept(route: Route, target: Target) -> None:
    """Somebody sets another setting between the look and the write: nothing is sent."""
    change = change_of(app_settings(target, values))
    route.set_settings(ADDED="meanwhile")
    with pytest.raises(Conflict, match="just changed"):
        send(change)
    assert "BotCredential" not in route.settings()
    send(change_of(app_settings(target, values)))
    assert (
        route.settings().items() >= {"ADDED": "meanwhile", "BotCredential": "Certificate"}.items()
    )


def test_an_unknown_value_is_not_sent(target: Target) -> None:
    """In a dry run, a value may be a shell variable."""
    step = app_settings(target, lambda _: {"AZURE_CLIENT_ID": "$IDENTITY_CLIENT_ID"})
    change = change_of(step)
    assert change.unresolved == {"IDENTITY_CLIENT_ID"}
    assert '"AZURE_CLIENT_ID=$IDENTITY_CLIENT_ID"' in change.az[0]


def test_another_spelling_is_replaced(route: Route, target: Target) -> None:
    """The app would not read it, and beside the right one, nobody knows which is taken."""
    route.set_settings(BOTCREDENTIAL="Federated", certificatepath="bot.pem")
    change = change_of(app_settings(target, values, removed=("CertificatePath",)))
    assert "--setting-names BOTCREDENTIAL certificatepath" in change.az[0]
    send(change)
    assert route.settings()["BotCredential"] == "Certificate"
    assert not {"BOTCREDENTIAL", "certificatepath"} & route.settings().keys()
    assert app_settings(target, values, removed=("CertificatePath",)).look().changes == ()
