"""`delete-secret` for a bot that a managed identity replaces: its registration keeps nothing."""

from collections.abc import Callable

import pytest

from bot_workbench.admin.migrate.delete_secret.secret_holders import PASSWORD
from bot_workbench.emulator.resource_manager.resource import Resource
from tests.admin.migrate.delete_secret.deletion import NEW_BOT, Deletion, changes
from tests.admin.migrate.migration import OTHER_APP_ID

Arrange = Callable[[Deletion], None]


def new_bot(deletion: Deletion) -> Resource:
    """The bot that replaces the old one."""
    group = deletion.azure.group
    return deletion.resource(group.resource_id("Microsoft.BotService/botServices", NEW_BOT))


def test_the_secret_goes(replaced: Deletion) -> None:
    """The new bot's app proves that it works, and the old app is stopped: nobody needs it."""
    with replaced.conversation():
        ended = replaced.run("--json", "--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert replaced.key_ids == []
    assert PASSWORD not in replaced.settings_of(replaced.migration.old.site)
    urls = [change["url"].split("?")[0].rsplit("/", 1)[1] for change in changes(ended)]
    assert urls == ["restart", "contoso-bot", "removePassword", "appsettings"]


def still_runs(deletion: Deletion) -> None:
    """The old app still answers those who have not moved."""
    deletion.set_state(deletion.migration.old.site, "Running")


def used_of_late(deletion: Deletion) -> None:
    """Somebody has signed in with the secret within a day."""
    deletion.record_sign_in(hours_ago=23)


def is_unknown(deletion: Deletion) -> None:
    """The old app is not in Azure, and there is no sign-in report."""
    endpoint = {"endpoint": "https://elsewhere.contoso.com/api/messages"}
    deletion.call(deletion.migration.bot().properties.update, endpoint)
    settings = deletion.settings_of(deletion.migration.old.site)
    settings.pop(PASSWORD)
    deletion.call(deletion.azure.group.set_app_settings, deletion.migration.old.site, settings)
    deletion.call(setattr, deletion.azure.graph, "licensed", False)


def new_bot_elsewhere(deletion: Deletion) -> None:
    """The new bot's users talk to another app."""
    endpoint = {"endpoint": "https://elsewhere.contoso.com/api/messages"}
    deletion.call(new_bot(deletion).properties.update, endpoint)


def new_bot_is_gone(deletion: Deletion) -> None:
    """Somebody has deleted the new bot."""
    deletion.call(deletion.azure.resource_manager.resources.remove, new_bot(deletion).id)


def new_app_signs_in_as_the_old_bot(deletion: Deletion) -> None:
    """The app is not the new bot's."""
    deletion.change_proof(appId=OTHER_APP_ID)


def new_app_has_a_certificate(deletion: Deletion) -> None:
    """The app signs in with something that is no managed identity."""
    deletion.change_proof(kind="Certificate")


def no_message_yet(deletion: Deletion) -> None:
    """Nobody has written to the new bot."""
    deletion.call(setattr, deletion.code, "last_outbound_call", None)


REFUSALS: dict[Arrange, tuple[str, str]] = {
    still_runs: ("contoso-bot-web, the app of contoso-bot, still runs", "contoso-bot-web`"),
    used_of_late: ("UTC, within the last 24 hours", "wait 24 hours"),
    is_unknown: ("whether contoso-bot is still used is not known", "Reports Reader"),
    new_bot_elsewhere: ("the endpoint of contoso-bot-2 is at elsewhere", "--app"),
    new_app_signs_in_as_the_old_bot: (f"signs in as {OTHER_APP_ID}", "Set MicrosoftAppId"),
    new_app_has_a_certificate: ("the credential Certificate", "managed-identity"),
    no_message_yet: ("has not called a channel", "Write to the bot"),
}


@pytest.mark.parametrize("arrange", REFUSALS, ids=lambda arrange: arrange.__name__)
def test_refused(replaced: Deletion, arrange: Arrange) -> None:
    """The command says why and what to do, and changes nothing."""
    arrange(replaced)
    before = replaced.state()
    ended = replaced.run("--json", "--timeout", "5")
    reason, cure = REFUSALS[arrange]
    assert ended.status == 1, ended.output + ended.errors
    assert ended.json["result"] == "refused"
    said = ended.json["reason"].splitlines()
    assert reason in said[0]
    assert cure in said[1]
    assert replaced.state() == before
    assert len(replaced.key_ids) == 1


def test_an_old_bot_that_is_unknown_can_be_ignored(replaced: Deletion) -> None:
    """Without the licence for a sign-in report, nothing else lets the command go on."""
    is_unknown(replaced)
    with replaced.conversation():
        ended = replaced.run("--ignore-other-use", "--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert "ignored, as you said: whether contoso-bot is still used" in ended.output
    assert replaced.key_ids == []


def test_an_old_bot_that_runs_cannot_be_ignored(replaced: Deletion) -> None:
    """Its users would get no answer."""
    still_runs(replaced)
    ended = replaced.run("--ignore-other-use", "--json", "--timeout", "5")
    assert ended.status == 1
    assert "still runs" in ended.json["reason"]
    assert len(replaced.key_ids) == 1


def test_the_new_bot_is_gone(replaced: Deletion) -> None:
    """Then nothing replaces the old one."""
    new_bot_is_gone(replaced)
    before = replaced.state()
    ended = replaced.run("--timeout", "5")
    assert ended.status == 1
    assert "does not exist: run the command managed-identity again" in ended.errors
    assert replaced.state() == before


def test_the_new_bot_by_its_name(replaced: Deletion) -> None:
    """A managed identity has no secret: the command names the bot to give."""
    ended = replaced.migration.run("delete-secret", "--bot", NEW_BOT, "--yes", "--json")
    assert ended.status == 1
    assert "name that one with --bot" in ended.json["reason"]
